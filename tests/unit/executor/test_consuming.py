"""One queue on a channel of its own, and what a channel that closes leaves behind."""

from __future__ import annotations

from typing import Any, cast

import pytest

from gcompute.executor import consuming
from gcompute.executor.consuming import Delivery, QueueConsumer
from tests.unit.executor.model import Broker, Channel, Clock, Connection, Message, Task
from tests.unit.executor.stand_ins import GROUP


class Setting:
    """A consumer, the model's broker, and what both say."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.broker = Broker()
        self.connection = Connection(self.broker, self.clock)
        self.heard: list[Any] = []
        #: What the broker was told: tag, and with or without those before it.
        self.acks: list[tuple[int, bool]] = []
        self.consumer = QueueConsumer(cast(Any, self.connection), "", GROUP, self)

    def delivered(self, delivery: Delivery) -> None:
        self.heard.append(delivery.token.tag)

    def digest(self) -> None:
        self.heard.append("digest")

    def consuming(self, task_group_id: str) -> None:
        self.heard.append("consuming")

    def interrupted(self, task_group_id: str, reason: str) -> None:
        self.heard.append("interrupted")

    def opens(self, *, seconds: float = 0.0) -> Channel:
        """Let a channel be opened, and keep what is acknowledged on it."""
        self.clock.advance(seconds)
        while self.connection.ioloop.run_next():
            pass
        channel = self.connection.channels[-1]
        ack = channel.basic_ack

        def keep(tag: int, multiple: bool) -> None:
            self.acks.append((tag, multiple))
            ack(tag, multiple)

        channel.basic_ack = keep  # type: ignore[method-assign]
        return channel

    def deliver(self, channel: Channel, count: int) -> None:
        for number in range(count):
            channel.deliver(Message(Task(str(number), "ada", "x", GROUP), assured=False))


@pytest.fixture
def setting() -> Setting:
    """Give a consumer of a queue that is there."""
    made = Setting()
    made.broker.queues[GROUP] = []
    return made


def test_large_messages_are_dealt_with_before_more_is_read(setting: Setting) -> None:
    """When pika holds them no longer: not in its callback, but before it reads again."""
    channel = setting.opens()
    for size in (10, 100_000):
        channel.deliver(Message(Task("1", "ada", "x" * size, GROUP), assured=False))
    assert setting.heard == ["consuming", 1, 2]
    setting.opens()
    assert setting.heard == ["consuming", 1, 2, "digest"]


def test_a_queue_that_is_not_there_is_tried_again() -> None:
    """After a while, for as long as the connection is there."""
    setting = Setting()
    setting.opens()
    assert setting.heard == ["interrupted"]
    setting.opens()
    assert setting.heard == ["interrupted"]
    setting.broker.queues[GROUP] = []
    setting.opens(seconds=60)
    assert setting.heard == ["interrupted", "consuming"]


def test_a_queue_that_was_consumed_for_long_is_tried_again_soon(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Failures of yesterday do not count; those of a moment ago do."""
    monkeypatch.setattr(consuming, "time", setting.clock)
    channel = setting.opens()

    def close() -> float:
        channel.end(KeyError("closed"))
        at = setting.connection.ioloop.next_at()
        assert at is not None
        return at - setting.clock.now

    for _ in range(8):
        wait_s = close()
        channel = setting.opens(seconds=60)
    assert wait_s > 10
    setting.clock.advance(3600)
    assert close() < 1


def test_tags_are_counted_on_from_channel_to_channel(setting: Setting) -> None:
    """So that a delivery of an older channel is never taken for one of the new."""
    setting.deliver(setting.opens(), 2)
    setting.connection.channels[-1].end(KeyError("closed"))
    setting.deliver(setting.opens(seconds=60), 2)
    assert setting.heard == ["consuming", 1, 2, "interrupted", "consuming", 3, 4]
    for tag in (3, 4):
        setting.consumer.handled(tag)
    setting.consumer.acknowledge()
    assert setting.acks == [(2, True)]


def test_what_an_older_channel_delivered_means_nothing(setting: Setting) -> None:
    """It was given back with the channel: to hold, release or handle it now does nothing."""
    setting.deliver(setting.opens(), 3)
    setting.consumer.hold(1)
    setting.connection.channels[-1].end(KeyError("closed"))
    setting.deliver(setting.opens(seconds=60), 3)
    setting.consumer.hold(2)
    for tag in (3, 4, 5):
        setting.consumer.handled(tag)
    setting.consumer.acknowledge()
    assert setting.acks == [(2, True)]
    for tag in (1, 2, 3):
        setting.consumer.release(tag)
    assert list(setting.connection.channels[-1].unacknowledged) == [3]


def test_without_a_channel_nothing_is_told(setting: Setting) -> None:
    """Between two channels, and after the connection."""
    setting.deliver(setting.opens(), 2)
    setting.consumer.hold(1)
    setting.connection.channels[-1].end(KeyError("closed"))
    setting.consumer.handled(2)
    setting.consumer.acknowledge()
    setting.consumer.release(1)
    assert setting.acks == []
    assert len(setting.broker.queues[GROUP]) == 2
