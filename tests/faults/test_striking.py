"""Each fault of the proxies reaches a client as what it claims to be."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pika
import pika.exceptions
import pytest

from gcompute.local.broker import Broker
from tests.support.amqp_proxy import AmqpProxy
from tests.support.http_front import HttpFront, Request, answer, cut_short
from tests.support.tcp_proxy import TcpProxy

_QUEUE = "results"
_WAIT_S = 30.0


@asynccontextmanager
async def _proxied() -> AsyncIterator[tuple[AmqpProxy, str]]:
    """Give a proxy before a broker, and the URL that a client has of it."""
    broker = Broker()
    await broker.start()
    broker.add_user("ada", "lovelace", configure=".*", write=".*", read=".*")
    try:
        async with AmqpProxy(broker.port) as proxy:
            yield proxy, proxy.grant(broker.url("ada"))
    finally:
        await broker.stop()


class _Consumer:
    """A blocking client that consumes a queue with three messages. Its methods run in a thread."""

    def __init__(self, url: str) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self.channel = self._connection.channel()
        self.channel.queue_declare(_QUEUE)
        for number in range(3):
            self.channel.basic_publish("", _QUEUE, f"message {number}".encode())
        self.received: list[bytes] = []
        self.channel.basic_consume(_QUEUE, lambda *arguments: self.received.append(arguments[3]))
        self.until(lambda: len(self.received) >= 3)

    def until(self, holds: Callable[[], bool]) -> None:
        """Handle what comes until it holds, or the connection ends."""
        for _ in range(int(_WAIT_S / 0.05)):
            self._connection.process_data_events(0.05)
            if holds():
                return
        raise TimeoutError("it did not come true")

    def close(self) -> None:
        """Close the connection, if it is open."""
        if self._connection.is_open:
            self._connection.close()


async def _struck(strike: Callable[[AmqpProxy], None], then: Callable[[_Consumer], Any]) -> Any:
    """Do something to a client that consumes, and give what it says of it."""
    async with _proxied() as (proxy, url):
        consumer = await asyncio.to_thread(_Consumer, url)
        strike(proxy)
        try:
            return await asyncio.to_thread(then, consumer)
        finally:
            await asyncio.to_thread(consumer.close)


def test_messages_pass_unchanged() -> None:
    """What the proxy is not told to change, it does not."""
    got = asyncio.run(_struck(lambda _proxy: None, lambda consumer: consumer.received))
    assert got == [b"message 0", b"message 1", b"message 2"]


def test_a_closed_channel_says_why_and_leaves_the_connection(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Code and text arrive, what was not acknowledged comes again on the next channel."""

    def reopen(consumer: _Consumer) -> list[bytes]:
        consumer.until(lambda: not consumer.channel.is_open)
        consumer.received.clear()
        channel = consumer._connection.channel()
        channel.basic_consume(_QUEUE, lambda *arguments: consumer.received.append(arguments[3]))
        consumer.until(lambda: len(consumer.received) >= 3)
        return consumer.received

    got = asyncio.run(_struck(lambda proxy: proxy.close_channels(406, "too slow"), reopen))
    assert got == [b"message 0", b"message 1", b"message 2"]
    assert "(406): 'too slow'" in caplog.text


def test_a_cancelled_consumer_hears_of_it() -> None:
    """The consumer is gone, the channel stays."""

    def hear(consumer: _Consumer) -> bool:
        consumer.until(lambda: not consumer.channel.consumer_tags)
        return bool(consumer.channel.is_open)

    assert asyncio.run(_struck(AmqpProxy.cancel_consumers, hear))


def test_revoked_credentials_close_the_connection_and_are_refused() -> None:
    """Neither the open connection nor another with the same password is left."""

    async def revoke() -> None:
        async with _proxied() as (proxy, url):
            consumer = await asyncio.to_thread(_Consumer, url)
            proxy.revoke()
            with pytest.raises(pika.exceptions.ConnectionClosedByBroker, match="320"):
                await asyncio.to_thread(consumer.until, lambda: False)
            with pytest.raises(pika.exceptions.ProbableAuthenticationError):
                await asyncio.to_thread(_Consumer, url)

    asyncio.run(revoke())


