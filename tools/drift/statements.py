"""What a client says on the wire, as lines that two recordings can be compared by. Pure.

In: what `make record` wrote of one scenario. Out: one line for each fact of what the client sent
and of what its user saw, such as ``POST /v3/functions: body.serialized = True``. What the service
and the broker said is not in it: they are the same for both clients.

Which lines there are is compared, so that a request that is repeated, as one that polls, is the
same once and ten times; the order of different requests is one line of its own.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tools.recording.matching import normalized

Json = Any

#: Ids, and what is made of random bytes: tags of consumers, seals of queues, digests.
_RANDOM = re.compile(
    r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    r"|(?<![0-9a-f])[0-9a-f]{32,64}(?![0-9a-f])"
)
_VERSION = re.compile(r"([\w-]+) (\d[\w.]*)")

#: Arguments of AMQP methods that count on, or that time decides, by their path.
_COUNTERS = {"Basic.Ack: arguments.delivery_tag", "Basic.Nack: arguments.delivery_tag"}


def statements(recording: Json, frames: Sequence[Json]) -> set[str]:
    """Give everything that the client of a recording said, a line each.

    Args:
        recording: the content of a scenario's YAML file.
        frames: the events of its AMQP connections, none where there were none.
    """
    blank = _Blank(versions(recording["head"]))
    lines = set(_requests(recording["interactions"]))
    lines |= set(_frames(frames))
    for seen in recording.get("seen", ()):
        lines |= {f"the user sees {line}" for line in _leaves("", seen)}
    return {blank(line) for line in lines}


def versions(head: Mapping[str, str]) -> dict[str, str]:
    """Give the versions that a head tells of, such as ``globus-compute-sdk`` and ``Python``."""
    return dict(_VERSION.findall(head.get("client", "")))


class _Blank:
    """Takes out of a line what differs from one recording to the next."""

    def __init__(self, known: Mapping[str, str]) -> None:
        self._versions = [
            (re.compile(rf"(?<![\w.]){re.escape(version)}(?![\w]|\.\d)"), f"{{{name}}}")
            for name, version in known.items()
        ]

    def __call__(self, line: str) -> str:
        line = _RANDOM.sub("{id}", line)
        for pattern, name in self._versions:
            line = pattern.sub(name, line)
        return line


def _requests(interactions: Sequence[Json]) -> Iterator[str]:
    asked = []
    for request in (each["request"] for each in interactions):
        uri = urlsplit(request["uri"])
        subject = f"{request['method']} {uri.path}"
        asked.append(_RANDOM.sub("{id}", subject))
        yield subject
        for name, value in parse_qsl(uri.query, keep_blank_values=True):
            yield f"{subject}: query {name} = {value}"
        for name, value in request["headers"].items():
            yield f"{subject}: header {name} = {value}"
        if "json" in request:
            yield from _leaves(f"{subject}: body", normalized(request["json"]))
        elif "text" in request:
            yield f"{subject}: body is text"
    if asked:
        yield "in this order: " + ", ".join(each for each, _ in itertools.groupby(asked))


def _frames(frames: Sequence[Json]) -> Iterator[str]:
    for event in frames:
        if event["from"] == "client" and "method" in event:
            for line in _leaves(f"{event['method']}: arguments", event["arguments"]):
                if line.partition(" = ")[0] not in _COUNTERS:
                    yield f"AMQP {line}"


def _leaves(path: str, value: Json) -> Iterator[str]:
    """Give a line for each leaf of a value; the entries of a list are all alike."""
    if isinstance(value, Mapping) and value:
        for key, each in value.items():
            yield from _leaves(f"{path}.{key}" if path else str(key), each)
    elif isinstance(value, list) and value:
        for each in value:
            yield from _leaves(f"{path}[]", each)
    else:
        yield f"{path} = {value!r}"
