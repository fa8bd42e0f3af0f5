"""Recorded scenarios of the official ``Executor``, HTTP and AMQP, played with ours."""

from __future__ import annotations

import pytest

from tests.recordings.deliberate import check
from tests.recordings.performing import perform
from tests.recordings.playing import names_of, recording

#: What our client does at the broker that the official one does not.
BEYOND = {"Basic.Qos", "Basic.Cancel", "Channel.Close", "Connection.Close"}


@pytest.mark.parametrize("name", names_of("executor"))
def test_ours_asks_and_sees_the_same(name: str) -> None:
    """Requests, frames that matter and results are those of the official Executor."""
    recorded = recording(name)
    played = perform(recorded)
    assert played.errors == []
    check(played.stage, recorded, played.playback)
    assert played.beyond <= BEYOND
