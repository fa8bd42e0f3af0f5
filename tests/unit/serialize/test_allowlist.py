"""What may be loaded, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from gcompute.errors import DeserializationError, SerdeError
from gcompute.serialize import (
    AllCodeStrategies,
    AllDataStrategies,
    AllowlistWildcard,
    CombinedCode,
    ComputeSerializer,
    DillCode,
    DillCodeSource,
    DillCodeTextInspect,
    DillDataBase64,
    JSONData,
    PortableCode,
    PortableData,
    PureSourceDill,
    PureSourceTextInspect,
)
from gcompute.serialize.strategies import PickleCode

_CODE = {
    AllCodeStrategies,
    CombinedCode,
    DillCode,
    DillCodeSource,
    DillCodeTextInspect,
    PureSourceDill,
    PureSourceTextInspect,
}
_DATA = {AllDataStrategies, DillDataBase64, JSONData}


@pytest.mark.parametrize(
    ("allowed", "types"),
    [
        (None, set()),
        ([], set()),
        ([DillCode, JSONData()], {DillCode, JSONData}),
        (["globus_compute_sdk.serialize.DillCode", JSONData], {DillCode, JSONData}),
        ([AllowlistWildcard.CODE, JSONData], _CODE | {JSONData}),
        (["globus_compute_sdk.*Code", "globus_compute_sdk.*Data"], _CODE | _DATA),
        ((value for value in (DillCode, AllowlistWildcard.DATA)), {DillCode} | _DATA),
        ([PortableCode, PortableData()], {AllCodeStrategies, DillDataBase64}),
    ],
)
def test_a_list_names_strategies_in_every_form(allowed: Any, types: set[type]) -> None:
    """Instances, classes, import paths and wildcards; none at all allows everything."""
    serializer = ComputeSerializer(allowed_deserializer_types=allowed)
    assert serializer.allowed_deserializer_types == types
    assert PickleCode not in serializer.allowed_deserializer_types


@pytest.mark.parametrize(
    ("allowed", "message"),
    [
        ([JSONData], "this one has none for code: JSONData"),
        ([AllowlistWildcard.CODE], "this one has none for data"),
        ([AllowlistWildcard.CODE, DillCode, JSONData], "CODE already allows DillCode"),
        ([DillCode, AllowlistWildcard.DATA, JSONData], "DATA already allows JSONData"),
        (["no.Such", JSONData], "no.Such"),
        (["globus_compute_sdk.*Other", JSONData], "globus_compute_sdk"),
        ([7, JSONData], "7 is no serialization strategy"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused(allowed: Any, message: str) -> None:
    """As the official package refuses it."""
    with pytest.raises(SerdeError, match=message):
        ComputeSerializer(allowed_deserializer_types=allowed)


def test_one_text_is_no_list() -> None:
    """It would be taken letter by letter."""
    with pytest.raises(TypeError, match=r"not the text 'gcompute\.serialize\.JSONData'"):
        ComputeSerializer().allowing("gcompute.serialize.JSONData")


def test_what_is_not_allowed_is_not_loaded() -> None:
    """The error names what was sent and what is allowed of its kind; nothing runs."""
    serializer = ComputeSerializer(allowed_deserializer_types=[PureSourceDill, JSONData])
    assert serializer.deserialize("11\n[1]") == [1]
    with pytest.raises(
        DeserializationError, match=r"DillDataBase64 is not in the list.*: JSONData"
    ):
        serializer.deserialize("00\nnot even a pickle")
    with pytest.raises(DeserializationError, match=r"DillCode .*of these: PureSourceDill"):
        serializer.deserialize("01\nnot even a pickle")
    with pytest.raises(DeserializationError, match="AllDataStrategies is not in the list"):
        serializer.deserialize(AllDataStrategies().serialize([1]))


def test_results_may_be_json_and_nothing_else() -> None:
    """A list of one kind refuses all of the other; writing is as before."""
    serializer = ComputeSerializer().allowing(["gcompute.serialize.JSONData"])
    assert serializer.deserialize("11\n[1]") == [1]
    for text in (DillDataBase64().serialize([1]), DillCode().serialize(len), "st\nf:raise 1"):
        with pytest.raises(DeserializationError, match="not in the list"):
            serializer.deserialize(text)
    with pytest.raises(DeserializationError, match="no strategy for code is allowed"):
        serializer.deserialize("01\n")
    assert serializer.serialize({1}).startswith("00\n")


def test_an_empty_list_for_results_allows_nothing() -> None:
    """Unlike the constructor's, which is the official one's."""
    with pytest.raises(DeserializationError, match="no strategy for data is allowed"):
        ComputeSerializer().allowing([]).deserialize("11\n[1]")


def test_a_restricted_serializer_leaves_the_first_as_it_was() -> None:
    """It is another object."""
    first = ComputeSerializer()
    first.allowing([JSONData])
    assert first.deserialize(DillDataBase64().serialize({1})) == {1}
