"""Ports that are kept: the same after a restart, and what happens when that cannot be."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from gcompute.local import ports
from gcompute.local.http_server import AddressTaken
from gcompute.local.ports import listen_again
from gcompute.local.store import Store
from tests.support.event_loop import in_event_loop

HOST = "127.0.0.1"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty state."""
    opened = Store(tmp_path)
    yield opened
    opened.close()


def port_of(listener: socket.socket) -> int:
    """Close a listener; give its port."""
    port: int = listener.getsockname()[1]
    listener.close()
    return port


@in_event_loop
async def test_a_port_is_kept(store: Store) -> None:
    """Each part of a service has its own."""
    web = port_of(await listen_again(store, "web service", HOST))
    broker = port_of(await listen_again(store, "broker", HOST))
    assert web != broker
    assert port_of(await listen_again(store, "web service", HOST)) == web
    assert port_of(await listen_again(store, "broker", HOST)) == broker


@in_event_loop
async def test_a_port_that_is_given_counts(store: Store) -> None:
    """From then on it is the one that is kept."""
    port_of(await listen_again(store, "broker", HOST))
    with socket.create_server((HOST, 0)) as probe:
        free = probe.getsockname()[1]
    assert port_of(await listen_again(store, "broker", HOST, free)) == free
    assert port_of(await listen_again(store, "broker", HOST)) == free


@in_event_loop
async def test_a_port_that_is_given_and_taken_is_an_error(store: Store) -> None:
    """At once, and nothing else is listened to."""
    with socket.create_server((HOST, 0)) as other, pytest.raises(AddressTaken):
        await listen_again(store, "broker", HOST, other.getsockname()[1])


@in_event_loop
async def test_a_kept_port_that_is_taken_for_good_is_given_up(
    store: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says what that means for those who know the former one."""
    monkeypatch.setattr(ports, "_INSIST_S", 0.0)
    former = port_of(await listen_again(store, "broker", HOST))
    with socket.create_server((HOST, former)), caplog.at_level(logging.WARNING):
        another = port_of(await listen_again(store, "broker", HOST))
    assert another != former
    assert f"the broker was at port {former}, which is taken now" in caplog.text
    assert port_of(await listen_again(store, "broker", HOST)) == another


@in_event_loop
async def test_a_kept_port_that_is_free_soon_is_waited_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as one that a client's own connection attempt has got."""
    former = port_of(await listen_again(store, "broker", HOST))
    other = socket.create_server((HOST, former))

    async def release(_: float) -> None:
        other.close()

    monkeypatch.setattr(asyncio, "sleep", release)
    assert port_of(await listen_again(store, "broker", HOST)) == former
