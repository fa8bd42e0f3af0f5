"""The pace of what the recorder sends, and the note of what it registers."""

from __future__ import annotations

import json
from pathlib import Path
from unittest import mock

import pytest
import requests
import responses

from tools.recording import sending
from tools.recording.sending import Pace, watched_requests


def test_so_many_go_at_once_and_the_next_one_waits() -> None:
    """Until the first of them is a window old."""
    clock = mock.Mock()
    clock.monotonic.side_effect = [100.0, 100.0, 101.0, 101.0, 102.0, 110.0]
    with mock.patch.object(sending, "time", clock):
        pace = Pace(2, 10.0)
        for _ in range(3):
            pace.wait()
    waited = [call.args[0] for call in clock.sleep.call_args_list]
    assert waited == [0.0, 0.0, 8.0]


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
