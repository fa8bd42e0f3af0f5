"""No recording has a secret, or a name of the machine or person that recorded it."""

from __future__ import annotations

import base64
import binascii
import getpass
import platform
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.recordings.playing import CASSETTES
from tools.recording.scrubbing import BROKER

FILES = sorted(path for path in CASSETTES.rglob("*") if path.suffix in (".yaml", ".jsonl"))

#: What secrets look like, by what they are.
SHAPES = {
    "a token": re.compile(
        r"[Bb]earer (?!token-of-\w+\b)(?!token is\b)\S+|\beyJ[\w-]{10,}\.|\bAg[\w]{40,}"
    ),
    "a password in a URL": re.compile(r"://(?!user:password@amqp\.example\.org)[^/\s\"']*@"),
    "a login at the broker": re.compile(r'"response": "(?!\\u0000user\\u0000password")[^"]'),
    "a cookie": re.compile(r"(?i)\bcookie\b"),
    "a client secret": re.compile(r"(?i)client_secret|secret_key"),
    "a folder of a person or machine": re.compile(r"/(?:home|root|Users|tmp|var|work|opt)/"),
    "an address of a machine": re.compile(
        r"(?<![\d.])(?!192\.0\.2\.1\b)(?:\d{1,3}\.){3}\d{1,3}(?![\d.])"
    ),
    "a mail address": re.compile(
        r"[\w.+-]{2,}@(?!example\.org|amqp\.example\.org)[\w-]+\.[a-z]{2,}"
    ),
    "what the recorder planted": re.compile("canary"),
}
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4}(?:\\n|\s)*){4,}(?:[A-Za-z0-9+/]{2,3}={0,2})?")


def _texts(path: Path) -> Iterator[str]:
    """Give a file, and what is within the base64 in it."""
    text = path.read_text("utf-8")
    yield text
    for found in _BASE64.finditer(text):
        packed = re.sub(r"\\n|\s", "", found[0])
        try:
            yield base64.b64decode(packed + "=" * (-len(packed) % 4)).decode("latin-1")
        except binascii.Error:
            continue


def _found(texts: Iterator[str], shapes: dict[str, re.Pattern[str]]) -> list[str]:
    return [
        f"{what}: {match[0]!r}"
        for text in texts
        for what, shape in shapes.items()
        for match in shape.finditer(text)
    ]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CASSETTES)))
def test_nothing_secret_is_in_a_recording(path: Path) -> None:
    """By the shapes of secrets, and by what this machine is called."""
    here = {socket.gethostname(), platform.release(), getpass.getuser()} - {"", "root", "localhost"}
    names = {f"the name {name}": re.compile(re.escape(name)) for name in here}
    assert _found(_texts(path), SHAPES | names) == []


@pytest.mark.parametrize(
    "secret",
    [
        "authorization: Bearer AgEGq1o8lkBGz9nNWq0r",
        "eyJhbGciOiJIUzI1NiJ9.e30.x",
        "amqps://somebody:pa55@broker.example.org/%2F",
        '"response": "\\u0000bob\\u0000pa55"',
        "set-cookie: a=b",
        "/home/bob/x",
        "10.1.2.3",
        "bob@university.edu",
        "canary-token",
        base64.encodebytes(b"a pickle with /home/bob/project in it, and more of it").decode(),
    ],
)
def test_a_secret_would_be_found(secret: str, tmp_path: Path) -> None:
    """Each shape of one."""
    path = tmp_path / "x.yaml"
    path.write_text(secret)
    assert _found(_texts(path), SHAPES)


def test_what_stands_in_their_place_is_none(tmp_path: Path) -> None:
    """Or the test above would find what the scrubbing writes."""
    path = tmp_path / "x.yaml"
    path.write_text(f"authorization: Bearer token-of-ada\nurl: {BROKER}\nip: 192.0.2.1\n")
    assert _found(_texts(path), SHAPES) == []
