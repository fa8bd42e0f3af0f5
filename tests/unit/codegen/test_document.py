"""Documents are read as the JSON values that they stand for."""

from pathlib import Path

import pytest

from tools.codegen.document import dump_document, load_document
from tools.codegen.errors import CodegenError


def test_yaml_gives_json_values(tmp_path: Path) -> None:
    """Dates stay text and status codes become text, as every reader of the JSON will see them."""
    path = tmp_path / "document.yaml"
    path.write_text(
        "openapi: 3.1.0\npaths: {}\nwhen: 2025-05-05T15:00:00Z\nday: 2025-05-05\n"
        "responses:\n  200: {ok: true}\n"
    )
    document = load_document(path)
    assert document["when"] == "2025-05-05T15:00:00Z"
    assert document["day"] == "2025-05-05"
    assert document["responses"] == {"200": {"ok": True}}


def test_json_keeps_order_and_letters() -> None:
    """The order is the document's, not the alphabet's, and letters stay readable."""
    assert dump_document({"b": "ö", "a": [1]}) == '{\n "b": "ö",\n "a": [\n  1\n ]\n}\n'


def test_values_without_json_are_an_error() -> None:
    """YAML's `.nan` has no place in JSON."""
    with pytest.raises(CodegenError, match="JSON cannot hold"):
        dump_document({"limit": float("nan")})
