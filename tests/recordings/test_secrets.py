"""No recording has a secret, or a name of the machine or person that recorded it."""

from __future__ import annotations

import base64
import getpass
import json
import platform
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from gcompute.serialize import ComputeSerializer, pack_buffers
from tests.recordings.playing import CASSETTES
from tools.recording.cassette_format import dump, load
from tools.recording.scrubbing import BROKER

Json = Any

_ROOT = CASSETTES.parent
FILES = sorted(path for path in CASSETTES.rglob("*") if path.suffix in (".yaml", ".jsonl"))

#: What secrets look like, by what they are.
SHAPES = {
    "a token": re.compile(
        r"[Bb]earer (?!token-of-\w+\b)(?!token is\b)\S+|\beyJ[\w-]{10,}\."
        r"|(?<![\w+/\n])(?<!\\n)Ag\w{40,}"
    ),
    "an authorization": re.compile(
        r"(?i)\bauthorization\W{1,4}(?!bearer\b)\w|\bbasic +[A-Za-z0-9+/]{8,}={0,2}(?![\w.,])"
    ),
    "a token by its name": re.compile(
        r"(?ia)(?:\b|_)(?:token|signature|api_?key|password|passwd)"
        r"(?:[\"']?(?:=|: ?)[\"']?|\x94?\x8c.)[\w%+/.-]{4,}"  # as text, and as a pickle
    ),
    "a key of a cloud": re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),
    "a private key": re.compile(r"-----BEGIN [A-Z ]*KEY"),
    "a password in a URL": re.compile(
        r"://(?!user:password@amqp\.example\.org)[^/\s\"']*@|(?i:%3a%2f%2f)[^/\s\"']*%40"
    ),
    "a login at the broker": re.compile(
        r"(?a)(?P<nul>\0|\\u0000)(?!user(?P=nul)password)[\w.@-]{2,}(?P=nul)[\w.+/=-]{4,}"
    ),
    "a cookie": re.compile(r"(?i)\bcookie\b"),
    "a client secret": re.compile(r"(?i)client_secret|secret_key|access_key"),
    "a folder of a person or machine": re.compile(r"/(?:home|root|Users|tmp|var|work|opt)/"),
    "an address of a machine": re.compile(
        r"(?<![\d.])(?!192\.0\.2\.1\b)(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"
    ),
    "an address of version 6": re.compile(
        r"(?ia)(?<![\w:])[0-9a-f]{1,4}(?::[0-9a-f]{0,4}){3,7}(?![\w:])"
    ),
    "a host's name": re.compile(r"(?i)\b[\w-]+\.[\w.-]*[\w-]\.(?:edu|gov|mil|local|internal)\b"),
    "a mail address": re.compile(
        r"[\w.+-]{2,}@(?!example\.org|amqp\.example\.org)[\w-]+\.[a-z]{2,}"
    ),
    "what the recorder planted": re.compile("canary"),
}
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]\s*){8,}={0,2}")


def _texts(path: Path) -> Iterator[str]:
    """Give a file, each text that is in it, and what is within the base64 and hex in these.

    The texts are those of the file's values: in the file itself, signs that stand for a new line
    look like a part of the base64 that follows.
    """
    text = path.read_text("utf-8")
    yield text
    trees = [load(text)] if path.suffix == ".yaml" else map(json.loads, text.splitlines())
    for tree in trees:
        for inner in _strings(tree):
            yield inner
            yield from _packed(inner)


