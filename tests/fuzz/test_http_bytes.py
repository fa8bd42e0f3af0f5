"""Mutated HTTP requests on the bare socket: a refusal or silence, and nobody else notices."""

from __future__ import annotations

import json
import logging
import re
import socket
from collections import Counter
from random import Random
from urllib.parse import urlsplit

import httpx
import pytest

from gcompute.local.stack import Announcement
from tests.fuzz.campaign import CAMPAIGN
from tests.fuzz.mutation import mutated_bytes

#: How long a connection may stay when its peer has said all, in seconds.
_END_S = 20.0
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3})")


def _requests(token: str) -> list[bytes]:
    """Return requests that are right: with a body, in chunks, several on one connection."""
    common = f"host: localhost\r\nauthorization: Bearer {token}\r\n".encode()
    body = json.dumps({"task_ids": ["00000000-0000-4000-8000-000000000000"]}).encode()
    length = b"content-length: %d\r\n" % len(body)
    look = b"GET /v2/version?service=all HTTP/1.1\r\n" + common + b"\r\n"
    ask = b"POST /v2/batch_status HTTP/1.1\r\n" + common
    kind = b"content-type: application/json\r\n"
    chunks = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in (body[:9], body[9:]))
    return [
        look,
        ask + kind + length + b"\r\n" + body,
        ask + kind + b"transfer-encoding: chunked\r\n\r\n" + chunks + b"0\r\n\r\n",
        look * 3,
        b"GET http://localhost:5000/v2/version HTTP/1.1\r\n" + common + b"\r\n",
        ask + length + b"expect: 100-continue\r\n\r\n" + body,
    ]


def _talk(address: tuple[str, int], data: bytes) -> bytes:
    """Send bytes, hang up, and return all that comes until the service has closed."""
    with socket.create_connection(address, _END_S) as peer:
        replies = bytearray()
        try:
            peer.sendall(data)
            peer.shutdown(socket.SHUT_WR)
            while received := peer.recv(65536):
                replies += received
        except (ConnectionResetError, BrokenPipeError):
            # It had heard enough.
            return bytes(replies)
    return bytes(replies)


def test_broken_requests_end_their_own_connection_only(
    service: Announcement, caplog: pytest.LogCaptureFixture
) -> None:
    """No status of 500 or more, no error in the log, no connection that stays."""
    url = urlsplit(service["url"])
    assert url.hostname is not None
    assert url.port is not None
    requests = _requests(service["users"]["ann"]["token"])
    random = Random(f"{CAMPAIGN.start} http")
    statuses: Counter[int] = Counter()
    with (
        httpx.Client(base_url=service["url"], timeout=30) as bystander,
        caplog.at_level(logging.WARNING),
    ):
        for number in range(CAMPAIGN.cases):
            data = mutated_bytes(random, requests[number % len(requests)])
            found = [
                int(status) for status in _STATUS.findall(_talk((url.hostname, url.port), data))
            ]
            statuses.update(found)
            assert all(status < 500 for status in found), (found, data)
            if number % 10 == 0:
                assert bystander.get("/v2/version").status_code == 200
    complaints = {(record.name, record.getMessage()) for record in caplog.records}
    assert complaints <= {("uvicorn.error", "Invalid HTTP request received.")}
    assert {200, 400, 401, 404, 422} <= set(statuses)
