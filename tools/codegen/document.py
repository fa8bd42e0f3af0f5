"""Reading an OpenAPI document from YAML or JSON, and writing it as JSON.

YAML in, plain JSON values out: whatever YAML would turn into something that JSON does not have
(dates, non-text keys) stays text, so that the document means the same to the generator, to the
local service and to a test. Anything that is not an OpenAPI 3 document is a `CodegenError`.
"""

import json
from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from tools.codegen.errors import CodegenError

Document = dict[str, Any]


class _Loader(yaml.SafeLoader):
    """YAML as JSON values: timestamps stay text, and a key given twice is an error."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        seen: set[str] = set()
        for key_node, _ in node.value:
            if key_node.value in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key_node.value!r} is given twice", key_node.start_mark
                )
            seen.add(key_node.value)
        mapping = super().construct_mapping(node, deep=deep)
        # `200:` is a number to YAML and a text to OpenAPI.
        return {str(key): value for key, value in mapping.items()}


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if not tag.endswith(":timestamp")]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def load_document(path: Path) -> Document:
    """Read an OpenAPI 3 document.

    Args:
        path: A YAML file; JSON is YAML as well.

    Returns:
        The document as JSON values, in the file's order.

    Raises:
        CodegenError: The file is missing, is not YAML, or is not an OpenAPI 3 document.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise CodegenError(f"{path}: there is no such file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise CodegenError(f"{path}: cannot be read: {error}") from error
    try:
        document = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise CodegenError(f"{path}: is not YAML: {error}") from error
    if not isinstance(document, dict) or not str(document.get("openapi", "")).startswith("3."):
        raise CodegenError(f"{path}: is not an OpenAPI 3 document: it has no `openapi: 3...` entry")
    if not isinstance(document.get("paths"), dict):
        raise CodegenError(f"{path}: the document has no `paths`, so there is nothing to generate")
    return document


def dump_document(document: Document) -> str:
    """Write a document as JSON: one value a line, in document order, the same text every time."""
    try:
        return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    except (TypeError, ValueError) as error:
        raise CodegenError(f"the document holds a value that JSON cannot hold: {error}") from error
