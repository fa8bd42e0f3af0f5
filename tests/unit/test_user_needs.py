"""``docs/user-needs.md`` names tests that there are."""

from __future__ import annotations

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "user-needs.md"

#: Number, and the column of tests, of each row.
ROWS = re.findall(r"^\| (\d+) \|.*\| ([^|]*) \|$", PAGE.read_text(), re.M)


def test_every_row_has_tests() -> None:
    """No row was lost, and none is without."""
    assert [int(number) for number, _ in ROWS] == list(range(1, 21))
    assert [number for number, tests in ROWS if "::" not in tests] == []


def test_the_tests_exist() -> None:
    """Under the names that the page gives."""
    missing = []
    for number, tests in ROWS:
        for named in tests.split(", "):
            file, _, function = named.strip("`").partition("::")
            if function not in _functions(TESTS / file):
                missing.append(f"{number}: {named}")
    assert missing == []


def _functions(file: Path) -> set[str]:
    if not file.is_file():
        return set()
    found = ast.walk(ast.parse(file.read_text()))
    return {node.name for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
