"""The list of differences from the official SDK: ``docs/differences.yaml``.

Three kinds of entries: where a module's names are now (``imports``) and which modules have none
(``internal``), differences of behaviour with the tests that show them (``behaviour``), and names
and arguments that are missing, added or changed, each with its reason (``surface``).
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from .comparison import Difference, Import

ROOT = Path(__file__).parents[2]
_LIST = ROOT / "docs" / "differences.yaml"

KINDS = ("missing", "changed", "added")


class Explanations:
    """The list, as it was read.

    Attributes:
        content: the file's content.
    """

    def __init__(self, content: dict[str, Any] | None = None) -> None:
        self.content: dict[str, Any] = content or yaml.safe_load(_LIST.read_text("utf-8"))

    @property
    def imports(self) -> list[Import]:
        """Where the names of each public official module are here."""
        return [
            Import(entry["module"], entry["here"], entry.get("names", {}))
            for entry in self.content["imports"]
        ]

    @property
    def internal(self) -> set[str]:
        """Official modules that no user's script imports from."""
        return {module for entry in self.content["internal"] for module in entry["modules"]}

    @property
    def patterns(self) -> list[tuple[str, str]]:
        """Give kind and path of every difference that has a reason; ``*`` stands for any text."""
        return [
            (kind, path)
            for section in self.content["surface"]
            for entry in section["entries"]
            for kind in KINDS
            for path in entry.get(kind, ())
        ]

    @property
    def tests(self) -> Iterator[tuple[str, str]]:
        """Give file and name of each test that shows a difference of behaviour."""
        for entry in self.content["behaviour"]:
            for test in entry["tests"]:
                file, _, name = test.partition("::")
                yield file, name

    def unexplained(self, differences: Iterable[Difference]) -> list[Difference]:
        """Give the differences without a reason."""
        return [d for d in differences if not any(_covers(p, d) for p in self.patterns)]

    def without_difference(self, differences: Iterable[Difference]) -> list[tuple[str, str]]:
        """Give the reasons that are for nothing."""
        found = list(differences)
        return [p for p in self.patterns if not any(_covers(p, d) for d in found)]


def _covers(pattern: tuple[str, str], difference: Difference) -> bool:
    kind, path = pattern
    return kind == difference.kind and fnmatch.fnmatchcase(difference.path, path)
