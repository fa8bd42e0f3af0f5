"""How a recording is written: YAML with a head, and bodies as JSON that a diff shows line by line.

For vcrpy a module with ``serialize`` and ``deserialize`` is a serializer, and an object with them
is one, too: :class:`CassetteFormat`. The head is ours: what made the recording, what was given to
the scenario, and what its user saw.

A body is kept decoded under ``json`` where its decoded form says all, else as text under ``text``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import yaml

Tree = dict[str, Any]


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as such, and repeats what is there twice."""

    def ignore_aliases(self, data: Any) -> bool:
        """Never write a reference: a reader would have to look for it."""
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar(
        "tag:yaml.org,2002:str", text, style="|" if "\n" in text else None
    )


_Dumper.add_representer(str, _text)


class CassetteFormat:
    """Writes and reads the recording of one scenario.

    Args:
        head: gives what stands before the interactions; asked when the recording is written.
        scrub: takes out of the whole what must not be written.
    """

    def __init__(
        self, head: Callable[[], Tree] = dict, scrub: Callable[[Tree], Tree] = lambda tree: tree
    ) -> None:
        self._head = head
        self._scrub = scrub

    def serialize(self, cassette: Tree) -> str:
        """Write what vcrpy has recorded."""
        interactions = [
            {"request": _request(i["request"]), "response": _response(i["response"])}
            for i in cassette["interactions"]
        ]
        return dump(self._scrub({**self._head(), "interactions": interactions}))

    def deserialize(self, text: str) -> Tree:
        """Give vcrpy what was recorded."""
        return for_vcr(load(text))


def for_vcr(tree: Tree) -> Tree:
    """Give a recording as vcrpy has it."""
    interactions = [
        {
            "request": {
                "method": i["request"]["method"],
                "uri": i["request"]["uri"],
                "headers": _lists(i["request"]["headers"]),
                "body": body_text(i["request"]),
            },
            "response": {
                "status": {"code": i["response"]["status"], "message": None},
                "headers": _lists(i["response"]["headers"]),
                "body": {"string": body_text(i["response"]) or ""},
            },
        }
        for i in tree["interactions"]
    ]
    return {"version": 1, "interactions": interactions}


def dump(tree: Tree) -> str:
    """Write a recording."""
    return yaml.dump(tree, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


def load(text: str) -> Tree:
    """Read a recording."""
    tree: Tree = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return tree


def body_text(message: Tree) -> str | None:
    """Give the body of a recorded request or response, ``None`` for none."""
    if "json" in message:
        return json.dumps(message["json"])
    text: str | None = message.get("text")
    return text


def decoded(text: str) -> Tree:
    """Give a body's part of a recorded message."""
    if not text:
        return {}
    try:
        return {"json": json.loads(text)}
    except ValueError:
        return {"text": text}


#: Headers of requests that say nothing of them: they are of the connection, or the body's encoding
#: and length. A cookie is what a server before the service told the client to repeat.
UNTOLD_HEADERS = ("accept-encoding", "connection", "content-length", "cookie", "host")
#: Headers of answers that say something; the others are of the connection, the date or the server.
RESPONSE_HEADERS = ("content-type", "retry-after", "www-authenticate")


def _request(request: Tree) -> Tree:
    return {
        "method": request["method"],
        "uri": request["uri"],
        "headers": {n: v for n, v in _told(request["headers"]) if n not in UNTOLD_HEADERS},
        **decoded(_string(request["body"])),
    }


def _response(response: Tree) -> Tree:
    return {
        "status": response["status"]["code"],
        "headers": {n: v for n, v in _told(response["headers"]) if n in RESPONSE_HEADERS},
        **decoded(_string(response["body"]["string"])),
    }


def _string(body: str | bytes | None) -> str:
    return body.decode() if isinstance(body, bytes) else body or ""


def _told(headers: Tree) -> Iterator[tuple[str, str]]:
    """Give headers by their names in lower case, in the order of these."""
    for name, value in sorted((name.lower(), value) for name, value in headers.items()):
        yield name, value if isinstance(value, str) else ", ".join(value)


def _lists(headers: dict[str, str]) -> dict[str, list[str]]:
    return {name: [value] for name, value in headers.items()}
