"""The document is the contract plus the listed deviations, no less and no more."""

import hashlib
from collections.abc import Callable

import pytest

from tools.openapi.deviations import complaints
from tools.openapi.document import (
    FOLDER,
    Json,
    load_compute,
    load_contract,
    load_deviations,
)
from tools.openapi.facts import UnknownKeyword

#: The published contract as it was taken. Another copy means another comparison.
CONTRACT_SHA256 = "3763ec7fe7530403115f9155eaf6294673d236fb75a1e3816f78b9c17f01417e"


def test_document_is_contract_plus_deviations() -> None:
    """Each difference is explained once, and each explanation is true."""
    assert complaints(load_contract(), load_compute(), load_deviations()) == []


def test_contract_is_untouched() -> None:
    """The copy of the contract is byte for byte what was published."""
    content = (FOLDER / "compute-api-contract.json").read_bytes()
    assert hashlib.sha256(content).hexdigest() == CONTRACT_SHA256
    contract = load_contract()
    assert (len(contract["operations"]), len(contract["schemas"])) == (30, 68)


def test_every_deviation_has_a_reason() -> None:
    """Each group names itself, gives a reason, and changes something."""
    deviations = load_deviations()
    for section in ("operation_names", "schema_names", "named_components"):
        assert deviations[section]["reason"].endswith(".")
    names = [group["name"] for group in deviations["deviations"]]
    assert len(set(names)) == len(names)
    for group in deviations["deviations"]:
        assert group["reason"].endswith("."), group["name"]
        assert group["changes"], group["name"]


def _schema(document: Json, name: str) -> Json:
    return document["components"]["schemas"][name]


def _drop_operation(document: Json) -> None:
    del document["paths"]["/v2/authenticate"]


def _drop_field(document: Json) -> None:
    del _schema(document, "Endpoint")["properties"]["hostname"]


def _add_field(document: Json) -> None:
    _schema(document, "Endpoint")["properties"]["colour"] = {"type": "string"}


def _change_type(document: Json) -> None:
    _schema(document, "BatchStatusRequest")["properties"]["task_ids"]["items"] = {"type": "number"}


def _change_named_component(document: Json) -> None:
    _schema(document, "TaskMap")["additionalProperties"] = {"type": "string"}


def _require(document: Json) -> None:
    _schema(document, "UserRuntime")["required"] = ["python"]


def _allow_null(document: Json) -> None:
    _schema(document, "SubmitRequest")["properties"]["task_group_id"]["type"] = ["string", "null"]


def _forbid_null(document: Json) -> None:
    _schema(document, "Endpoint")["properties"]["hostname"]["type"] = "string"


def _change_default(document: Json) -> None:
    _schema(document, "SubmitRequest")["properties"]["create_queue"]["default"] = True


def _drop_deprecation(document: Json) -> None:
    del document["paths"]["/v2/endpoints"]["post"]["deprecated"]


def _change_enumeration(document: Json) -> None:
    _schema(document, "BuildStatus")["enum"].append("paused")


def _drop_answer(document: Json) -> None:
    del document["paths"]["/v3/endpoints"]["post"]["responses"]["423"]


def _swap_answer(document: Json) -> None:
    answers = document["paths"]["/v3/endpoints"]["post"]["responses"]
    answers["422"] = answers["423"]


def _drop_request(document: Json) -> None:
    del document["paths"]["/v3/functions"]["post"]["requestBody"]


def _drop_parameter(document: Json) -> None:
    document["paths"]["/v2/endpoints"]["get"]["parameters"] = []


def _drop_security(document: Json) -> None:
    del document["paths"]["/v3/functions"]["post"]["security"]


def _rename_operation(document: Json) -> None:
    document["paths"]["/v3/functions"]["post"]["operationId"] = "make_function"


