"""Serialized values by what they mean."""

from __future__ import annotations

import base64
import collections
import functools
import types
from collections.abc import Callable

import dill
import pytest

from gcompute.serialize import ComputeSerializer, pack_buffers
from tools.recording.functions import function
from tools.recording.meaning import meaning

SERIALIZER = ComputeSerializer()


def _pickled(value: object, protocol: int) -> str:
    return f"00\n{base64.b64encode(dill.dumps(value, protocol=protocol)).decode()}"


def test_other_bytes_of_a_value_mean_the_same() -> None:
    """As another release of dill, or another protocol, may write them."""
    value = ({"a": [1, 2.5]}, {3, 4}, None)
    assert meaning(_pickled(value, 2)) == meaning(_pickled(value, 4))


@pytest.mark.parametrize(
    "other", [(1, "a"), [1, "b"], [True, "a"], [1.0, "a"], [1, "a", None], {"x": [1, "a"]}]
)
def test_other_values_mean_something_else(other: object) -> None:
    """Also where Python calls them equal."""
    assert meaning(_pickled([1, "a"], 4)) != meaning(_pickled(other, 4))


def test_a_function_is_what_it_computes() -> None:
    """Not where it comes from; its code, name, defaults and docstring count."""
    text = SERIALIZER.serialize(function("add"))
    assert meaning(text) == meaning(SERIALIZER.serialize(function("add")))
    assert meaning(text) != meaning(SERIALIZER.serialize(function("double")))
    changed = function("add")
    changed.__defaults__ = (11,)
    assert meaning(text) != meaning(SERIALIZER.serialize(changed))


class _Slotted:
    __slots__ = ("a",)

    def __init__(self, a: int) -> None:
        self.a = a


@pytest.mark.parametrize(
    "make",
    [ValueError, lambda a: functools.partial(int, a), lambda a: collections.Counter([a]), _Slotted],
)
def test_an_object_is_what_it_is_made_of(make: Callable[[int], object]) -> None:
    """Also what is in no attribute of it."""
    assert meaning(_pickled(make(1), 4)) == meaning(_pickled(make(1), 4))
    assert meaning(_pickled(make(1), 4)) != meaning(_pickled(make(2), 4))


def _using(value: int) -> types.FunctionType:
    namespace = {"__name__": "__main__", "LIMIT": value}
    exec("def least(x):\n    return min(x, LIMIT, key=lambda y: y or least(1))", namespace)  # noqa: S102  # as scripts are
    made = namespace["least"]
    assert isinstance(made, types.FunctionType)
    return made


def test_a_function_is_also_what_it_finds_outside() -> None:
    """A name of its script with another value makes it another function."""
    one, same, other = (
        f"01\n{base64.b64encode(dill.dumps(_using(value), recurse=True)).decode()}"
        for value in (1, 1, 2)
    )
    assert meaning(one) == meaning(same)
    assert meaning(one) != meaning(other)


def test_packed_values_are_told_one_by_one() -> None:
    """With their strategies."""
    packed = pack_buffers([_pickled(1, 4), "11\n1"])
    assert meaning(packed) == ("packed", ("00", ("int", "1")), ("11", ("int", "1")))


@pytest.mark.parametrize("text", ["", "x", "4.19.0", "3\nab", "2026-01-01", "12 apples"])
def test_another_text_is_itself(text: str) -> None:
    """Also one that begins as packed values do."""
    assert meaning(text) == text


def test_what_cannot_be_loaded_is_its_text() -> None:
    """So it equals nothing else."""
    assert meaning("00\n!!!") == ("unreadable", "00\n!!!")


def test_bytecode_of_another_python_is_its_strategy() -> None:
    """It cannot be loaded here; a value can."""
    text = SERIALIZER.serialize(function("add"))
    assert meaning(text, "3.5.1") == ("bytecode of another Python", "01")
    assert meaning(_pickled(1, 4), "3.5.1") == meaning(_pickled(1, 4))
