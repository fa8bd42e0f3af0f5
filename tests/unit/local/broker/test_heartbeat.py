"""Heartbeats: who is told to send, and who is given up."""

from __future__ import annotations

from gcompute.local.broker.heartbeat import Heartbeat, Verdict


def test_an_idle_connection_sends() -> None:
    """Not in a half interval in which something was sent."""
    heartbeat = Heartbeat()
    assert heartbeat.tick() is Verdict.SEND
    heartbeat.sent()
    assert heartbeat.tick() is Verdict.NOTHING
    assert heartbeat.tick() is Verdict.SEND


def test_a_peer_is_dead_after_two_silent_intervals() -> None:
    """Four half intervals are tolerated, the fifth tick finds it dead."""
    heartbeat = Heartbeat()
    verdicts = [heartbeat.tick() for _ in range(5)]
    assert verdicts == [Verdict.SEND] * 4 + [Verdict.DEAD]


def test_anything_received_proves_life() -> None:
    """The count starts again."""
    heartbeat = Heartbeat()
    for _ in range(20):
        assert heartbeat.tick() is not Verdict.DEAD
        heartbeat.received()
