"""Which strategies are chosen for which versions, and what those for another Python send."""

from __future__ import annotations

import functools
import json
from typing import Any

import pytest

from gcompute import ShellFunction
from gcompute.errors import SerializationError
from gcompute.serialize import (
    AllCodeStrategies,
    ComputeSerializer,
    DillCode,
    DillDataBase64,
    PortableCode,
    PortableData,
    choose,
    official_path,
    unpack_buffers,
)
from gcompute.serialize.callables import callable_name, with_name
from tests.support.names import stable


def plain(x: int) -> int:
    """Stand alone."""
    return x + 1


async def asynchronous(x: int) -> int:
    """Stand alone, and be awaited."""
    return x + 1


class Point:
    """A class of the script: its instances carry bytecode if it is in ``__main__``."""


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (("3.11.7", "0.3.9"), ("3.11.7", "0.3.9")),
        (("3.11.7", "0.3.9"), ("3.11.2", "0.4.1")),
        (("3.11.7", "0.4.0"), ("3.11.0rc1", "0.3.6")),
        (("3.11.7", "0.4.0"), ("3.11", None)),
        (("3.11.7", "0.3.5"), ("3.11.7", "0.3.5")),
        (("3.11.7", "0.4.0"), (None, None)),
        (("3.11.7", "0.4.0"), ("", "unknown")),
        (("3.11.7", "0.4.0"), ("UnknownPy", "UnknownDill")),
        (("3.11.7", "0.4.0"), ("3", "0.4.0")),
    ],
)
def test_the_defaults_stay_where_nothing_speaks_against_them(
    here: tuple[str, str], there: tuple[Any, Any]
) -> None:
    """One minor version, or an endpoint that says nothing: the official defaults, no warning."""
    choice = choose(*here, *there)
    assert (type(choice.code), type(choice.data)) == (DillCode, DillDataBase64)
    assert choice.warning is None
    assert choice.reason


@pytest.mark.parametrize(
    ("here", "there", "named"),
    [
        (("3.11.7", "0.4.0"), ("3.12.7", "0.4.0"), "endpoint runs Python 3.12.7 and this is"),
        (("3.13.0", "0.4.0"), ("3.9.2", None), "endpoint runs Python 3.9.2 and this is"),
        (("3.11.7", "0.4.0"), ("4.11.7", "0.4.0"), "endpoint runs Python 4.11.7"),
        (("3.11.7", "0.4.0"), ("3.11.7", "0.3.5"), "endpoint has dill 0.3.5 and this is"),
        (("3.11.7", "0.3.4"), ("3.11.7", "0.4.0"), "endpoint has dill 0.4.0 and this is"),
    ],
)
def test_another_python_gets_no_bytecode(
    here: tuple[str, str], there: tuple[Any, Any], named: str
) -> None:
    """The warning says what differs, what would happen, and what survives it."""
    choice = choose(*here, *there)
    assert (type(choice.code), type(choice.data)) == (PortableCode, PortableData)
    assert choice.warning is not None
    assert named in choice.warning
    assert "gcompute.serialize.PortableCode (or AllCodeStrategies)" in choice.warning
    assert "Executor(serializer='auto')" in choice.warning
    serializer = ComputeSerializer(choice.code, choice.data)
    assert serializer.survives("3.11.7", "3.12.0")


@pytest.mark.parametrize(
    ("function", "identifiers"),
    [
        (plain, ["01\n", "st\n"]),
        (asynchronous, ["01\n", "st\n"]),
        (json.dumps, ["01\n"]),
        (len, ["01\n"]),
        (ShellFunction("echo {x}", walltime=1, quote=True), ["01\n"]),
    ],
    ids=stable,
)
def test_portable_code_goes_by_reference_and_as_source(
    function: Any, identifiers: list[str]
) -> None:
    """The official AllCodeStrategies reads it, taking the first that loads."""
    text = PortableCode().serialize(function)
    assert text.startswith("12\n")
    assert [buffer[:3] for buffer in unpack_buffers(text[3:])] == identifiers
    assert type(ComputeSerializer().deserialize(text)) is type(function)
    assert official_path(PortableCode) == official_path(AllCodeStrategies)


def test_portable_code_of_a_script_goes_as_source() -> None:
    """Nothing can refer to a function that is in no module."""

    def nested(x: int) -> int:
        return x + 1

    text = PortableCode().serialize(nested)
    assert [buffer[:3] for buffer in unpack_buffers(text[3:])] == ["st\n"]
    assert ComputeSerializer().deserialize(text)(1) == 2


def test_what_has_no_source_cannot_go_to_another_python() -> None:
    """The error says why there is none."""
    with pytest.raises(SerializationError, match=r"cannot run bytecode .* use def"):
        PortableCode().serialize(lambda x: x)


def test_portable_data_is_read_as_the_default() -> None:
    """Values and installed classes look as ever."""
    value = {"a": (1, {2}), "error": ValueError("x")}
    assert PortableData().serialize(value) == DillDataBase64().serialize(value)
    assert official_path(PortableData) == official_path(DillDataBase64)


@pytest.mark.parametrize("value", [[lambda: 1], type("Own", (), {"f": lambda self: 1})()])
def test_portable_data_refuses_code(value: Any) -> None:
    """A class or function of the script would be bytecode."""
    with pytest.raises(SerializationError, match="the endpoint's Python cannot run"):
        PortableData().serialize(value)


class Successor:
    """A callable object."""

    def __call__(self, x: int) -> int:
        return x + 1


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (plain, "plain"),
        (__import__("functools").partial(plain), "plain"),
        (functools.partial(functools.partial(Successor())), "Successor"),
        (Successor(), "Successor"),
        (ShellFunction("a", name="listing"), "listing"),
    ],
)
def test_callables_without_a_name_get_one(function: Any, name: str) -> None:
    """The official worker asks for it, and fails without; the user's object is left alone."""
    named: Any = with_name(function)
    assert named.__name__ == callable_name(function) == name
    loaded = ComputeSerializer().deserialize(ComputeSerializer().serialize(function))
    assert loaded.__name__ == name
    assert "__name__" not in getattr(function, "__dict__", {}) or named is function
