"""A changed contract is drift; `tests/unit/openapi/test_contract.py` has each kind of change."""

from tools.drift.contract import compare_contract
from tools.openapi.document import load_compute, load_contract, load_deviations


def test_nothing_drifts() -> None:
    """The document is the contract but for the deviations, and the report says how much that is."""
    part = compare_contract(load_contract(), load_compute(), load_deviations())
    assert part.differences == []
    assert part.compared[0].startswith("30 operations and 68 schemas, with ")


def test_a_changed_contract_is_named() -> None:
    """A new operation and another type of a field, each by its name."""
    contract = load_contract()
    new = {**contract["operations"][0], "path": "/v4/version", "operation_id": "v4"}
    contract["operations"].append(new)
    contract["schemas"]["Endpoint"]["hostname"]["type"] = "integer"
    part = compare_contract(contract, load_compute(), load_deviations())
    found = [each.what for each in part.differences]
    assert any("/v4/version: present" in line for line in found)
    assert any(line.startswith("unexplained: Endpoint.hostname: type") for line in found)


def test_a_reason_for_nothing_is_named() -> None:
    """A deviation that is none any more."""
    deviations = load_deviations()
    deviations["schema_names"]["names"]["Gone"] = "Endpoint"
    part = compare_contract(load_contract(), load_compute(), deviations)
    (found,) = part.differences
    assert found.what == "explains nothing: schema Gone is not renamed to Endpoint"


def test_what_no_comparison_knows_is_drift() -> None:
    """A keyword that nobody can compare is not passed over."""
    document = load_compute()
    document["components"]["schemas"]["Endpoint"]["properties"]["name"]["maxLength"] = 64
    part = compare_contract(load_contract(), document, load_deviations())
    (found,) = part.differences
    assert "maxLength" in found.what
