"""What is posted to register a function."""

from __future__ import annotations

import functools
import json
import platform
import uuid
from typing import Any

import pytest

from gcompute.errors import SerializationError, TaskTooLarge
from gcompute.registration import function_name, function_registration
from gcompute.serialize import ComputeSerializer, PureSourceTextInspect, unpack_buffers

GROUP = "30000000-0000-4000-8000-000000000003"


def scale(x: int, by: int = 2) -> int:
    """Scale a number.

    By two, unless told otherwise.
    """
    return x * by


class Scaler:
    """Scales by a fixed number."""

    def __init__(self, by: int) -> None:
        self.by = by

    def __call__(self, x: int) -> int:
        """Scale one number."""
        return x * self.by

    def method(self, x: int) -> int:
        """Scale as a method."""
        return x * self.by


def _register(function: Any, **options: Any) -> dict[str, Any]:
    return function_registration(function, ComputeSerializer(), **options)


def test_the_body_is_that_of_the_contract() -> None:
    """Name, packed code, metadata and the docstring; nothing that was not asked for."""
    body = _register(scale)
    assert set(body) == {"function_name", "function_code", "serialized", "meta", "description"}
    assert body["function_name"] == "scale"
    assert body["serialized"] is True
    assert body["description"] == "Scale a number.\n\nBy two, unless told otherwise."
    assert body["meta"] == {
        "python_version": platform.python_version(),
        "sdk_version": "4.19.0",
        "serde_identifier": "01",
    }
    json.dumps(body)


def test_the_strategy_is_named_by_its_two_characters() -> None:
    """Without the newline."""
    body = function_registration(scale, ComputeSerializer(strategy_code=PureSourceTextInspect))
    assert body["meta"]["serde_identifier"] == "st"


@pytest.mark.parametrize(
    ("function", "name", "result"),
    [
        (scale, "scale", 6),
        (lambda x: x + 1, "<lambda>", 4),
        (functools.partial(scale, by=5), "scale", 15),
        (functools.partial(functools.partial(scale, by=5), by=7), "scale", 21),
        (Scaler(4), "Scaler", 12),
        (Scaler(4).method, "method", 12),
        (functools.partial(Scaler(4)), "Scaler", 12),
        (abs, "abs", 3),
        (str, "str", "3"),
    ],
    ids=[
        "function",
        "lambda",
        "partial",
        "partial of partial",
        "object",
        "method",
        "partial of object",
        "builtin",
        "class",
    ],
)
def test_every_kind_of_callable_can_be_registered(function: Any, name: str, result: object) -> None:
    """It gets a name, and computes the same when it is loaded."""
    body = _register(function)
    assert body["function_name"] == function_name(function) == name
    (code,) = unpack_buffers(body["function_code"])
    assert ComputeSerializer().deserialize(code)(3) == result


@pytest.mark.parametrize(
    ("function", "description"),
    [
        (functools.partial(scale, by=5), "Scale a number.\n\nBy two, unless told otherwise."),
        (functools.partial(functools.partial(Scaler(4))), "Scales by a fixed number."),
        (Scaler(4), "Scales by a fixed number."),
        (Scaler(4).method, "Scale as a method."),
    ],
    ids=["partial", "partial of object", "object", "method"],
)
def test_the_docstring_is_the_functions_own(function: Any, description: str) -> None:
    """A partial is described by what it calls, not by what a partial is."""
    assert _register(function)["description"] == description


def test_a_description_wins_over_the_docstring() -> None:
    """Also an empty one, which says nothing."""
    assert _register(scale, description="mine")["description"] == "mine"
    assert "description" not in _register(scale, description="")
    assert "description" not in _register(lambda: None)


def test_metadata_replaces_values() -> None:
    """The rest of the metadata stays."""
    meta = _register(scale, metadata={"python_version": "3.9.1", "mine": 1})["meta"]
    assert meta["python_version"] == "3.9.1"
    assert meta["mine"] == 1
    assert meta["serde_identifier"] == "01"


@pytest.mark.parametrize("kind", [str, uuid.UUID])
def test_sharing_is_posted(kind: Any) -> None:
    """Public, a group, or one high-assurance endpoint; ids as texts."""
    assert _register(scale, public=True)["public"] is True
    assert _register(scale, group=kind(GROUP))["group"] == GROUP
    assert _register(scale, ha_endpoint_id=kind(GROUP))["ha_endpoint_id"] == GROUP


@pytest.mark.parametrize("sharing", [{"public": True}, {"group": GROUP}])
def test_a_high_assurance_function_cannot_be_shared(sharing: dict[str, Any]) -> None:
    """The error says which arguments exclude each other."""
    with pytest.raises(ValueError, match="ha_endpoint_id without public and group"):
        _register(scale, ha_endpoint_id=GROUP, **sharing)


@pytest.mark.parametrize("name", ["group", "ha_endpoint_id"])
def test_malformed_ids_are_named(name: str) -> None:
    """A slip in an id is found before anything is sent."""
    with pytest.raises(ValueError, match=f"{name} is no UUID"):
        _register(scale, **{name: "mine"})


@pytest.mark.parametrize("thing", [1, "scale", None, [scale]])
def test_what_cannot_be_called_is_no_function(thing: object) -> None:
    """The error quotes it."""
    with pytest.raises(TypeError, match="a function is needed"):
        _register(thing)


def test_a_function_that_cannot_be_sent_is_named() -> None:
    """A generator in a closure cannot travel."""
    stuck = (x for x in "text")
    with pytest.raises(SerializationError, match="DillCode cannot serialize the callable"):
        _register(lambda: stuck)


@pytest.mark.parametrize(
    ("ballast", "size"), [("x" * 10_000_001, 10_000_001), ("é" * 6_000_000, 12_000_000)]
)
def test_a_function_over_the_limit_is_refused_with_its_size(ballast: str, size: int) -> None:
    """It is not sent: the error has size and limit in bytes, as they travel."""

    class Heavy(PureSourceTextInspect):
        def serialize(self, data: Any) -> str:
            return self.identifier + ballast

    with pytest.raises(TaskTooLarge, match="function scale has") as caught:
        function_registration(scale, ComputeSerializer(strategy_code=Heavy))
    assert caught.value.size >= size
    assert caught.value.limit == 10_000_000
