"""The part that compares the recordings with the document.

Both directions count: whatever was recorded is in the document (operation, parameters, status, and
each field of both bodies), and whatever the document says was recorded, each status of each
operation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tools.drift.exchanges import NO_JSON, Exchange, Recording
from tools.drift.findings import Difference, Part
from tools.drift.strictness import problems, strict
from tools.openapi.document import Json, operations, resolve
from tools.recording.scrubbing import SERVICE

REASONS = "tools/drift/explained.yaml"

#: Answers that say that the request does not fit: then it need not.
REFUSED = (400, 422)


@dataclass(frozen=True)
class _Operation:
    """An operation, and how its paths look."""

    subject: str
    method: str
    pattern: re.Pattern[str]
    spec: Json


def compare_recordings(document: Json, recordings: Iterable[Recording]) -> Part:
    """Compare.

    Args:
        document: the loaded document.
        recordings: what was recorded.
    """
    part = Part("recordings", "cassettes/ and openapi/compute.yaml", REASONS)
    comparison = _Comparison(strict(document))
    read = list(recordings)
    exchanges = [each for recording in read for each in recording.exchanges]
    part.compared.append(f"{len(exchanges)} requests and answers of {len(read)} recordings")
    if not exchanges:
        part.differences.append(Difference("there is no recording: run `make record`"))
        return part
    first: dict[str, str] = {}
    for exchange in exchanges:
        for what in comparison.differences(exchange):
            first.setdefault(what, exchange.recording)
    part.differences += [Difference(what, where) for what, where in first.items()]
    wanted = comparison.documented()
    missing = sorted(wanted - comparison.seen)
    part.compared.append(f"{len(wanted)} documented answers, {len(wanted) - len(missing)} recorded")
    part.differences += [Difference(f"{each}: is not recorded") for each in missing]
    return part


class _Comparison:
    """The document, strict, and which of its answers were seen so far."""

    def __init__(self, document: Json) -> None:
        self._document = document
        #: Operations; those whose path has the fewest parameters first, as `build` is no id.
        self._operations = sorted(
            (
                _Operation(f"{method} {path}", method, _pattern(path), operation)
                for method, path, operation in operations(document)
            ),
            key=lambda each: each.pattern.groups,
        )
        #: Documented answers that were recorded, such as `GET /v2/version 200`.
        self.seen: set[str] = set()

    def documented(self) -> set[str]:
        """Give every answer that the document has."""
        return {f"{o.subject} {status}" for o in self._operations for status in o.spec["responses"]}

    def differences(self, exchange: Exchange) -> Iterator[str]:
        """Tell where one exchange is not what the document says."""
        if exchange.origin != SERVICE:
            yield f"{exchange.method} {exchange.origin}: is not the service"
            return
        for operation in self._operations:
            match = operation.pattern.fullmatch(exchange.path)
            if match and operation.method == exchange.method:
                break
        else:
            yield f"{exchange.method} {exchange.path}: is not in the document"
            return
        if exchange.status not in REFUSED:
            for line in self._request(operation, match.groupdict(), exchange):
                yield f"{operation.subject} request: {line}"
        for line in self._answer(operation, exchange):
            yield f"{operation.subject} {exchange.status}: {line}"

    def _request(
        self, operation: _Operation, path: dict[str, str], exchange: Exchange
    ) -> Iterator[str]:
        parameters = {
            (each["in"], each["name"]): each["schema"]
            for node in operation.spec.get("parameters", [])
            for each in [resolve(self._document, node)]
        }
        given = [("path", *item) for item in path.items()]
        given += [("query", *item) for item in exchange.query]
        for place, name, value in given:
            schema = parameters.get((place, name))
            if schema is None:
                yield f"unknown {place} parameter {name}"
                continue
            for line in problems(self._document, schema, value):
                yield f"{place} parameter {name}: {line}"
        body = operation.spec.get("requestBody")
        yield from self._body(body, sent=exchange.sent, value=exchange.request)

    def _answer(self, operation: _Operation, exchange: Exchange) -> Iterator[str]:
        status = str(exchange.status)
        answer = operation.spec["responses"].get(status)
        if answer is None:
            # What such an answer holds is nobody's promise: see the document's introduction.
            yield "is not in the document"
            return
        self.seen.add(f"{operation.subject} {status}")
        if exchange.method != "HEAD":
            yield from self._body(answer, sent=exchange.answered, value=exchange.answer)

    def _body(self, node: Json | None, *, sent: bool, value: Json) -> Iterator[str]:
        content = resolve(self._document, node or {}).get("content")
        if content is None:
            if sent:
                yield "has a body"
        elif not sent:
            yield "has no body"
        elif value is NO_JSON:
            yield "has a body that is no JSON"
        else:
            schema = content["application/json"]["schema"]
            yield from problems(self._document, schema, value)


def _pattern(path: str) -> re.Pattern[str]:
    escaped = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(path))
    return re.compile(escaped)