def test_a_client_takes_the_heartbeat_that_it_is_told() -> None:
    """By it, it finds out that a connection has fallen silent."""

    async def agree() -> int:
        async with _proxied() as (proxy, url):
            proxy.heartbeat_s = 7
            consumer = await asyncio.to_thread(_Consumer, url)
            await asyncio.to_thread(consumer.close)
            return int(consumer._connection._impl.params.heartbeat)

    assert asyncio.run(agree()) == 7


def test_garbled_messages_keep_their_length_and_lose_their_sense() -> None:
    """Every second one here."""

    async def garble() -> list[bytes]:
        async with _proxied() as (proxy, url):
            proxy.garble_every = 2
            consumer = await asyncio.to_thread(_Consumer, url)
            await asyncio.to_thread(consumer.close)
            return consumer.received

    first, second, third = asyncio.run(garble())
    assert (first, third) == (b"message 0", b"message 2")
    assert second != b"message 1"
    assert len(second) == len(b"message 1")


@asynccontextmanager
async def _echoing() -> AsyncIterator[TcpProxy]:
    """Give a proxy before a server that says what it hears."""

    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            writer.write(line)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, TcpProxy(server.sockets[0].getsockname()[1]) as proxy:
        yield proxy


async def _ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    writer.write(b"still there?\n")
    async with asyncio.timeout(0.5):
        return await reader.readline()


def test_a_proxy_that_refuses_takes_connections_again_at_its_port() -> None:
    """As a server that was started again; what was cut stays cut."""

    async def refuse() -> None:
        async with _echoing() as proxy:
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            assert await _ask(reader, writer)
            proxy.refuse()
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection("127.0.0.1", proxy.port)
            assert await _ask(reader, writer)
            proxy.cut()
            with pytest.raises(ConnectionResetError):
                await reader.read()
            writer.close()
            await proxy.accept()
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            assert await _ask(reader, writer)
            writer.close()

    asyncio.run(refuse())


def test_a_stalled_connection_is_silent_and_open() -> None:
    """Nothing comes back, nobody hangs up, and the next connection is fine."""

    async def stall() -> None:
        async with _echoing() as proxy:
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            assert await _ask(reader, writer)
            proxy.stall()
            with pytest.raises(TimeoutError):
                await _ask(reader, writer)
            assert not reader.at_eof()
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            assert await _ask(reader, writer)
            writer.close()

    asyncio.run(stall())


def test_a_front_answers_in_the_place_of_its_service() -> None:
    """Before it, after it, and in the middle of its answer; everything else passes."""

    async def ask() -> None:
        async with HttpFront("") as service, HttpFront(service.url) as front:
            service.inject(lambda _request: True, answer(200, {"from": "the service"}), times=9)
            front.inject(_to("/first"), answer(502, {}, retry_after=3))
            front.inject(_to("/taken"), answer(502, {}, forward=True))
            front.inject(_to("/cut"), cut_short)
            async with httpx.AsyncClient(base_url=front.url, trust_env=False) as client:
                first = await client.get("/first")
                assert (first.status_code, first.headers["retry-after"]) == (502, "3")
                assert service.exchanges == []
                assert (await client.post("/taken", json={})).status_code == 502
                assert [request.path for request, _ in service.exchanges] == ["/taken"]
                with pytest.raises(httpx.RemoteProtocolError, match=r"peer closed|disconnected"):
                    await client.get("/cut")
                assert (await client.get("/else")).json() == {"from": "the service"}

    asyncio.run(ask())


def _to(path: str) -> Callable[[Request], bool]:
    return lambda request: request.path == path
