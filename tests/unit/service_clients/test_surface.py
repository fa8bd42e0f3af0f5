"""Every name and argument of document 000, and of globus_sdk's clients, works here.

What does not is in a list with its reason, and the lists have nothing too much.
"""

from __future__ import annotations

import inspect
from typing import Any

import globus_sdk
import pytest

import gcompute
from gcompute import ComputeClientV2, ComputeClientV3

BOTH = (ComputeClientV2, ComputeClientV3)

#: Methods of document 000 with their arguments, in order; `*` before those by name only. Those
#: that it names outside of a class are on all clients whose version has the operation.
DOCUMENT_000: list[tuple[str, str, tuple[type, ...]]] = [
    ("__init__", "* app authorizer environment base_url", BOTH),
    ("get_version", "service", BOTH),
    ("get_result_amqp_url", "", BOTH),
    ("register_endpoint", "data", BOTH),
    ("get_endpoint", "endpoint_id", BOTH),
    ("update_endpoint", "endpoint_id data", (ComputeClientV3,)),
    ("get_endpoint_status", "endpoint_id", BOTH),
    ("delete_endpoint", "endpoint_id", BOTH),
    ("register_function", "function_data", BOTH),
    ("get_function", "function_id", BOTH),
    ("delete_function", "function_id", BOTH),
    ("submit_function", "function_document", BOTH),
    ("submit_task", "endpoint_uuid function_uuid function_args function_kwargs", BOTH),
    ("submit", "data", BOTH),
    ("get_task", "task_id", BOTH),
    ("get_task_batch", "task_ids", BOTH),
    ("get_task_group", "task_group_id", BOTH),
]

#: What all clients of globus_sdk have beside operations, and why ours have it not.
OF_ALL_CLIENTS = {
    "add_app_scope": "an app is given the one scope of the service at the first request",
    "app_name": "the user agent is what the service reads the protocol level from",
    "attach_globus_app": "give the app to the constructor",
    "default_scope_requirements": "the one scope is in gcompute.protocol",
    "delete": "each operation has a method; gcompute_api has the builders of requests",
    "get": "as delete",
    "patch": "as delete",
    "post": "as delete",
    "put": "as delete",
    "request": "as delete",
    "scopes": "as default_scope_requirements",
}

#: Arguments of their constructor that ours warns of.
OF_THE_CONSTRUCTOR = {
    "app_name": "as above",
    "app_scopes": "as above, add_app_scope",
    "retry_config": "what may be repeated is known: reads, and what surely did not arrive",
}


def _names(signature: inspect.Signature) -> list[str]:
    return [name for name in signature.parameters if name != "self"]


def _accepts(method: Any, names: list[str], *, by_name_only: bool = False) -> None:
    """Assert that a method takes arguments, by name, and by position where that is allowed."""
    signature = inspect.signature(method)
    signature.bind(None, **dict.fromkeys(names, 0))
    if not by_name_only:
        bound = signature.bind(None, *range(len(names)))
        assert len(bound.arguments) == len(names) + 1


@pytest.mark.parametrize(("name", "arguments", "classes"), DOCUMENT_000)
def test_what_document_000_names_is_there(
    name: str, arguments: str, classes: tuple[type, ...]
) -> None:
    """Each method, with each argument by name and in its place."""
    by_name_only = arguments.startswith("*")
    for cls in classes:
        _accepts(getattr(cls, name), arguments.strip("* ").split(), by_name_only=by_name_only)


@pytest.mark.parametrize(
    ("cls", "keywords"),
    [
        (
            gcompute.ComputeFunctionDocument,
            "function_name function_code description metadata group public",
        ),
        (gcompute.ComputeFunctionMetadata, "python_version sdk_version"),
    ],
)
def test_the_data_classes_of_document_000_take_what_they_did(cls: Any, keywords: str) -> None:
    """By name only."""
    assert _names(inspect.signature(cls)) == keywords.split()
    assert {p.kind for p in inspect.signature(cls).parameters.values()} == {
        inspect.Parameter.KEYWORD_ONLY
    }


def test_the_error_of_document_000_is_exported() -> None:
    """And is what the clients raise."""
    assert ComputeClientV3.error_class is gcompute.ComputeAPIError


PAIRS = [
    (globus_sdk.ComputeClientV2, ComputeClientV2),
    (globus_sdk.ComputeClientV3, ComputeClientV3),
]
METHODS = [
    pytest.param(method, ours, name, id=f"{ours.__name__}-{name}")
    for theirs, ours in PAIRS
    for name, method in vars(theirs).items()
    if inspect.isfunction(method)
]


@pytest.mark.parametrize(("method", "ours", "name"), METHODS)
def test_every_method_of_globus_sdk_is_there(method: Any, ours: type, name: str) -> None:
    """With each argument by name and in its place; what may be left out there may be here."""
    signature = inspect.signature(method)
    names = _names(signature)
    _accepts(getattr(ours, name), names)
    required = [n for n in names if signature.parameters[n].default is inspect.Parameter.empty]
    inspect.signature(getattr(ours, name)).bind(None, *range(len(required)))


def test_globus_sdk_has_methods_to_compare() -> None:
    """The list above is not empty for another reason than that all is well."""
    assert len(METHODS) >= 20


@pytest.mark.parametrize(("theirs", "ours"), PAIRS)
def test_what_else_a_client_of_globus_sdk_has(theirs: type, ours: type) -> None:
    """Is here as well, or in the list of what is not."""
    missing = {name for name in dir(theirs) if not name.startswith("_") and not hasattr(ours, name)}
    assert missing == OF_ALL_CLIENTS.keys()


@pytest.mark.parametrize(("theirs", "ours"), PAIRS)
def test_a_client_is_made_with_the_arguments_of_globus_sdk(theirs: type, ours: type) -> None:
    """Those that are of no use here are in a list, and warned of."""
    known = inspect.signature(ours).parameters.keys()
    missing = inspect.signature(theirs).parameters.keys() - known
    assert missing == OF_THE_CONSTRUCTOR.keys()


def test_an_answer_has_what_one_of_globus_sdk_has() -> None:
    """All that is public, but for the client."""
    theirs = {name for name in dir(globus_sdk.GlobusHTTPResponse) if not name.startswith("_")}
    assert theirs - set(dir(gcompute.ComputeResponse)) == {"data"}  # set by the constructor
    operators = {"__getitem__", "__contains__", "__bool__", "__str__", "__repr__"}
    assert operators <= vars(gcompute.ComputeResponse).keys()
