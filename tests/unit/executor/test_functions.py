"""The functions that an executor knows."""

from __future__ import annotations

import functools
import threading
import weakref
from typing import Any

import pytest

from gcompute.errors import SerializationError
from gcompute.executor import functions as functions_module
from gcompute.executor.functions import FunctionCache, FunctionReference
from gcompute.serialize import ComputeSerializer


class CountingSerializer(ComputeSerializer):
    """Counts what it serializes."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def serialize(self, data: Any) -> str:
        """Serialize and count."""
        self.count += 1
        return super().serialize(data)


def double(x: int) -> int:
    """Double."""
    return 2 * x


class Scaler:
    """A callable whose answer depends on its state."""

    def __init__(self, by: int) -> None:
        self.by = by

    def __call__(self, x: int) -> int:
        return self.by * x

    def scale(self, x: int) -> int:
        """Scale as a method."""
        return self.by * x


def test_a_function_is_serialized_once() -> None:
    """It is known by identity from then on."""
    cache, serializer = FunctionCache(), CountingSerializer()
    first = cache.find(double, serializer)
    assert cache.find(double, serializer) is first
    assert cache.known(double) is first
    assert serializer.count == 1
    assert first.name == "double"
    assert first.function_id is None
    assert first.registration is not None
    assert first.registration["function_name"] == "double"


def test_functions_of_the_same_source_are_two() -> None:
    """Each closure has its own values."""

    def adder(by: int) -> Any:
        return lambda x: x + by

    cache, serializer = FunctionCache(), ComputeSerializer()
    first, second = adder(1), adder(2)
    assert cache.find(first, serializer) is not cache.find(second, serializer)


def test_an_identity_is_never_taken_over() -> None:
    """A new function in the place of one that is gone is another one."""
    cache, serializer = FunctionCache(), ComputeSerializer()
    references = [cache.find(eval(f"lambda: {n}"), serializer) for n in range(50)]
    assert len({id(reference) for reference in references}) == 50


def test_a_function_that_is_made_again_is_the_same() -> None:
    """A lambda in a loop is a new one in each round, and registered once."""
    cache, serializer = FunctionCache(), ComputeSerializer()
    lambdas = [lambda x: x + 1 for _ in range(3)]
    first = cache.find(lambdas[0], serializer)
    assert [cache.find(function, serializer) for function in lambdas[1:]] == [first, first]
    first.registered("f-1")
    assert cache.find(lambdas[1], serializer).function_id == "f-1"


def test_a_function_that_is_gone_is_forgotten() -> None:
    """With all that it holds, and with its text once it is registered."""
    cache, serializer = FunctionCache(), CountingSerializer()

    def make() -> weakref.ref[Any]:
        held = "x" * 100_000
        function = lambda: len(held)  # noqa: E731
        reference = cache.find(function, serializer)
        assert cache.known(function) is reference
        reference.registered("f-1")
        assert reference.registration is None
        return weakref.ref(function)

    assert make()() is None
    assert cache._living == {}
    (remembered,) = cache._texts.items()
    assert len(remembered[0]) == 32


@pytest.mark.parametrize("by", ["text", "id"])
def test_functions_are_remembered_within_bounds(monkeypatch: pytest.MonkeyPatch, by: str) -> None:
    """The one that was used longest ago is forgotten first."""
    monkeypatch.setattr(functions_module, "_REMEMBERED", 2)
    cache, serializer = FunctionCache(), ComputeSerializer()

    def find(n: int) -> FunctionReference:
        return (
            cache.registered(str(n)) if by == "id" else cache.find(eval(f"lambda: {n}"), serializer)
        )

    first, second = find(1), find(2)
    assert find(1) is first
    find(3)
    assert find(1) is first
    assert find(2) is not second


def test_a_callable_that_cannot_be_watched_is_kept() -> None:
    """So that its identity stays its own."""

    class Slotted:
        __slots__ = ()

        def __call__(self) -> int:
            return 1

    cache = FunctionCache()
    reference = FunctionReference("slotted", function_id="f-1")
    slotted = Slotted()
    cache.remember(slotted, reference)
    assert cache.known(slotted) is reference
    del slotted
    assert all(cache.known(new) is None for new in [Slotted() for _ in range(50)])


@pytest.mark.parametrize("call", [lambda s: s, lambda s: s.scale, lambda s: functools.partial(s)])
def test_a_callable_that_changed_is_another_function(call: Any) -> None:
    """Objects, their methods and partials of them may change between two submits."""
    cache, serializer = FunctionCache(), ComputeSerializer()
    scaler = Scaler(2)
    first = cache.find(call(scaler), serializer)
    assert cache.find(call(scaler), serializer) is first
    scaler.by = 3
    assert cache.find(call(scaler), serializer) is not first


def test_what_was_remembered_is_not_serialized() -> None:
    """A function that is registered already is known by its id, also one that cannot be sent."""
    cache, serializer = FunctionCache(), CountingSerializer()
    stuck = (x for x in "text")

    def unserializable() -> object:
        return stuck

    reference = FunctionReference("mine", function_id="f-1")
    cache.remember(unserializable, reference)
    assert cache.known(unserializable) is reference
    assert cache.find(unserializable, serializer) is reference
    assert serializer.count == 0


def test_what_cannot_be_sent_is_not_remembered() -> None:
    """The next submit tries, and fails, again."""
    cache, serializer = FunctionCache(), ComputeSerializer()
    stuck = (x for x in "text")

    def unserializable() -> object:
        return stuck

    for _ in range(2):
        with pytest.raises(SerializationError):
            cache.find(unserializable, serializer)
    assert cache.known(unserializable) is None


def test_what_cannot_be_called_is_refused() -> None:
    """As by the client."""
    with pytest.raises(TypeError, match="a function is needed"):
        FunctionCache().find("double", ComputeSerializer())  # type: ignore[arg-type]


def test_threads_that_submit_a_new_function_share_its_reference() -> None:
    """Eight threads at once: one reference, hence one registration."""
    cache, serializer = FunctionCache(), ComputeSerializer()
    together = threading.Barrier(8)
    found: list[FunctionReference] = []

    def submit() -> None:
        together.wait(10)
        found.append(cache.find(double, serializer))

    threads = [threading.Thread(target=submit) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8
    assert len({id(reference) for reference in found}) == 1
