"""Sources that stand alone, and those that do not."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import pytest

from gcompute import hardware_report
from gcompute.errors import SerializationError
from gcompute.serialize import (
    AllCodeStrategies,
    CombinedCode,
    PureSourceDill,
    PureSourceTextInspect,
    unpack_buffers,
)
from gcompute.serialize.sources import needs_its_module, source_by_dill, source_by_inspect


def plain(x: int) -> int:
    """Stand alone."""
    return x + 1


def uses_module(x: Any) -> str:
    """Use an import of this module."""
    return json.dumps(x)


def twice(function: Callable[[int], int]) -> Callable[[int], int]:
    """Decorate without hiding."""

    @functools.wraps(function)
    def wrapper(x: int) -> int:
        return function(function(x))

    return wrapper


@twice
def decorated(x: int) -> int:
    """Have a decorator that a source alone does not have."""
    return x + 1


class Holder:
    """Methods of every kind."""

    @staticmethod
    def static(x: int) -> int:
        """Stand alone, once the indentation is gone."""
        return x + 1

    def method(self, x: int) -> int:
        """Need the object."""
        return x


def closure(step: int) -> Callable[[int], int]:
    """Make a function that needs ``step``."""

    def inner(x: int) -> int:
        return x + step

    return inner


def nested() -> Callable[[int], int]:
    """Make a function that is indented, and needs nothing."""

    def inner(x: int) -> int:
        return x + 1

    return inner


_BY_BOTH = pytest.mark.parametrize("source_of", [source_by_inspect, source_by_dill])


@pytest.mark.parametrize(
    ("source_of", "function"),
    [
        (source_by_inspect, plain),
        (source_by_inspect, nested()),
        (source_by_inspect, Holder.static),
        (source_by_dill, plain),
        (source_by_dill, nested()),
    ],
)
def test_a_source_that_stands_alone_defines_its_name(
    source_of: Callable[[Any], tuple[str, str]], function: Callable[[int], int]
) -> None:
    """Run where nothing else is, it gives the function."""
    name, source = source_of(function)
    names: dict[str, Any] = {}
    exec(source, names)  # noqa: S102 - what endpoints do
    assert names[name](1) == 2


@_BY_BOTH
@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x, "no name that its source defines; use def"),
        (closure(1), "inner uses step of the function around it"),
        (decorated, "decorated with twice|source found for decorated does not define it"),
        (Holder().method, "a method has no source of its own"),
        (functools.partial(plain), "a partial has no source of its own"),
        (len, "a builtin_function_or_method has no source"),
    ],
)
def test_a_source_that_cannot_work_is_refused(
    source_of: Callable[[Any], tuple[str, str]], function: Any, message: str
) -> None:
    """Before it is sent, and with the reason."""
    with pytest.raises(SerializationError, match=message):
        source_of(function)


def test_a_source_that_defines_something_else_is_refused() -> None:
    """A function under a name that its source does not have."""

    def original() -> None: ...

    original.__name__ = "renamed"
    with pytest.raises(SerializationError, match="does not define it"):
        source_by_inspect(original)


@pytest.mark.parametrize(
    ("function", "needs"),
    [(uses_module, True), (plain, False), (nested(), False), (json.dumps, True), (len, False)],
)
def test_functions_that_need_their_module_are_known(function: Any, needs: bool) -> None:
    """They use names that only their module has, and can be imported from it."""
    assert needs_its_module(function) is needs


@pytest.mark.parametrize("combination", [AllCodeStrategies, CombinedCode])
def test_combinations_send_such_functions_by_reference(combination: Any) -> None:
    """Their source would load first, and fail when it is called."""
    text = combination().serialize(json.dumps)
    buffers = combination().split(text[3:])
    assert [buffer[:3] for buffer in buffers] == ["01\n"]


def test_combinations_leave_out_sources_that_cannot_work() -> None:
    """A closure goes as bytecode alone."""
    buffers = unpack_buffers(AllCodeStrategies().serialize(closure(1))[3:])
    assert [buffer[:3] for buffer in buffers] == ["01\n"]


@pytest.mark.parametrize("strategy", [PureSourceTextInspect, PureSourceDill])
def test_our_own_functions_bring_their_module_along(strategy: Any) -> None:
    """The hardware report has helpers; the word gcompute is in none of them."""
    text = strategy().serialize(hardware_report)
    assert text[3:].startswith("hardware_report:")
    assert "gcompute" not in text
    assert strategy().deserialize(text)("W").startswith("== W == == python: ")


@pytest.mark.parametrize(
    ("variation", "loads"), [(0, True), (1, True), (5, True), (6, False), (-1, False)]
)
def test_one_text_of_combined_code_can_be_asked_for(variation: int, loads: bool) -> None:
    """Counted from 1; 0 is the first that loads."""
    text = CombinedCode().serialize(plain)
    if loads:
        assert CombinedCode().deserialize(text, variation)(1) == 2
    else:
        with pytest.raises(Exception, match="is asked for, of 5"):
            CombinedCode().deserialize(text, variation)
