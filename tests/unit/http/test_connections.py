"""Connections: lent to many, and closed when nobody uses them."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import httpx
import pytest

from gcompute import http
from gcompute.calls import Call
from gcompute.http.connections import Connections
from gcompute.login import Login
from tests.support.scripted_service import StaticAuthorizer

WAIT_S = 60


def test_none_is_made_before_it_is_used() -> None:
    """Making and closing what was never used make no httpx client."""
    made: list[httpx.Client] = []

    def make() -> httpx.Client:
        made.append(httpx.Client())
        return made[-1]

    connections = Connections(make)
    connections.close()
    assert made == []
    with connections.use() as first, connections.use() as second:
        assert first is second
    assert len(made) == 1
    connections.close()
    connections.close()
    assert made[0].is_closed


def test_what_is_in_use_is_closed_after_its_last_user() -> None:
    """Closing leaves a user's connections open until he is done; who comes later has others."""
    connections = Connections(httpx.Client)
    closed = []
    with connections.use() as old:
        with ExitStack() as another:
            assert another.enter_context(connections.use()) is old
            connections.close()
            closed.append(old.is_closed)
        closed.append(old.is_closed)
        with connections.use() as new:
            assert new is not old
    closed += [old.is_closed, new.is_closed]
    assert closed == [False, False, True, False]
    connections.close()
    assert new.is_closed


def test_a_user_who_fails_is_done_as_well() -> None:
    """An exception in a request does not keep the connections open for ever."""
    connections = Connections(httpx.Client)
    used: list[httpx.Client] = []

    def fail() -> None:
        with connections.use() as http_client:
            used.append(http_client)
            connections.close()
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert used[0].is_closed


class _HeldAnswer:
    """A service that reads a request, says so, and answers when it is told to."""

    def __init__(self, listener: socket.socket) -> None:
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        self.asked = threading.Event()
        self.answer = threading.Event()
        self._listener = listener

    def serve(self) -> None:
        connection, _ = self._listener.accept()
        with connection:
            connection.recv(65536)
            self.asked.set()
            self.answer.wait(WAIT_S)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


@contextmanager
def _holding() -> Iterator[_HeldAnswer]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        service = _HeldAnswer(listener)
        thread = threading.Thread(target=service.serve)
        thread.start()
        try:
            yield service
        finally:
            service.answer.set()
            thread.join(WAIT_S)


def test_closing_leaves_a_request_its_answer() -> None:
    """A thread that waits for an answer gets it, though another one closes meanwhile."""
    with _holding() as service:
        api = http.ServiceAPI(service.url, Login(authorizer=StaticAuthorizer()))
        answers: list[Any] = []

        def ask() -> None:
            answers.append(api.call(Call("service.get_version", {})))

        thread = threading.Thread(target=ask)
        thread.start()
        assert service.asked.wait(WAIT_S)
        api.close()
        service.answer.set()
        thread.join(WAIT_S)
        assert answers == [{}]
