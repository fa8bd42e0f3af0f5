"""Function documents of every form, as registrations of both versions."""

from __future__ import annotations

import platform
import uuid
from typing import Any

import globus_sdk
import pytest

from gcompute.protocol import PROTOCOL_LEVEL
from gcompute.serialize import (
    AllCodeStrategies,
    ComputeSerializer,
    pack_buffers,
    unpack_buffers,
)
from gcompute.service_clients.functions import one_document, registration_v2, registration_v3

SOURCE = "def double(x):\n    return 2 * x\n"
MADE_HERE = {"python_version": platform.python_version(), "sdk_version": PROTOCOL_LEVEL}


def _document(code: str = SOURCE, **more: Any) -> dict[str, Any]:
    return {"function_name": "double", "function_code": code, **more}


SERIALIZED = ComputeSerializer().serialize(abs)
COMBINED = ComputeSerializer(strategy_code=AllCodeStrategies()).serialize(abs)


@pytest.mark.parametrize(("text", "identifier"), [(SERIALIZED, "01"), (COMBINED, "12")])
@pytest.mark.parametrize("packed", [True, False])
def test_serialized_code_goes_packed(text: str, identifier: str, packed: bool) -> None:
    """Whether it comes packed or not; its strategy is told where the document tells nothing."""
    code = pack_buffers([text]) if packed else text
    three = registration_v3(_document(code))
    assert three["function_code"] == pack_buffers([text])
    assert three["meta"] == MADE_HERE | {"serde_identifier": identifier}
    assert three.get("serialized", True) is True
    two = registration_v2(_document(code))
    assert two["function_code"] == pack_buffers([text])
    assert two["metadata"] == MADE_HERE


def test_source_goes_as_it_is_to_version_3_and_as_a_buffer_to_version_2() -> None:
    """Version 2 cannot be told that code is source."""
    three = registration_v3(_document())
    assert (three["function_code"], three["serialized"]) == (SOURCE, False)
    assert three["meta"]["serde_identifier"] == "st"
    (buffer,) = unpack_buffers(registration_v2(_document())["function_code"])
    loaded = ComputeSerializer().deserialize(buffer)
    assert loaded(21) == 42


@pytest.mark.parametrize("serialized", [True, False])
def test_what_the_document_says_of_its_code_counts(serialized: bool) -> None:
    """Also where the code looks otherwise."""
    document = _document(SOURCE if serialized else SERIALIZED, serialized=serialized)
    three = registration_v3(document)
    assert three["serialized"] is serialized
    assert three["function_code"] == document["function_code"]
    two = registration_v2(document)
    assert "serialized" not in two
    assert (two["function_code"] == SOURCE) is serialized


def test_a_document_of_a_version_stays_as_it_is() -> None:
    """What has the version's own metadata is complete."""
    three = _document(pack_buffers([SERIALIZED]), meta={"sdk_version": "1"}, public=True)
    assert registration_v3(three) == three
    two = _document(pack_buffers([SERIALIZED]), metadata={}, container_uuid=str(uuid.uuid4()))
    assert registration_v2(two) == two


def test_metadata_of_the_other_version_is_carried_over() -> None:
    """What it tells counts more than what this client is."""
    three = registration_v3(_document(metadata={"python_version": "3.9.1"}))
    assert three["meta"]["python_version"] == "3.9.1"
    assert three["meta"]["sdk_version"] == PROTOCOL_LEVEL
    assert "metadata" not in three
    two = registration_v2(_document(meta={"sdk_version": "2.0.0", "serde_identifier": "st"}))
    assert two["metadata"] == MADE_HERE | {"sdk_version": "2.0.0"}
    assert "meta" not in two


def test_a_document_is_left_alone() -> None:
    """A registration is another dictionary, nested ones included."""
    meta = {"sdk_version": "2.0.0", "serde_identifier": "st"}
    document = _document(meta=meta)
    registration_v2(document)
    registration_v3(document)
    assert document == _document(meta={"sdk_version": "2.0.0", "serde_identifier": "st"})


def test_what_is_missing_is_left_out() -> None:
    """``None`` and globus_sdk's mark are no values; a UUID is text."""
    group = uuid.uuid4()
    document = _document(description=None, metadata=globus_sdk.MISSING, group=group)
    three = registration_v3(document)
    assert three["group"] == str(group)
    assert not three.keys() & {"description", "metadata"}


@pytest.mark.parametrize(
    ("register", "field", "reason"),
    [
        (registration_v3, "container_uuid", "version 3 .* ComputeClientV2"),
        (registration_v3, "resource_requirements", "resource_specification"),
        (registration_v2, "resource_requirements", "resource_specification"),
    ],
)
def test_a_field_without_a_place_is_dropped_with_its_reason(
    register: Any, field: str, reason: str
) -> None:
    """The warning names function and field, and says what to do."""
    with pytest.warns(UserWarning, match=f"{field} of the function double is ignored.*{reason}"):
        body = register(_document(**{field: "x"}))
    assert field not in body


def test_a_document_is_a_dictionary() -> None:
    """A function in its place is what people try."""
    register: Any
    for register in (registration_v2, registration_v3):
        with pytest.raises(TypeError, match="is a dictionary"):
            register(abs)


def test_one_document_comes_under_one_name() -> None:
    """Either name will do, and not both or none."""
    document = _document()
    assert one_document(document, None) is one_document(None, document) is document
    for both in ((document, document), (None, None)):
        with pytest.raises(TypeError, match="one document"):
            one_document(*both)
