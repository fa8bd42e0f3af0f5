"""The strategies of the wire: identifiers, layout, round trips, and what is no text of theirs."""

from __future__ import annotations

import base64
import json
import pickle
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.errors import DeserializationError, SerializationError
from gcompute.serialize import (
    AllCodeStrategies,
    AllDataStrategies,
    CombinedCode,
    ComputeSerializer,
    DillCode,
    DillCodeSource,
    DillCodeTextInspect,
    DillDataBase64,
    JSONData,
    PureSourceDill,
    PureSourceTextInspect,
    SerializationStrategy,
    unpack_buffers,
)
from gcompute.serialize.strategies import PickleCode


def colons(x: int) -> dict[str, Any]:
    """A source with what separates texts: colons, "04\\n:", 01:, 'st\\n:'."""
    table: dict[str, Any] = {"a:b": x, "sd\n:": lambda y: y + x}
    return {"x": table["a:b"], "y": table["sd\n:"](1), "slice": [1, 2, 3][0:2]}


CODE: list[type[SerializationStrategy]] = [
    DillCode,
    DillCodeTextInspect,
    DillCodeSource,
    PureSourceTextInspect,
    PureSourceDill,
    CombinedCode,
    AllCodeStrategies,
]

_plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
_anything = st.recursive(
    _plain | st.binary() | st.complex_numbers(allow_nan=False) | st.frozensets(st.integers()),
    lambda inner: st.tuples(inner, inner) | st.dictionaries(st.integers(), inner, max_size=3),
    max_leaves=10,
)


@pytest.mark.parametrize(
    ("strategy", "identifier", "for_code"),
    [
        (DillDataBase64, "00", False),
        (JSONData, "11", False),
        (AllDataStrategies, "13", False),
        (DillCode, "01", True),
        (PickleCode, "02", True),
        (DillCodeTextInspect, "03", True),
        (DillCodeSource, "04", True),
        (PureSourceTextInspect, "st", True),
        (PureSourceDill, "sd", True),
        (CombinedCode, "10", True),
        (AllCodeStrategies, "12", True),
    ],
)
def test_identifiers_and_kinds_are_those_of_the_wire(
    strategy: type[SerializationStrategy], identifier: str, for_code: bool
) -> None:
    """Each strategy has the documented identifier and kind, and is found by it."""
    assert strategy.identifier == identifier + "\n"
    assert strategy.for_code is for_code
    assert type(SerializationStrategy.find(identifier + "\n")) is strategy


@pytest.mark.parametrize("strategy", CODE)
def test_a_function_survives(strategy: type[SerializationStrategy]) -> None:
    """A function with colons and identifiers in its source computes the same after the trip."""
    text = strategy().serialize(colons)
    assert text.startswith(strategy.identifier)
    loaded: Callable[[int], dict[str, Any]] = ComputeSerializer().deserialize(text)
    assert loaded(3) == {"x": 3, "y": 4, "slice": [1, 2]}


@given(_anything)
def test_dill_data_survives(value: Any) -> None:
    """Values of any built-in type come back equal and of the same type."""
    loaded = DillDataBase64().deserialize(DillDataBase64().serialize(value))
    assert loaded == value
    assert type(loaded) is type(value)


@given(_plain)
def test_json_data_survives(value: Any) -> None:
    """What JSON can say comes back equal."""
    assert JSONData().deserialize(JSONData().serialize(value)) == value


@given(_anything)
def test_all_data_strategies_read_what_they_wrote(value: Any) -> None:
    """The combination gives the value again, or what JSON makes of it where that can write it."""
    loaded = AllDataStrategies().deserialize(AllDataStrategies().serialize(value))
    try:
        plain = json.loads(json.dumps(value))
    except TypeError:
        plain = value
    assert loaded in (value, plain)


@pytest.mark.parametrize("size", [0, 1, 55, 56, 57, 58, 113, 114, 115, 1000])
def test_base64_has_lines_of_76_characters(size: int) -> None:
    """As the official package writes it: a newline after each 76 characters and at the end."""
    text = DillDataBase64().serialize(b"x" * size)
    payload = text.removeprefix("00\n")
    assert payload == base64.encodebytes(base64.b64decode(payload)).decode("ascii")