def _move_operation(document: Json) -> None:
    document["paths"]["/v3/functions"]["post"]["tags"] = ["tasks"]


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        (_drop_operation, "GET /v2/authenticate"),
        (_drop_field, "Endpoint.hostname"),
        (_add_field, "Endpoint.colour"),
        (_change_type, "BatchStatusRequest.task_ids"),
        (_change_named_component, "SubmitRequest.tasks"),
        (_require, "UserRuntime.python"),
        (_allow_null, "SubmitRequest.task_group_id"),
        (_forbid_null, "Endpoint.hostname"),
        (_change_default, "SubmitRequest.create_queue"),
        (_drop_deprecation, "POST /v2/endpoints"),
        (_change_enumeration, "BuildStatus"),
        (_drop_answer, "POST /v3/endpoints 423"),
        (_swap_answer, "POST /v3/endpoints 422"),
        (_drop_request, "POST /v3/functions request"),
        (_drop_parameter, "GET /v2/endpoints query role"),
        (_drop_security, "POST /v3/functions"),
        (_rename_operation, "POST /v3/functions"),
        (_move_operation, "POST /v3/functions"),
    ],
)
def test_a_changed_document_is_noticed(change: Callable[[Json], None], subject: str) -> None:
    """Whatever changes in the document without an explanation is named."""
    document = load_compute()
    change(document)
    found = complaints(load_contract(), document, load_deviations())
    assert any(f" {subject}" in line for line in found), found


def test_an_unknown_keyword_is_noticed() -> None:
    """A keyword that the comparison cannot express stops it, rather than passing unseen."""
    document = load_compute()
    _schema(document, "Endpoint")["properties"]["name"]["maxLength"] = 64
    with pytest.raises(UnknownKeyword, match="maxLength"):
        complaints(load_contract(), document, load_deviations())
    document = load_compute()
    _schema(document, "Endpoint")["additionalProperties"] = False
    with pytest.raises(UnknownKeyword, match="additionalProperties"):
        complaints(load_contract(), document, load_deviations())


def _group(deviations: Json, name: str) -> Json:
    (found,) = (each for each in deviations["deviations"] if each["name"] == name)
    return found["changes"][0]


def _drop_group(deviations: Json) -> None:
    deviations["deviations"] = [
        each for each in deviations["deviations"] if each["name"] != "Address format"
    ]


def _stale_place(deviations: Json) -> None:
    _group(deviations, "Address format")["at"]["Endpoint"].append("hostname")


def _place_that_is_not(deviations: Json) -> None:
    _group(deviations, "Address format")["at"]["Endpoint"].append("colour")


def _wrong_value(deviations: Json) -> None:
    _group(deviations, "Address format")["document"] = "string(ipv4)"


def _explain_twice(deviations: Json) -> None:
    _group(deviations, "Address format")["at"]["Endpoint"].append("ip_address")


def _too_wide_pattern(deviations: Json) -> None:
    _group(deviations, "Ids are UUIDs")["at"]["matching"] = "*"


def _missing_exception(deviations: Json) -> None:
    _group(deviations, "Bearer token")["at"]["except"].remove("GET /v2/version")


def _stale_exception(deviations: Json) -> None:
    _group(deviations, "Bearer token")["at"]["except"].append("GET /v1/version")


def _stale_schema_name(deviations: Json) -> None:
    deviations["schema_names"]["names"]["Endpointe"] = "Endpoint"


def _stale_operation_name(deviations: Json) -> None:
    deviations["operation_names"]["names"]["GET /v1/version"] = ["get_old_version", "service"]


def _stale_component(deviations: Json) -> None:
    deviations["named_components"]["at"]["TaskMap"].append("SubmitResponse.tasks")


def _missing_component_place(deviations: Json) -> None:
    deviations["named_components"]["at"]["ConfigDocument"].remove("Endpoint.config")


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (_drop_group, "unexplained: EndpointMetadata.ip_address: type"),
        (_stale_place, "explains nothing: Endpoint.hostname: type"),
        (_place_that_is_not, "explains nothing: Endpoint.colour: type"),
        (_wrong_value, "explains nothing: Endpoint.ip_address: type"),
        (_explain_twice, "explained twice: Endpoint.ip_address: type"),
        (_too_wide_pattern, "path container_type: type does not differ"),
        (_missing_exception, "explains nothing: GET /v2/version: security"),
        (_stale_exception, "explains nothing: GET /v1/version: security"),
        (_stale_schema_name, "explains nothing: schema Endpointe"),
        (_stale_operation_name, "explains nothing: GET /v1/version: operation_id"),
        (_stale_component, "SubmitResponse.tasks does not use the component TaskMap"),
        (_missing_component_place, "unexplained: Endpoint.config uses the component"),
    ],
)
def test_a_wrong_explanation_is_noticed(change: Callable[[Json], None], complaint: str) -> None:
    """An explanation that is missing, stale, too wide, doubled or wrong is named."""
    deviations = load_deviations()
    change(deviations)
    found = complaints(load_contract(), load_compute(), deviations)
    assert any(complaint in line for line in found), found
