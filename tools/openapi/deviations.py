"""Every difference between contract and document is explained, and every explanation is true.

In: contract, document, and `openapi/deviations.yaml`. Out: complaints, one line of text each, none
if all is well. There are two kinds: a difference that no deviation explains, and a deviation that
explains nothing (or one that another explains already).

A difference is a subject, an aspect, and the values on both sides (see `facts`). If only one side
has the subject, then `present` is the one aspect that differs. `openapi/deviations.yaml` describes
its own form.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from tools.openapi.facts import Facts, answer_schemas, contract_facts, document_facts

Json = Any


@dataclass(frozen=True)
class Place:
    """Where two sides differ."""

    subject: str
    aspect: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.aspect}"


@dataclass(frozen=True)
class Values:
    """The values on both sides, None where a side has none."""

    contract: Json
    document: Json

    def __str__(self) -> str:
        return f"contract {self.contract!r}, document {self.document!r}"


def differences(contract: Facts, document: Facts) -> dict[Place, Values]:
    """Return where two sets of facts differ, and how."""
    found: dict[Place, Values] = {}
    for subject in contract.keys() | document.keys():
        if subject not in contract or subject not in document:
            found[Place(subject, "present")] = Values(subject in contract, subject in document)
            continue
        ours, theirs = document[subject], contract[subject]
        for aspect in ours.keys() | theirs.keys():
            values = Values(theirs.get(aspect), ours.get(aspect))
            if values.contract != values.document:
                found[Place(subject, aspect)] = values
    return found


def complaints(contract: Json, document: Json, deviations: Json) -> list[str]:
    """Return what is unexplained, and which explanations are wrong.

    Args:
        contract: The loaded contract.
        document: The loaded document.
        deviations: The loaded list of deviations.
    """
    names: dict[str, str] = deviations["schema_names"]["names"]
    named: dict[str, list[str]] = deviations["named_components"]["at"]
    theirs = contract_facts(contract, names)
    ours, uses = document_facts(document, named.keys())
    comparison = _Comparison(differences(theirs, ours))
    lines = list(_wrong_names(names, contract, document))
    lines += _wrong_components(named, uses)
    for subject, (operation_id, tag) in deviations["operation_names"]["names"].items():
        was = theirs.get(subject, {}).get("operation_id")
        comparison.explain(Place(subject, "operation_id"), Values(was, operation_id))
        comparison.explain(Place(subject, "tag"), Values(None, tag))
    # What a selector chooses from: subjects on both sides, as others differ as a whole.
    selectors = _selectors(theirs.keys() & ours.keys(), ours, document)
    for deviation in deviations["deviations"]:
        for change in deviation["changes"]:
            values = Values(change["contract"], change["document"])
            for subject in _subjects(change["at"], selectors):
                comparison.explain(Place(subject, change["aspect"]), values)
    return lines + comparison.complaints()


class _Comparison:
    """The differences, and which of them have been explained so far."""

    def __init__(self, found: dict[Place, Values]) -> None:
        self._found = found
        self._explained: set[Place] = set()
        self._wrong: list[str] = []

    def explain(self, place: Place, values: Values) -> None:
        """Explain one difference; note it if there is no such difference."""
        found = self._found.get(place)
        if found is None:
            self._wrong.append(f"explains nothing: {place} does not differ")
        elif found != values:
            self._wrong.append(f"explains nothing: {place} is {found}, not {values}")
        elif place in self._explained:
            self._wrong.append(f"explained twice: {place}")
        self._explained.add(place)

    def complaints(self) -> list[str]:
        """Return all complaints, differences without explanation last."""
        left = self._found.keys() - self._explained
        return self._wrong + sorted(f"unexplained: {each} ({self._found[each]})" for each in left)


def _wrong_names(names: Mapping[str, str], contract: Json, document: Json) -> Iterable[str]:
    """Complain about names that rename nothing; a name that is missing shows as a difference."""
    schemas = document["components"]["schemas"]
    for theirs, ours in names.items():
        if theirs not in contract["schemas"] or ours not in schemas or theirs == ours:
            yield f"explains nothing: schema {theirs} is not renamed to {ours}"


def _wrong_components(
    named: Mapping[str, list[str]], uses: Mapping[str, set[str]]
) -> Iterable[str]:
    """Complain about components that are not used exactly where they are said to be."""
    for name, subjects in named.items():
        for subject in sorted(set(subjects) - uses[name]):
            yield f"explains nothing: {subject} does not use the component {name}"
        for subject in sorted(uses[name] - set(subjects)):
            yield f"unexplained: {subject} uses the component {name}"


def _selectors(common: Iterable[str], ours: Facts, document: Json) -> dict[str, list[str]]:
    """Return the subjects that each selector of the list stands for."""
    answers = answer_schemas(document)
    subjects = sorted(common)
    return {
        "every operation": [each for each in subjects if "operation_id" in ours[each]],
        "every optional field of an answer": [
            each
            for each in subjects
            if "nullable" in ours[each]
            and not ours[each]["required"]
            and each.partition(".")[0] in answers
        ],
        "every path parameter": [each for each in subjects if " path " in each],
    }


def _subjects(at: Json, selectors: Mapping[str, list[str]]) -> Iterable[str]:
    """Return the subjects that an `at` names; what matches nothing is returned as it stands."""
    if isinstance(at, list):
        return at
    if "select" not in at:
        return [f"{schema}.{field}" for schema, fields in at.items() for field in fields]
    chosen = [
        each for each in selectors[at["select"]] if fnmatchcase(each, at.get("matching", "*"))
    ]
    exceptions = at.get("except", [])
    unknown = [each for each in exceptions if each not in chosen]
    return [each for each in chosen if each not in exceptions] + unknown
