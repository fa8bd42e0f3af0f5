"""When a request of ours is the one that the official SDK made.

One function for each part of a request, as vcrpy calls them: they say how the parts differ, or
nothing. What is not compared is in `IGNORED`, with a reason each, and nothing else is left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit

from tools.recording.cassette_format import UNTOLD_HEADERS
from tools.recording.differences import ABSENT, differences
from tools.recording.meaning import meaning
from tools.recording.scrubbing import shortened

Json = Any


class Request(Protocol):
    """What is compared: vcrpy's request."""

    method: str
    uri: str
    headers: Mapping[str, Any]
    body: bytes | None


@dataclass(frozen=True)
class Ignored:
    """A part of a request that may differ.

    Attributes:
        where: the part, in words or as a path in the body; a path ends in ``*`` for all below.
        compared: what of it is compared all the same.
        reason: why the rest is not.
    """

    where: str
    compared: str
    reason: str


#: Fields of a body of which the type alone is compared.
_OF_THE_MACHINE = tuple(
    Ignored(where, "that it is there, and its type", reason)
    for where, reason in {
        "meta.python_version": "the Python that plays need not be the one that recorded",
        "user_runtime.globus_sdk_version": "each environment has its own",
        "user_runtime.python_version": "the Python that plays need not be the one that recorded",
        "user_runtime.python.*": "the Python that plays need not be the one that recorded",
        "user_runtime.platform.*": "the machine that plays is another one",
    }.items()
)

IGNORED = (
    *_OF_THE_MACHINE,
    Ignored("task_ids", "which ids", "the official SDK asks in the order of a set"),
    Ignored(
        "serialized values",
        "strategy, and what they mean",
        "dill's bytes differ from release to release, and functions know where they came from",
    ),
    Ignored("header user-agent", "the part that the service reads", "each client has its name"),
    Ignored("header accept", "nothing", "the service answers in JSON, whatever is asked for"),
    Ignored("header x-globus-client-info", "nothing", "it says which globus_sdk sends"),
    Ignored(
        f"headers {', '.join(UNTOLD_HEADERS)}",
        "nothing",
        "they are of the connection or the body's length, and are not recorded",
    ),
    Ignored(
        "order of names in the query and of keys in a body",
        "what is in them, and the order of values with one name",
        "it means nothing",
    ),
)

#: Headers that are not compared as they are; of the first its part is.
_OTHERS_HEADERS = ("user-agent", "accept", "x-globus-client-info", *UNTOLD_HEADERS)
_PROTOCOL = re.compile(r"globus-compute-sdk-[^/\s]+")


def method(ours: Request, recorded: Request) -> None:
    """Compare the methods."""
    _same("method", ours.method, recorded.method)


def address(ours: Request, recorded: Request) -> None:
    """Compare host, path and query."""
    mine, theirs = urlsplit(ours.uri), urlsplit(recorded.uri)
    _same("address", mine._replace(query="").geturl(), theirs._replace(query="").geturl())
    _same("query", *(_query(parts.query) for parts in (mine, theirs)))


def headers(ours: Request, recorded: Request) -> None:
    """Compare who asks, with which protocol level, what the body is, and whatever else is said."""
    mine, theirs = (_headers(request) for request in (ours, recorded))
    _same(
        "header",
        *({n: v for n, v in h.items() if n not in _OTHERS_HEADERS} for h in (mine, theirs)),
    )
    level = _PROTOCOL.findall(theirs.get("user-agent", ""))
    if level:
        _same("protocol level", _PROTOCOL.findall(mine.get("user-agent", "")), level)


def body(ours: Request, recorded: Request) -> None:
    """Compare the bodies, by what they mean."""
    theirs = _decoded(recorded)
    python = _recorded_python(theirs)
    _same("body", normalized(_decoded(ours), python), normalized(theirs, python))


MATCHERS: tuple[Callable[[Request, Request], None], ...] = (method, address, headers, body)


def normalized(value: Json, python: str | None = None, path: tuple[str, ...] = ()) -> Json:
    """Give a decoded body in the one form that all bodies of its meaning have.

    Args:
        value: the body, or a part of it.
        python: the version of Python whose bytecode may be in it; default this one's.
        path: where the part is.
    """
    if _of_the_machine(path):
        return _types(value)
    if isinstance(value, dict):
        return {key: normalized(each, python, (*path, key)) for key, each in value.items()}
    if isinstance(value, list):
        each = [normalized(one, python, path) for one in value]
        return sorted(each, key=repr) if path == ("task_ids",) else each
    return meaning(shortened(value), python) if isinstance(value, str) else value


def _of_the_machine(path: tuple[str, ...]) -> bool:
    written = ".".join(path)
    return any(
        written.startswith(each.where[:-1]) if each.where.endswith("*") else written == each.where
        for each in _OF_THE_MACHINE
    )


def _types(value: Json) -> Json:
    if isinstance(value, dict):
        return {key: _types(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_types(each) for each in value]
    return type(value).__name__


def _recorded_python(body: Json) -> str | None:
    """Give the version of Python that a request was made with, where it says so."""
    if not isinstance(body, dict):
        return None
    told = body.get("meta") or body.get("user_runtime") or {}
    version = told.get("python_version") if isinstance(told, dict) else None
    return version if isinstance(version, str) else None


def _decoded(request: Request) -> Json:
    if not request.body:
        return ABSENT
    try:
        return json.loads(request.body, object_pairs_hook=_object)
    except ValueError:
        return request.body


def _object(pairs: list[tuple[str, Json]]) -> Json:
    """Give an object; one that has a key twice as its pairs, as readers may take either."""
    plain = dict(pairs)
    return plain if len(plain) == len(pairs) else tuple(pairs)


def _query(text: str) -> list[tuple[str, str]]:
    """Give the parameters in the order of their names; values of one name keep theirs."""
    return sorted(parse_qsl(text, keep_blank_values=True), key=lambda pair: pair[0])


def _headers(request: Request) -> dict[str, str]:
    return {
        name.lower(): value if isinstance(value, str) else ", ".join(value)
        for name, value in request.headers.items()
    }


def _same(what: str, ours: Any, recorded: Any) -> None:
    told = [
        f"{what} {path}: ours has {mine!r}, recorded is {theirs!r}"
        for path, mine, theirs in differences(ours, recorded)
    ]
    assert not told, "\n".join(told)