@pytest.mark.parametrize("strategy", [DillDataBase64, DillCode])
def test_base64_is_read_without_newlines(strategy: type[SerializationStrategy]) -> None:
    """Others write one long line."""
    head, _, payload = strategy().serialize(colons).partition("\n")
    joined = f"{head}\n{payload.replace(chr(10), '')}"
    assert ComputeSerializer().deserialize(joined)(1)["x"] == 1


def test_source_strategies_write_name_colon_source() -> None:
    """The worker splits at the first colon."""
    for strategy in (PureSourceTextInspect(), PureSourceDill()):
        payload = strategy.serialize(colons).removeprefix(strategy.identifier)
        name, source = payload.split(":", 1)
        assert name == "colons"
        assert source.startswith("def colons(x: int)")


def test_dill_source_removes_indentation() -> None:
    """A function that is defined inside another can be sent by its source."""

    def inner(x: int) -> int:
        return x + 1

    assert PureSourceDill().deserialize(PureSourceDill().serialize(inner))(1) == 2


def test_combined_code_has_pairs_joined_by_colons() -> None:
    """The layout is ``id:payload:id:payload``, in the official order; base64 texts come first."""
    text = CombinedCode().serialize(colons)
    parts = CombinedCode().split(text.removeprefix("10\n"))
    assert [part[:3] for part in parts] == ["04\n", "01\n", "03\n", "sd\n", "st\n"]
    assert parts[0] == DillCodeSource().serialize(colons)
    assert parts[1] == DillCode().serialize(colons)
    # What the official reader sees: it splits at every colon and takes pairs.
    pieces = text.removeprefix("10\n").split(":")
    assert [head + body for head, body in zip(pieces[0:6:2], pieces[1:6:2], strict=True)] == (
        parts[:3]
    )


def test_all_code_strategies_pack_source_first() -> None:
    """A worker tries the sources before the bytecode, which another Python cannot run."""
    buffers = unpack_buffers(AllCodeStrategies().serialize(colons).removeprefix("12\n"))
    assert [buffer[:3] for buffer in buffers] == ["st\n", "sd\n", "01\n"]


def test_combinations_leave_out_what_does_not_work() -> None:
    """A function without source still goes as bytecode."""
    namespace: dict[str, Any] = {}
    exec("def sourceless(x): return x * 2", namespace)  # noqa: S102 - has no source file
    for strategy in (CombinedCode(), AllCodeStrategies()):
        assert strategy.deserialize(strategy.serialize(namespace["sourceless"]))(4) == 8


def test_pickle_code_is_read_but_not_written() -> None:
    """What was registered long ago still loads; nothing new is written that way."""
    text = "02\n" + base64.encodebytes(pickle.dumps(len)).decode()
    assert ComputeSerializer().deserialize(text) is len
    with pytest.raises(SerializationError, match="PickleCode can only be read"):
        PickleCode().serialize(len)


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "0",
        "00",
        "00\n",
        "00\n!!!!",
        "00\nabc",
        "00\nYWJj",
        "00\nü",
        "01\nAAAA",
        "02\nAAAA",
        "03\nAAAA",
        "04\n" + base64.b64encode(pickle.dumps(7)).decode(),
        "04\n" + base64.b64encode(pickle.dumps(("f", "def g(): pass"))).decode(),
        "11\n",
        "11\n{",
        "11\n" + "[" * 200_000,
        "13\n",
        "13\n5\n11\n{",
        "13\n-1\n",
        "12\nx",
        "10\n",
        "10\n04\n:AAAA",
        "10\nrubbish",
        "st\n",
        "st\nno colon",
        "st\nf:def g(): pass",
        "st\nf:this is no Python",
        "sd\nf:raise ValueError('at import')",
        "zz\nunknown",
        "\n\n\n",
    ],
)
def test_texts_of_nobody_are_refused(payload: str) -> None:
    """Whatever is wrong with a text, it is a DeserializationError that says so briefly."""
    with pytest.raises(DeserializationError) as caught:
        ComputeSerializer().deserialize(payload)
    assert 0 < len(str(caught.value)) < 1000


@given(st.sampled_from(["11", "st", "13", "12", "10", "zz"]), st.text())
def test_any_text_loads_or_is_refused(identifier: str, payload: str) -> None:
    """Nothing but DeserializationError comes out of texts that contain no code."""
    try:
        ComputeSerializer().deserialize(f"{identifier}\n{payload.replace(':', '')}")
    except DeserializationError as error:
        assert error.reason  # noqa: PT017 - either outcome is right
