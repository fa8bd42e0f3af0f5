"""What the recorder registers is noted, and nothing is sent once it was told to end."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
import requests
import responses

from tools.recording.sending import watched_requests


@pytest.mark.parametrize(
    ("path", "answer", "noted"),
    [
        (
            "/v3/functions",
            {"function_uuid": "f"},
            [{"kind": "functions", "id": "f", "user": "ada"}],
        ),
        ("/v2/endpoints", {"endpoint_id": "e"}, [{"kind": "endpoints", "id": "e", "user": "ada"}]),
        ("/v3/endpoints/e/submit", {"tasks": {}}, []),
    ],
)
def test_what_is_registered_is_noted(
    path: str, answer: dict[str, str], noted: list[dict[str, str]], tmp_path: Path
) -> None:
    """With its user, who is the one that may delete it."""
    file = tmp_path / "registered"
    with responses.RequestsMock() as service:
        service.post(f"http://service.test{path}", json=answer)
        with watched_requests(None, file, {"t": "ada"}):
            requests.post(
                f"http://service.test{path}", headers={"authorization": "Bearer t"}, timeout=5
            )
    lines = file.read_text().splitlines() if file.exists() else []
    assert [json.loads(line) for line in lines] == noted


def test_nothing_more_is_sent_by_who_was_told_to_end(tmp_path: Path) -> None:
    """But the process goes on until then, so that an answer is noted that is under way."""
    file, address = tmp_path / "registered", "http://service.test/v3/functions"
    headers = {"authorization": "Bearer t"}

    def told_meanwhile(_request: object) -> tuple[int, dict[str, str], str]:
        os.kill(os.getpid(), signal.SIGTERM)
        return 200, {}, json.dumps({"function_uuid": "f"})

    before = signal.getsignal(signal.SIGTERM)
    with responses.RequestsMock() as service:
        service.add_callback("POST", address, told_meanwhile)
        with watched_requests(None, file, {"t": "ada"}):
            requests.post(address, headers=headers, timeout=5)
            with pytest.raises(SystemExit, match="told to end, before POST"):
                requests.post(address, headers=headers, timeout=5)
    assert len(file.read_text().splitlines()) == 1
    assert signal.getsignal(signal.SIGTERM) is before
