"""A command that cannot run is found before it is sent."""

from __future__ import annotations

from typing import Any

import pytest

from gcompute import MPIFunction, ShellFunction
from gcompute.errors import ComputeError
from gcompute.functions import MissingPlaceholder, check_call
from gcompute.functions.arguments import placeholders


@pytest.mark.parametrize(
    ("template", "names"),
    [
        ("", []),
        ("echo", []),
        ("{a} {b} {a}", ["a", "b", "a"]),
        ("{a.b} {c[0]} {d!r:>4}", ["a", "c", "d"]),
        ("{a:{width}}", ["a", "width"]),
        ("{{a}} ${{b}}", []),
        ("{} {0}", ["", "0"]),
        ("awk '{print $1}'", ["print $1"]),
    ],
)
def test_placeholders_are_those_that_format_asks_for(template: str, names: list[str]) -> None:
    """Attributes, items, conversions and nested specifications do not count."""
    assert list(placeholders(template)) == names


@pytest.mark.parametrize("kind", [ShellFunction, MPIFunction])
@pytest.mark.parametrize(
    ("command", "values", "missing"),
    [
        ("echo {a} {b} {a}", {}, ["a", "b"]),
        ("echo {a} {b}", {"a": 1}, ["b"]),
        ("echo {}", {"a": 1}, [""]),
        ("awk '{print $1}'", {}, ["print $1"]),
    ],
)
def test_a_missing_value_is_named(
    kind: type[ShellFunction], command: str, values: dict[str, Any], missing: list[str]
) -> None:
    """By a check before the submit, and by the call; the way out is in the message."""
    with pytest.raises(MissingPlaceholder, match="literal=True") as caught:
        check_call(kind(command), (), values)
    assert caught.value.missing == missing
    assert "{" + missing[0] + "}" in str(caught.value)
    with pytest.raises(KeyError):
        kind(command)(**values)
    assert isinstance(caught.value, ComputeError)


@pytest.mark.parametrize("command", ["echo {", "echo }", "echo {a!}", "{a"])
def test_braces_that_do_not_match_are_named(command: str) -> None:
    """The command is in the message, and so is the way out."""
    with pytest.raises(ValueError, match="literal=True") as caught:
        check_call(ShellFunction(command))
    assert repr(command) in str(caught.value)


def test_commands_take_keyword_arguments_only() -> None:
    """The check says what the call would say at the endpoint."""
    with pytest.raises(TypeError, match="positional argument"):
        check_call(ShellFunction("echo {a}"), (1,))


def test_a_complete_call_passes() -> None:
    """More values than placeholders are fine; literal commands have none."""
    check_call(ShellFunction("echo {a}"), (), {"a": 1, "unused": 2})
    check_call(ShellFunction("awk '{print}' {", literal=True))


@pytest.mark.parametrize("function", [len, lambda x: x, str, ShellFunction])
def test_other_functions_are_not_checked(function: Any) -> None:
    """Their arguments are their own business."""
    check_call(function, (1, 2, 3), {"a": 1})
