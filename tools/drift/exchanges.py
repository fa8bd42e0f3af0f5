"""What was recorded: requests to the service with their answers, one `Exchange` each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import yaml

from tools.recording.cassette_format import load

Json = Any

#: The body of a message that has one which is not JSON.
NO_JSON = object()


class WrongRecording(Exception):
    """A recording cannot be read; the message names it."""


@dataclass(frozen=True)
class Exchange:
    """One recorded request, and its answer.

    Attributes:
        recording: the file and the place in it, for messages.
        origin: scheme and host of the request.
        sent: whether the request has a body; `request` is it.
        answered: whether the answer has a body; `answer` is it.
    """

    recording: str
    method: str
    origin: str
    path: str
    query: tuple[tuple[str, str], ...]
    sent: bool
    request: Json
    status: int
    answered: bool
    answer: Json


@dataclass(frozen=True)
class Recording:
    """One scenario's recording: what made it, and its exchanges."""

    name: str
    head: Mapping[str, str]
    exchanges: tuple[Exchange, ...]


def read_recordings(folder: Path) -> Iterator[Recording]:
    """Read every recording below a folder, in the order of their names.

    Raises:
        WrongRecording: a file is not one, or not one that the recorder wrote.
    """
    for file in sorted(folder.rglob("*.yaml")):
        name = str(file.relative_to(folder))
        try:
            tree = load(file.read_text("utf-8"))
            exchanges = [
                _exchange(f"{name}, request {number}", each)
                for number, each in enumerate(tree["interactions"], 1)
            ]
            yield Recording(name, tree["head"], tuple(exchanges))
        except (yaml.YAMLError, KeyError, TypeError) as error:
            raise WrongRecording(
                f"{file}: is not a recording as `make record` writes them: {error!r}"
            ) from error


def _exchange(recording: str, interaction: Json) -> Exchange:
    request, response = interaction["request"], interaction["response"]
    uri = urlsplit(request["uri"])
    sent, request_body = _body(request)
    answered, answer_body = _body(response)
    return Exchange(
        recording=recording,
        method=request["method"],
        origin=f"{uri.scheme}://{uri.netloc}",
        path=unquote(uri.path),
        query=tuple(parse_qsl(uri.query, keep_blank_values=True)),
        sent=sent,
        request=request_body,
        status=int(response["status"]),
        answered=answered,
        answer=answer_body,
    )


def _body(message: Json) -> tuple[bool, Json]:
    if "json" in message:
        return True, message["json"]
    return (True, NO_JSON) if message.get("text") else (False, None)
