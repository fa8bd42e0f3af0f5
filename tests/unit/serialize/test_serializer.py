"""Choosing strategies, and saying whose fault it is when one fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.errors import DeserializationError, SerdeError, SerializationError
from gcompute.serialize import (
    AllCodeStrategies,
    AllDataStrategies,
    ComputeSerializer,
    DillCode,
    DillDataBase64,
    JSONData,
    PureSourceTextInspect,
    SerializationStrategy,
    Strategylike,
    find_strategy,
    pack_buffers,
    unpack_buffers,
)
from gcompute.serialize.serializer import official_path


def add(x: int, y: int = 0) -> int:
    """Add."""
    return x + y


class Adder:
    """A callable object."""

    def __call__(self, x: int) -> int:
        return x + 1


class NoRepr:
    """Cannot be described, nor sent."""

    def __repr__(self) -> str:
        raise RuntimeError("no repr")

    def __reduce__(self) -> str:
        raise TypeError("not to be pickled")


@pytest.mark.parametrize(
    "named",
    [
        JSONData,
        JSONData(),
        "gcompute.serialize.JSONData",
        "gcompute.serialize.strategies.JSONData",
        "globus_compute_sdk.serialize.JSONData",
        "globus_compute_sdk.serialize.concretes.JSONData",
    ],
)
def test_a_strategy_is_found_by_instance_class_and_path(named: Strategylike) -> None:
    """Official import paths mean our strategy of the same name."""
    assert type(find_strategy(named)) is JSONData


@pytest.mark.parametrize(
    "named",
    [
        "",
        "JSONData",
        ".JSONData",
        ".serialize.JSONData",
        "..",
        "no.such.module.JSONData",
        "gcompute.serialize.NoSuchStrategy",
        "gcompute.serialize.pack_buffers",
        "globus_compute_sdk.serialize.concretes.json",
        "globus_compute_sdk.serialize.NoSuchStrategy",
        "json.dumps",
        SerializationStrategy,
        "gcompute.serialize.SerializationStrategy",
        int,
        7,
        None,
        object(),
    ],
)
def test_what_names_no_strategy_is_refused(named: Any) -> None:
    """Every kind of mistake is a SerdeError that quotes what was given."""
    with pytest.raises(SerdeError) as caught:
        find_strategy(named)
    assert str(getattr(named, "__name__", named)) in str(caught.value)


def test_a_strategy_of_the_other_kind_is_refused() -> None:
    """The error says which kind it is and which is needed."""
    with pytest.raises(SerdeError, match="JSONData is for data; a strategy for callables"):
        ComputeSerializer(strategy_code=JSONData)
    with pytest.raises(SerdeError, match="DillCode is for callables; a strategy for data"):
        ComputeSerializer(strategy_data=DillCode())


def test_callables_and_data_go_by_their_own_strategies() -> None:
    """What can be called is code, all else is data."""
    serializer = ComputeSerializer(PureSourceTextInspect, JSONData)
    assert serializer.serialize(add).startswith("st\n")
    assert serializer.serialize({"a": 1}) == '11\n{"a": 1}'
    assert ComputeSerializer().serialize(Adder()).startswith("01\n")
    assert ComputeSerializer().serialize(Adder).startswith("01\n")
    assert ComputeSerializer().serialize([add]).startswith("00\n")


def test_an_unserializable_value_is_named() -> None:
    """The error has the strategy, the value and the reason, and the cause."""
    with pytest.raises(SerializationError, match="DillDataBase64 cannot serialize the value") as e:
        ComputeSerializer().serialize(NoRepr())
    assert "(no repr) (NoRepr)" in str(e.value)
    assert "not to be pickled" in str(e.value)
    assert isinstance(e.value.__cause__, TypeError)


def test_a_huge_value_is_described_briefly() -> None:
    """A megabyte of argument does not become a megabyte of message."""
    with pytest.raises(SerializationError) as caught:
        ComputeSerializer().pack_arguments(([*range(100_000), NoRepr()],), {})
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("args", "kwargs", "blamed"),
    [
        ((1, NoRepr(), 3), {}, "argument 1"),
        ([NoRepr()], {}, "argument 0"),
        ((), {"good": 1, "bad": NoRepr()}, "argument 'bad'"),
        ((1, [2, {"deep": NoRepr()}]), {"x": 1}, "argument 1"),
        ((NoRepr(),), {"bad": NoRepr()}, "argument 0"),
    ],
)
def test_the_argument_at_fault_is_named(
    args: tuple[Any, ...], kwargs: dict[str, Any], blamed: str
) -> None:
    """The error names the first argument that cannot be sent, by position or keyword."""
    with pytest.raises(SerializationError, match=f"cannot serialize {blamed}, "):
        ComputeSerializer().pack_arguments(args, kwargs)


def test_blame_is_for_the_strategy_in_use() -> None:
    """What JSON cannot say is at fault only where JSON is used."""
    with pytest.raises(SerializationError, match="JSONData cannot serialize argument 1"):
        ComputeSerializer(strategy_data=JSONData).pack_arguments((1, {2}), {})
    assert ComputeSerializer().pack_arguments((1, {2}), {})


def test_arguments_are_packed_as_args_and_kwargs() -> None:
    """Two buffers, each with its identifier."""
    packed = ComputeSerializer(strategy_data=JSONData).pack_arguments([1, 2], {"y": 3})
    assert unpack_buffers(packed) == ["11\n[1, 2]", '11\n{"y": 3}']


@pytest.mark.parametrize("code", [DillCode, PureSourceTextInspect, AllCodeStrategies])
@pytest.mark.parametrize("data", [DillDataBase64, JSONData, AllDataStrategies])
def test_a_call_survives_both_strategies(
    code: type[SerializationStrategy], data: type[SerializationStrategy]
) -> None:
    """check_strategies gives back a function and arguments that compute the same."""
    function, args, kwargs = ComputeSerializer(code, data).check_strategies(add, 1, y=2)
    assert function(*args, **kwargs) == 3


@pytest.mark.parametrize("count", [0, 1, 2, 4])
def test_a_task_has_three_buffers(count: int) -> None:
    """Fewer or more are refused, with the number."""
    with pytest.raises(DeserializationError, match=f"this one has {count}"):
        ComputeSerializer().unpack_and_deserialize(pack_buffers(["11\n1"] * count))


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_a_buffer_that_does_not_load_is_refused(broken: int) -> None:
    """Each of the three is checked."""
    call: tuple[Any, ...] = (add, (1,), {})
    buffers = [ComputeSerializer().serialize(part) for part in call]
    buffers[broken] = "zz\nrubbish"
    with pytest.raises(DeserializationError, match="no known strategy"):
        ComputeSerializer().unpack_and_deserialize(pack_buffers(buffers))


def test_packing_is_offered_as_methods() -> None:
    """As the official serializer has it."""
    serializer = ComputeSerializer()
    assert serializer.unpack_buffers(serializer.pack_buffers(["a", "b"])) == ["a", "b"]


@given(st.text())
def test_an_unknown_text_is_refused_with_its_start(payload: str) -> None:
    """A text of no known strategy says so, briefly."""
    text = f"??\n{payload}"
    with pytest.raises(DeserializationError, match="no known strategy") as caught:
        ComputeSerializer().deserialize(text)
    assert len(str(caught.value)) < 200


def test_the_first_strategy_that_can_serializes() -> None:
    """Strategies are tried in order; paths are the official ones, as they travel."""
    paths = [
        "globus_compute_sdk.serialize.concretes.JSONData",
        "globus_compute_sdk.serialize.DillDataBase64",
    ]
    assert ComputeSerializer.serialize_from_list([1], paths) == "11\n[1]"
    assert ComputeSerializer.serialize_from_list({1}, paths).startswith("00\n")


@pytest.mark.parametrize(("value", "identifier"), [([1], "00\n"), (add, "01\n")])
def test_no_strategies_mean_the_defaults(value: Any, identifier: str) -> None:
    """An empty list falls back to dill, for data and for callables."""
    assert ComputeSerializer.serialize_from_list(value, []).startswith(identifier)


def test_a_list_of_which_nothing_works_says_what_each_says() -> None:
    """Unknown strategies, strategies of the other kind, and failures are all named."""
    with pytest.raises(SerializationError) as caught:
        ComputeSerializer.serialize_from_list({1}, ["no.Such", DillCode, JSONData])
    for part in ("no.Such", "DillCode is for callables", "set is not JSON serializable"):
        assert part in str(caught.value)
    assert isinstance(caught.value.__cause__, ExceptionGroup)
    assert len(caught.value.__cause__.exceptions) == 3


@pytest.mark.parametrize(
    "named",
    [
        AllDataStrategies,
        AllDataStrategies(),
        "gcompute.serialize.AllDataStrategies",
        "gcompute.serialize.strategies.AllDataStrategies",
        "globus_compute_sdk.serialize.concretes.AllDataStrategies",
    ],
)
def test_ours_travel_by_their_official_path(named: Strategylike) -> None:
    """An endpoint has the official package and not this one."""
    assert official_path(named) == "globus_compute_sdk.serialize.concretes.AllDataStrategies"


def test_a_foreign_path_travels_as_it_is() -> None:
    """It need not be importable here, only at the endpoint."""
    assert official_path("their_site.strategies.Zarr") == "their_site.strategies.Zarr"


def test_a_class_of_the_users_travels_by_its_own_path() -> None:
    """Module and qualified name."""

    class Mine(JSONData):
        pass

    assert official_path(Mine).endswith(
        "test_a_class_of_the_users_travels_by_its_own_path.<locals>.Mine"
    )


@pytest.mark.parametrize("named", [int, 7, "gcompute.serialize.NoSuch"])
def test_what_is_no_strategy_does_not_travel(named: Any) -> None:
    """A mistake is found here and not at the endpoint."""
    with pytest.raises(SerdeError):
        official_path(named)


def test_a_serializer_is_shared_by_threads() -> None:
    """Eight threads serialize and load at once, each getting its own."""
    serializer = ComputeSerializer()
    wrong: list[object] = []

    def turn(number: int) -> Callable[[], None]:
        def run() -> None:
            for _ in range(50):
                value = serializer.deserialize(serializer.serialize((number, "x" * 100)))
                if value != (number, "x" * 100):
                    wrong.append(value)

        return run

    threads = [threading.Thread(target=turn(n)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
