"""Recordings are read as the recorder writes them."""

from pathlib import Path
from typing import Any

import pytest

from tools.drift.exchanges import NO_JSON, WrongRecording, read_recordings
from tools.recording.cassette_format import CassetteFormat


def interaction(body: bytes | None, answer: bytes) -> dict[str, Any]:
    """What vcrpy hands to the recorder's format."""
    return {
        "request": {
            "method": "GET",
            "uri": "https://compute.example.org/v2/endpoints?role=any&x=",
            "headers": {"Accept": ["application/json"]},
            "body": body,
        },
        "response": {
            "status": {"code": 200, "message": "OK"},
            "headers": {"Content-Type": ["application/json"]},
            "body": {"string": answer},
        },
    }


def test_what_the_recorder_writes_is_read(tmp_path: Path) -> None:
    """Address, query, both bodies, and where it stands."""
    written = CassetteFormat(lambda: {"head": {"client": "c 1"}}).serialize(
        {"interactions": [interaction(b'{"a": 1}', b"[2]"), interaction(None, b"busy")]}
    )
    (tmp_path / "client").mkdir()
    (tmp_path / "client" / "one.yaml").write_text(written, "utf-8")
    (tmp_path / "README.md").write_text("no recording", "utf-8")
    (recording,) = read_recordings(tmp_path)
    assert (recording.name, recording.head) == ("client/one.yaml", {"client": "c 1"})
    first, second = recording.exchanges
    assert (first.recording, second.recording) == (
        "client/one.yaml, request 1",
        "client/one.yaml, request 2",
    )
    assert (first.method, first.origin, first.path) == (
        "GET",
        "https://compute.example.org",
        "/v2/endpoints",
    )
    assert first.query == (("role", "any"), ("x", ""))
    assert (first.sent, first.request) == (True, {"a": 1})
    assert (first.status, first.answered, first.answer) == (200, True, [2])
    assert (second.sent, second.request) == (False, None)
    assert (second.answered, second.answer) == (True, NO_JSON)


@pytest.mark.parametrize("text", ["a: [", "head: {}", "interactions: 1", "- 1", ""])
def test_a_file_that_is_no_recording_is_named(tmp_path: Path, text: str) -> None:
    """Whatever is wrong with it."""
    (tmp_path / "broken.yaml").write_text(text, "utf-8")
    with pytest.raises(WrongRecording, match=r"broken\.yaml: is not a recording"):
        list(read_recordings(tmp_path))
