"""The part that compares the document with the copy of the published contract."""

from __future__ import annotations

from tools.drift.findings import Difference, Part
from tools.openapi.deviations import complaints
from tools.openapi.document import Json
from tools.openapi.facts import UnknownKeyword

REASONS = "openapi/deviations.yaml"


def compare_contract(contract: Json, document: Json, deviations: Json) -> Part:
    """Compare; the reasons that explain nothing are among the differences, and named as such."""
    part = Part("contract", "openapi/compute-api-contract.json and openapi/compute.yaml", REASONS)
    groups = len(deviations["deviations"])
    part.compared.append(
        f"{len(contract['operations'])} operations and {len(contract['schemas'])} schemas, "
        f"with {groups} groups of deviations in {REASONS}"
    )
    try:
        part.differences += [
            Difference(line) for line in complaints(contract, document, deviations)
        ]
    except UnknownKeyword as error:
        part.differences.append(Difference(f"a schema that no comparison knows: {error}"))
    return part
