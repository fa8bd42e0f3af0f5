"""Where two values of JSON differ, field by field. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Any


class Absent(Enum):
    """Stands for what is not there, and equals no value of JSON."""

    ABSENT = "nothing"

    def __repr__(self) -> str:
        """Give what reports print."""
        return str(self.value)


ABSENT = Absent.ABSENT


def differences(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Give each place where two values differ, with what each has there."""
    if isinstance(one, dict) and isinstance(other, dict):
        for key in dict.fromkeys([*one, *other]):
            inner = f"{path}.{key}" if path else str(key)
            yield from differences(one.get(key, ABSENT), other.get(key, ABSENT), inner)
    elif _sequences(one, other) and len(one) == len(other):
        for index, (mine, theirs) in enumerate(zip(one, other, strict=True)):
            yield from differences(mine, theirs, f"{path}[{index}]")
    elif type(one) is not type(other) or one != other:
        yield path, one, other


def _sequences(one: Any, other: Any) -> bool:
    return isinstance(one, list | tuple) and type(one) is type(other)
