"""A state that cannot be written when the broker tells what it has: said, and no reason to stop."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import pytest

from gcompute.local.amqp import AmqpLink
from gcompute.local.consumed import Consumed
from gcompute.local.dispatch import Dispatcher
from gcompute.local.names import Names
from gcompute.local.results import Results
from gcompute.local.store import Store
from gcompute.local.store.tasks import WaitingTask
from tests.support.event_loop import in_event_loop

NAMES = Names("gcompute", "secret")


class Confirming:
    """A link whose broker confirms all messages at once."""

    def publish(self, *_: object, **__: object) -> asyncio.Future[None]:
        """Confirm a message."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.set_result(None)
        return future


@pytest.fixture
def full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Store]:
    """A store without room."""

    @contextmanager
    def transaction() -> Iterator[None]:
        yield
        raise sqlite3.OperationalError("database or disk is full")

    store = Store(tmp_path)
    monkeypatch.setattr(store, "transaction", transaction)
    yield store
    store.close()


def _dispatch(store: Store) -> Callable[[], None]:
    dispatcher = Dispatcher(cast(AmqpLink, Confirming()), NAMES, store)
    dispatcher.send([WaitingTask(1, "t", "f", "", "e", None, [])], {"f": ""})
    return dispatcher.close


def _forward(store: Store) -> Callable[[], None]:
    results = Results(cast(AmqpLink, Confirming()), NAMES, store, result_lifetime=1.0)
    results._forwarded([1])
    return results.close


def _consume(store: Store) -> Callable[[], None]:
    consumed = Consumed(NAMES, store)
    consumed.add(NAMES.group_queue("user", "group"), "t")
    consumed.add(NAMES.result_queue, "not a user's")
    return consumed.flush


@pytest.mark.parametrize(
    ("happen", "said"),
    [
        (_dispatch, "1 tasks may be sent twice"),
        (_forward, "1 results may come twice"),
        (_consume, "1 results may come twice after a restart"),
    ],
)
def test_the_service_goes_on_and_stops_in_order(
    full: Store,
    caplog: pytest.LogCaptureFixture,
    happen: Callable[..., Callable[[], None]],
    said: str,
) -> None:
    """The log says what may come of it."""

    @in_event_loop
    async def run() -> None:
        stop = happen(full)
        await asyncio.sleep(0)
        stop()

    run()
    (record,) = caplog.records
    assert said in record.getMessage()
    assert "full" in record.getMessage()
