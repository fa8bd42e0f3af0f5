"""Documents as JSON has them, checks of them, and the deprecated classes."""

from __future__ import annotations

import uuid
from typing import Any

import globus_sdk
import pytest

from gcompute.service_clients import ComputeFunctionDocument, ComputeFunctionMetadata
from gcompute.service_clients.documents import (
    document_of,
    given,
    plain,
    warn_of_foreign_class,
)

ID = uuid.UUID("10000000-0000-4000-8000-000000000001")


def test_a_document_becomes_what_json_has() -> None:
    """UUIDs are text wherever they are; a missing value is left out; the rest stays."""
    document = {
        "ids": (ID, {ID}),
        ID: None,
        "gone": globus_sdk.MISSING,
        "deep": {"also": globus_sdk.MISSING, "kept": [1, 2.5, True, None, "x"]},
    }
    assert plain(document) == {
        "ids": [str(ID), [str(ID)]],
        str(ID): None,
        "deep": {"kept": [1, 2.5, True, None, "x"]},
    }


def test_parameters_that_are_not_given_are_left_out() -> None:
    """False and empty values are values."""
    assert given({"a": None, "b": globus_sdk.MISSING, "c": False, "d": ""}) == {"c": False, "d": ""}


def test_a_document_is_an_object() -> None:
    """A list or a text is none."""
    assert document_of({"id": ID}, "tasks.submit") == {"id": str(ID)}
    wrong: Any
    for wrong in ([], "x", None):
        with pytest.raises(TypeError, match=r"tasks\.submit takes a document"):
            document_of(wrong, "tasks.submit")


def test_the_deprecated_classes_are_dictionaries() -> None:
    """With the keys of the wire, without what was not given; the warning is at the user's line."""
    with pytest.warns(DeprecationWarning, match="ComputeFunctionMetadata is deprecated") as caught:
        metadata = ComputeFunctionMetadata(python_version="3.9.1", sdk_version=None)
    assert caught[0].filename == __file__
    with pytest.warns(DeprecationWarning, match="ComputeFunctionDocument is deprecated") as caught:
        document = ComputeFunctionDocument(
            function_name="f", function_code="c", metadata=metadata, group=ID
        )
    assert caught[0].filename == __file__
    assert document == {
        "function_name": "f",
        "function_code": "c",
        "metadata": {"python_version": "3.9.1"},
        "group": ID,
        "public": False,
    }


def test_the_classes_of_older_globus_sdk_are_deprecated_too() -> None:
    """They come with a warning, other mappings without."""
    foreign = type(
        "ComputeFunctionDocument", (dict,), {"__module__": "globus_sdk.services.compute"}
    )
    with pytest.warns(DeprecationWarning, match="ComputeFunctionDocument is deprecated"):
        warn_of_foreign_class(foreign(function_name="f"))
    warn_of_foreign_class({"function_name": "f"})
