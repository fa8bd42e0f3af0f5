"""Which operations of the API document recordings have, and how they were answered.

``python -m tools.recording.operations`` prints the table.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from tools.recording.cassette_format import load

_ROOT = Path(__file__).parents[2]
_METHODS = ("get", "head", "post", "put", "delete")


@cache
def _patterns() -> list[tuple[str, str, re.Pattern[str]]]:
    """Give operation id, method and a pattern of the path; paths without parameters first."""
    document = yaml.safe_load((_ROOT / "openapi" / "compute.yaml").read_text("utf-8"))
    found = [
        (
            operation["operationId"],
            method.upper(),
            re.compile(re.sub(r"\{\w+\}", "[^/]+", path)),
        )
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in _METHODS
    ]
    return sorted(found, key=lambda each: each[2].pattern.count("["))


def operation_of(request: Mapping[str, Any]) -> str:
    """Give the operation of a recorded request.

    Raises:
        LookupError: the document has none.
    """
    path = urlsplit(request["uri"]).path
    for operation, method, pattern in _patterns():
        if method == request["method"] and pattern.fullmatch(path):
            return operation
    raise LookupError(f"the API document has no {request['method']} {path}")


def table(folder: Path) -> dict[str, Counter[int]]:
    """Count for each operation how often it is recorded with which status."""
    counted = {operation: Counter[int]() for operation, _, _ in _patterns()}
    for path in sorted(folder.glob("*/*.yaml")):
        for interaction in load(path.read_text("utf-8"))["interactions"]:
            counted[operation_of(interaction["request"])][interaction["response"]["status"]] += 1
    return counted


def main() -> None:
    """Print the table of the committed recordings."""
    for operation, counts in table(_ROOT / "cassettes").items():
        told = ", ".join(f"{status} ({count})" for status, count in sorted(counts.items()))
        print(f"| {operation} | {told} |")


if __name__ == "__main__":
    main()