def _strings(value: Json) -> Iterator[str]:
    """Give the texts of a value, keys of objects included, and ``name: text`` for the fields."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, dict):
        for key, each in value.items():
            yield f"{key}: {each}" if isinstance(each, str) else str(key)
            yield from _strings(each)


def _packed(text: str, depth: int = 2) -> Iterator[str]:
    """Give what is within the base64 and hex of a text, and within that once more.

    Nobody knows where base64 begins that follows other letters: each beginning is tried.
    """
    if not depth:
        return
    for found in _BASE64.finditer(text):
        packed = re.sub(r"\s|=", "", found[0])
        for start in range(4):
            part = packed[start:]
            inner = base64.b64decode(part[: len(part) - (len(part) % 4 == 1)] + "==").decode(
                "latin-1"
            )
            yield inner
            yield from _packed(inner, depth - 1)
        if re.fullmatch(r"(?:[0-9a-f]{2})+", packed):
            yield bytes.fromhex(packed).decode("latin-1")


def _found(texts: Iterator[str], shapes: dict[str, re.Pattern[str]]) -> list[str]:
    return [
        f"{what}: {match[0]!r}"
        for text in texts
        for what, shape in shapes.items()
        for match in shape.finditer(text)
    ]


@cache
def _names_of_here() -> set[str]:
    """Give what this machine and its user are called, where that is a name of theirs alone.

    Somebody may be called ``user``, as a field of the service is, or ``ci``, as some base64 is.
    """
    names = {socket.gethostname(), platform.release()}
    with suppress(KeyError, OSError):  # not everybody has a name
        names.add(getpass.getuser())
    sources = [_ROOT / "openapi" / "compute.yaml", *(_ROOT / "tools" / "recording").rglob("*.py")]
    public = "".join(path.read_text("utf-8") for path in sources)
    return {name for name in names if len(name) > 4 and name not in public}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CASSETTES)))
def test_nothing_secret_is_in_a_recording(path: Path) -> None:
    """By the shapes of secrets, and by what this machine is called."""
    names = {f"the name {name}": re.compile(re.escape(name)) for name in _names_of_here()}
    assert _found(_texts(path), SHAPES | names) == []


def _pickle(value: Json) -> str:
    """Give a value as workers send it, beside something else."""
    return pack_buffers([ComputeSerializer().serialize(each) for each in ({"b": 1}, [value])])


#: Forms in which a secret may be in a recording.
_PACKINGS: dict[str, Callable[[Json], Json]] = {
    "pickle": _pickle,
    "pickle of a pickle": lambda value: _pickle(_pickle(value)),
    "JSON": lambda value: f"12\n{json.dumps(value)}",
    "base64": lambda value: base64.b64encode(json.dumps({"a": value}).encode()).decode(),
    "hex": lambda value: {"hex": json.dumps({"a": value}).encode().hex()},
}


@pytest.mark.parametrize(
    "secret",
    [
        {"authorization": "Bearer AgEGq1o8lkBGz9nNWq0r"},
        {"authorization": "Basic Ym9iOnBhNTU="},
        {"authorization": "AgEGq1o8lkBGz9nNWq0r"},
        {"refresh_token": "abc123"},
        {"uri": "https://compute.example.org/v2/x?access_token=abc123"},
        {"location": "https://s3.example.org/x?X-Amz-Signature=0a1b2c"},
        {"password": "pa55word"},
        "eyJhbGciOiJIUzI1NiJ9.e30.x",
        "AKIAIOSFODNN7EXAMPLE",
        "aws_secret_access_key",
        "-----BEGIN RSA PRIVATE KEY-----",
        "amqps://somebody:pa55@broker.example.org/%2F",
        "https://somebody:pa55@example.org/",
        "amqps%3A%2F%2Fsomebody%3Apa55%40broker.example.org",
        {"response": "\0bob\0pa55"},
        {"set-cookie": "a=b"},
        "/home/bob/x",
        "10.1.2.3",
        "2001:db8::1",
        "node17.cluster.university.edu",
        "bob@university.edu",
        "canary-token",
    ],
)
@pytest.mark.parametrize("pack", [lambda v: v, *_PACKINGS.values()], ids=["plain", *_PACKINGS])
@pytest.mark.parametrize("suffix", [".yaml", ".jsonl"])
def test_a_secret_would_be_found(
    secret: Json, pack: Callable[[Json], Json], suffix: str, tmp_path: Path
) -> None:
    """Each shape of one, by itself and packed, in either kind of file."""
    path = tmp_path / f"x{suffix}"
    tree = {"seen": [{"a": pack(secret)}]}
    path.write_text(dump(tree) if suffix == ".yaml" else json.dumps(tree), "utf-8")
    assert _found(_texts(path), SHAPES)


def test_what_stands_in_their_place_is_none(tmp_path: Path) -> None:
    """Or the test above would find what the scrubbing writes."""
    path = tmp_path / "x.yaml"
    path.write_text(f"authorization: Bearer token-of-ada\nurl: {BROKER}\nip: 192.0.2.1\n")
    assert _found(_texts(path), SHAPES) == []
