"""Playing a recording fails for what is not in it, and tells what nobody asked for."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Any, cast

import pytest
from vcr.errors import CannotOverwriteExistingCassetteException

from gcompute import Client
from tests.recordings.deliberate import check
from tests.recordings.playing import named, played, recording
from tests.recordings.stages import BlockingStage
from tests.support.scripted_service import StaticAuthorizer
from tools.recording.scenario import Stage
from tools.recording.scrubbing import SERVICE

RECORDED = recording("client/version_check")


def _client(token: str = "token-of-ada") -> Client:
    return Client(
        base_url=SERVICE, authorizer=StaticAuthorizer(f"Bearer {token}"), request_limit=None
    )


def test_an_unknown_request_fails() -> None:
    """By path, and by who asks."""
    with played(RECORDED.path) as playback:
        with _client() as client, pytest.raises(CannotOverwriteExistingCassetteException):
            client.get_endpoints()
        refused = pytest.raises(CannotOverwriteExistingCassetteException, match="authorization")
        with _client("token-of-bob") as client, refused:
            client.version_check()
    assert [named(each) for each in playback.unknown] == ["GET /v2/endpoints", "GET /v2/version"]


def test_each_answer_is_given_once() -> None:
    """So the same request once more than recorded fails, and what was not made is named."""
    with played(RECORDED.path) as playback, _client() as client:
        for _ in range(3):
            client.version_check()
        assert [named(each) for each in playback.left] == [
            f"GET /v2/endpoints/{RECORDED.given['endpoint_id']}/status"
        ]
        with pytest.raises(CannotOverwriteExistingCassetteException):
            client.version_check()


def test_another_order_is_seen() -> None:
    """A client that asks for the versions last, where the official one did first."""

    def turned(tree: dict[str, Any]) -> dict[str, Any]:
        return tree | {"interactions": tree["interactions"][::-1]}

    with played(RECORDED.path, turned) as playback, ExitStack() as closing:
        stage = BlockingStage(RECORDED.given, closing)
        RECORDED.scenario.play(cast(Stage, stage))
        assert playback.left == []
        with pytest.raises(AssertionError, match="in another order"):
            check(stage, RECORDED, playback)
