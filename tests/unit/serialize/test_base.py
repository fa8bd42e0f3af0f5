"""What holds for every serialization strategy, and for those that users write."""

from __future__ import annotations

from typing import Any

import pytest

from gcompute.errors import DeserializationError, SerializationError
from gcompute.serialize import (
    AllDataStrategies,
    ComboSerializationStrategy,
    ComputeSerializer,
    JSONData,
    SerializationStrategy,
)


@pytest.fixture(autouse=True)
def _own_registry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget the strategies that a test defines."""
    monkeypatch.setattr(SerializationStrategy, "_registry", dict(SerializationStrategy._registry))


def _define(name: str, identifier: str) -> type[SerializationStrategy]:
    def serialize(self: SerializationStrategy, data: Any) -> str:
        return self.identifier + str(data)

    def deserialize(self: SerializationStrategy, payload: str) -> Any:
        return self.chomp(payload)

    return type(
        name,
        (SerializationStrategy,),
        {
            "identifier": identifier,
            "for_code": False,
            "serialize": serialize,
            "deserialize": deserialize,
        },
    )


def test_a_strategy_of_ones_own_writes_and_is_read() -> None:
    """Defining the class is all: it can be chosen, and its texts are read."""
    own = _define("Own", "xy\n")
    text = ComputeSerializer(strategy_data=own).serialize("value")
    assert text == "xy\nvalue"
    assert ComputeSerializer().deserialize(text) == "value"


@pytest.mark.parametrize("identifier", ["", "x", "xy", "xyz", "xyz\n", "x\n", "\n\nx"])
def test_an_identifier_is_two_characters_and_a_newline(identifier: str) -> None:
    """Anything else is refused when the class is defined, by name."""
    with pytest.raises(ValueError, match=r"Wrong\.identifier must be two characters and a newline"):
        _define("Wrong", identifier)


def test_an_identifier_is_taken_once() -> None:
    """A second strategy with a known identifier is refused, and the first keeps reading."""
    with pytest.raises(ValueError, match=r"'00\\n' of Thief is already used by DillDataBase64"):
        _define("Thief", "00\n")
    assert type(SerializationStrategy.find("00\n")).__name__ == "DillDataBase64"


def test_a_class_may_be_defined_again() -> None:
    """Running a notebook's cell twice replaces the strategy."""
    first = _define("Own", "xy\n")
    again = _define("Own", "xy\n")
    assert first is not again
    assert type(SerializationStrategy.find("xy\n")) is again


def test_a_subclass_without_an_identifier_writes_as_its_parent() -> None:
    """A variant of a strategy is read by the strategy itself."""

    class Compact(JSONData):
        pass

    assert type(SerializationStrategy.find("11\n")) is JSONData
    assert ComputeSerializer(strategy_data=Compact).serialize([1]) == "11\n[1]"


def test_chomp_refuses_another_strategys_text() -> None:
    """The error says what was expected and what came."""
    with pytest.raises(DeserializationError, match=r"JSONData reads .*'11\\n', not with '00\\n'"):
        JSONData().deserialize("00\nabc")


class _Unserializable:
    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __reduce__(self) -> str:
        raise TypeError("never")


def test_a_combination_that_cannot_write_says_what_each_says() -> None:
    """The error has the failure of each strategy as its cause, whatever the value's repr does."""
    with pytest.raises(SerializationError, match="none of JSONData, DillDataBase64") as caught:
        AllDataStrategies().serialize(_Unserializable())
    cause = caught.value.__cause__
    assert isinstance(cause, ExceptionGroup)
    assert len(cause.exceptions) == 2


def test_a_combination_writes_what_works() -> None:
    """A strategy that cannot handle the value is left out."""
    text = AllDataStrategies().serialize({1, 2})
    assert "11\n" not in text
    assert AllDataStrategies().deserialize(text) == {1, 2}


def test_a_combination_reads_the_first_that_loads() -> None:
    """A broken text, and one of an unknown strategy, are passed over."""
    combined = AllDataStrategies()
    buffers = ["zz\nunknown", "11\n{broken", "11\n[1]", "11\n[2]"]
    assert combined.deserialize("13\n" + combined.join(buffers)) == [1]


@pytest.mark.parametrize("buffers", [[], ["zz\nunknown"], ["11\n{", "00\n!!"]])
def test_a_combination_of_which_nothing_loads_is_refused(buffers: list[str]) -> None:
    """The error names the combination."""
    combined: ComboSerializationStrategy = AllDataStrategies()
    with pytest.raises(DeserializationError, match="AllDataStrategies"):
        combined.deserialize("13\n" + combined.join(buffers))
