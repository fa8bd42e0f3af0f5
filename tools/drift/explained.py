"""The reasons for differences: ``explained.yaml``.

The file has a list for each part, and its entries a reason and the differences that it is for,
word for word or with ``*`` for any text::

    recordings:
      - reason: The local service has no such failure, and the recorder cannot cause one.
        differences:
          - "POST /v3/functions 500: is not recorded"

A difference is explained when a pattern fits it. A pattern that fits no difference explains
nothing, and is as wrong as a difference without a reason; but where something could not be
compared, nobody can tell.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from tools.drift.findings import Part, Verdict

FILE = Path(__file__).with_name("explained.yaml")


class WrongExplanations(Exception):
    """The file of reasons is not what it should be; the message says where."""


class Explanations:
    """The patterns that have a reason, for each part."""

    def __init__(self, content: Any, parts: tuple[str, ...]) -> None:
        """Check the file's content.

        Args:
            content: the loaded file, None for an empty one.
            parts: the parts that there are.

        Raises:
            WrongExplanations: a part is unknown, or an entry has no reason or no difference.
        """
        if not isinstance(content, dict | None):
            raise WrongExplanations(f"{FILE.name}: the parts {', '.join(parts)} were expected")
        self._patterns: dict[str, list[str]] = {name: [] for name in parts}
        for name, entries in (content or {}).items():
            if name not in self._patterns:
                raise WrongExplanations(
                    f"{FILE.name}: {name!r} is no part of the comparison: {', '.join(parts)}"
                )
            for entry in entries or ():
                self._patterns[name] += _checked(name, entry)

    def judge(self, part: Part) -> Verdict:
        """Tell what of a part's differences is unexplained, and which reasons are for nothing."""
        patterns = self._patterns[part.name]
        unexplained = [
            each for each in part.differences if not any(_fits(p, each.what) for p in patterns)
        ]
        stale = [p for p in patterns if not any(_fits(p, each.what) for each in part.differences)]
        return Verdict(part, sorted(unexplained), [] if part.not_compared else stale)


def load_explanations(parts: tuple[str, ...], file: Path = FILE) -> Explanations:
    """Read the file of reasons."""
    try:
        content = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise WrongExplanations(f"{file}: cannot be read: {error}") from error
    return Explanations(content, parts)


def _checked(part: str, entry: Any) -> list[str]:
    """Give the patterns of an entry that has what an entry must have."""
    shape = entry.keys() == {"reason", "differences"} if isinstance(entry, dict) else False
    if not shape:
        raise WrongExplanations(
            f"{FILE.name}: an entry of {part} has a reason and differences; this one is {entry!r}"
        )
    if not str(entry["reason"] or "").strip().endswith("."):
        raise WrongExplanations(
            f"{FILE.name}: {part}: no reason in a full sentence for {entry['differences']!r}"
        )
    if not isinstance(entry["differences"], list) or not entry["differences"]:
        raise WrongExplanations(
            f"{FILE.name}: {part}: the reason {entry['reason']!r} lists no differences"
        )
    return [str(pattern) for pattern in entry["differences"]]


def _fits(pattern: str, what: str) -> bool:
    """Compare by the text, where brackets mean themselves; only ``*`` stands for any text."""
    parts = (re.escape(part) for part in pattern.split("*"))
    return re.fullmatch(".*".join(parts), what, re.DOTALL) is not None
