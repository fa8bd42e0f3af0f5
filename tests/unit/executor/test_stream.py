"""The stream of results by itself: what needs no broker that answers."""

from __future__ import annotations

import socket

import pytest

from gcompute.errors import ComputeError
from gcompute.executor.stream import ResultStream


@pytest.mark.parametrize("accepted", [False, True])
def test_it_can_be_stopped_while_it_connects(
    accepted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Also in the middle of the handshake, to which this broker never answers; quietly."""
    unavailable: list[ComputeError] = []
    with socket.create_server(("127.0.0.1", 0)) as broker:
        url = f"amqp://u:p@127.0.0.1:{broker.getsockname()[1]}/"
        stream = ResultStream(
            lambda: {"connection_url": url, "queue_prefix": ""},
            on_delivery=lambda delivery: None,
            on_reopened=lambda: None,
            on_unavailable=unavailable.append,
        )
        stream.watch("30000000-0000-4000-8000-000000000003")
        if accepted:
            connection, _ = broker.accept()
            with connection:
                assert connection.recv(4) == b"AMQP"  # the handshake has begun
                stream.stop()
                stream.join(10)
        stream.stop()
        stream.join(10)
    assert unavailable == []
    assert [r for r in caplog.records if r.name.startswith("gcompute")] == []
