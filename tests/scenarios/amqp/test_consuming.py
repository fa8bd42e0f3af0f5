"""Consuming: who gets a message, how many at once, and what comes back in which order."""

from __future__ import annotations

import queue as queue_module
import threading

import pytest
from pika import spec

from tests.scenarios.amqp.driver import (
    OWNER,
    PATIENCE_S,
    Client,
    Target,
    channel_closes_with,
    connection_closes_with,
    fresh,
)

FIVE = [b"1", b"2", b"3", b"4", b"5"]


def test_messages_arrive_in_order(client: Client) -> None:
    """Those that waited first, then those that come."""
    queue = client.queue()
    client.publish(queue, *FIVE[:3])
    inbox = client.consume(queue)
    client.publish(queue, *FIVE[3:])
    inbox.wait_for(5)
    assert inbox.bodies == FIVE
    assert [message.tag for message in inbox.messages] == [1, 2, 3, 4, 5]


def test_a_delivery_names_exchange_key_and_consumer(client: Client) -> None:
    """As the publisher gave them."""
    queue = client.queue()
    client.channel.queue_bind(queue, "amq.topic", "a.#")
    inbox = client.consume(queue, consumer_tag="me")
    client.channel.basic_publish("amq.topic", "a.b", b"")
    method = inbox.wait_for(1)[0].method
    assert (method.exchange, method.routing_key, method.consumer_tag) == ("amq.topic", "a.b", "me")


def test_the_server_names_a_consumer_without_a_tag(target: Target) -> None:
    """The tag has the reserved prefix."""
    with target.wire().ready(target.urls[OWNER]) as wire:
        wire.method(1, spec.Queue.Declare(exclusive=True))
        wire.expect(spec.Queue.DeclareOk)
        wire.method(1, spec.Basic.Consume())
        assert wire.expect(spec.Basic.ConsumeOk).consumer_tag.startswith("amq.ctag-")


def test_an_exclusive_consumer_keeps_others_out(client: Client, other: Client) -> None:
    """A second consumer is 403; when the first has gone, it may come."""
    queue = client.queue(fresh("busy"), exclusive=False)
    first = client.consume(queue, exclusive=True)
    with channel_closes_with(403, "exclusive use"):
        other.consume(queue)
    client.channel.basic_cancel(first.consumer_tag)
    other.new_channel()
    other.consume(queue)
    with channel_closes_with(403, "exclusive use"):
        client.consume(queue, exclusive=True)
    other.channel.queue_delete(queue)


def test_an_exclusive_consumer_makes_room_when_its_connection_ends(
    target: Target, client: Client
) -> None:
    """An agent that comes back must get its queue again."""
    queue = client.queue(fresh("busy"), exclusive=False)
    with target.connect() as gone:
        gone.consume(queue, exclusive=True)
    client.consume(queue, exclusive=True)
    client.channel.queue_delete(queue)


def test_consuming_a_missing_queue_is_404(client: Client) -> None:
    """The channel closes."""
    with channel_closes_with(404, "no queue"):
        client.consume(fresh("missing"))


def test_consumers_take_turns(client: Client) -> None:
    """Two consumers of one queue get every other message."""
    queue = client.queue()
    first, second = client.consume(queue), client.consume(queue)
    client.publish(queue, b"1", b"2", b"3", b"4")
    first.wait_for(2)
    second.wait_for(2)
    assert sorted(first.bodies + second.bodies) == [b"1", b"2", b"3", b"4"]
    assert first.bodies in ([b"1", b"3"], [b"2", b"4"])


def test_cancel_stops_deliveries_and_keeps_what_is_unacknowledged(client: Client) -> None:
    """What was delivered can still be acknowledged."""
    queue = client.queue()
    client.publish(queue, b"1")
    inbox = client.consume(queue)
    tag = inbox.wait_for(1)[0].tag
    client.channel.basic_cancel(inbox.consumer_tag)
    client.publish(queue, b"2")
    client.channel.basic_ack(tag)
    assert client.get_all(queue) == [b"2"]
    assert inbox.bodies == [b"1"]


def test_cancelling_an_unknown_consumer_is_fine(target: Target) -> None:
    """The answer names the tag that was asked for."""
    with target.wire().ready(target.urls[OWNER]) as wire:
        wire.method(1, spec.Basic.Cancel(consumer_tag="nobody"))
        assert wire.expect(spec.Basic.CancelOk).consumer_tag == "nobody"


def test_a_consumer_hears_that_its_queue_is_deleted(client: Client, other: Client) -> None:
    """The broker sends basic.cancel, and the channel stays open."""
    queue = client.queue(fresh("doomed"), exclusive=False)
    cancelled: list[str] = []
    client.channel.add_on_cancel_callback(lambda frame: cancelled.append(frame.method.consumer_tag))
    inbox = client.consume(queue)
    other.channel.queue_delete(queue)
    client.wait_until(lambda: bool(cancelled))
    assert cancelled == [inbox.consumer_tag]
    assert client.channel.is_open


def test_a_client_that_does_not_know_cancel_is_spared(target: Target, client: Client) -> None:
    """Without the capability no basic.cancel is sent."""
    queue = client.queue(fresh("doomed"), exclusive=False)
    with target.wire().ready(target.urls[OWNER], capabilities=()) as wire:
        wire.method(1, spec.Basic.Consume(queue=queue))
        wire.expect(spec.Basic.ConsumeOk)
        client.channel.queue_delete(queue)
        wire.method(1, spec.Basic.Qos())
        wire.expect(spec.Basic.QosOk)


def test_get_tells_how_many_are_left(client: Client) -> None:
    """And an empty queue gives nothing."""
    queue = client.queue()
    client.publish(queue, b"1", b"2")
    method, _, body = client.channel.basic_get(queue, auto_ack=True)
    assert (body, method.message_count, method.redelivered) == (b"1", 1, False)
    assert client.get(queue) == b"2"
    assert client.channel.basic_get(queue)[0] is None


def test_without_acknowledgement_mode_messages_are_gone_once_sent(client: Client) -> None:
    """Nothing comes back when the channel closes."""
    queue = client.queue()
    client.publish(queue, b"1")
    client.consume(queue, auto_ack=True).wait_for(1)
    client.channel.close()
    client.new_channel()
    assert client.depth(queue) == 0


def test_prefetch_limits_each_consumer(client: Client) -> None:
    """Each acknowledgement makes room for one more."""
    queue = client.queue()
    client.publish(queue, *FIVE)
    client.channel.basic_qos(prefetch_count=2)
    inbox = client.consume(queue)
    inbox.wait_for(2)
    assert client.depth(queue) == 3
    client.channel.basic_ack(inbox.messages[0].tag)
    inbox.wait_for(3)
    assert client.depth(queue) == 2
    assert inbox.bodies == FIVE[:3]


def test_prefetch_holds_for_consumers_started_after_it(client: Client) -> None:
    """A consumer keeps the limit that it was started with."""
    first_queue, second_queue = client.queue(), client.queue()
    client.channel.basic_qos(prefetch_count=1)
    first = client.consume(first_queue)
    client.channel.basic_qos(prefetch_count=3)
    second = client.consume(second_queue)
    client.publish(first_queue, *FIVE)
    client.publish(second_queue, *FIVE)
    second.wait_for(3)
    first.wait_for(1)
    assert (client.depth(first_queue), client.depth(second_queue)) == (4, 2)


def test_global_prefetch_limits_the_channel(client: Client) -> None:
    """All consumers of the channel share it."""
    queues = [client.queue(), client.queue()]
    client.channel.basic_qos(prefetch_count=3, global_qos=True)
    inboxes = [client.consume(queue) for queue in queues]
    for queue in queues:
        client.publish(queue, *FIVE)
    client.wait_until(lambda: sum(len(inbox.messages) for inbox in inboxes) >= 3)
    assert sum(client.depth(queue) for queue in queues) == 7
    client.channel.basic_ack(0, multiple=True)
    client.wait_until(lambda: sum(len(inbox.messages) for inbox in inboxes) >= 6)
    assert sum(client.depth(queue) for queue in queues) == 4


def test_ack_of_many_covers_all_before_it(client: Client) -> None:
    """Only what came later is given back."""
    queue = client.queue()
    client.publish(queue, *FIVE)
    inbox = client.consume(queue)
    client.channel.basic_ack(inbox.wait_for(5)[2].tag, multiple=True)
    client.channel.close()
    client.new_channel()
    assert client.get_all(queue) == [b"4", b"5"]


def test_ack_of_tag_zero_covers_all(client: Client) -> None:
    """Zero with multiple stands for everything delivered so far."""
    queue = client.queue()
    client.publish(queue, *FIVE)
    client.consume(queue).wait_for(5)
    client.channel.basic_ack(0, multiple=True)
    client.channel.close()
    client.new_channel()
    assert client.depth(queue) == 0


@pytest.mark.parametrize("tag", [1, 7])
def test_acknowledging_an_unknown_tag_is_406(client: Client, tag: int) -> None:
    """A tag never given, and a tag acknowledged twice."""
    queue = client.queue()
    client.publish(queue, b"1")
    client.channel.basic_ack(client.consume(queue).wait_for(1)[0].tag)
    with channel_closes_with(406, f"unknown delivery tag {tag}"):
        client.channel.basic_ack(tag)
        client.settle()


def test_nack_puts_a_message_back_to_its_place(client: Client) -> None:
    """Before those that came after it, and marked as redelivered."""
    queue = client.queue()
    client.publish(queue, *FIVE)
    client.channel.basic_qos(prefetch_count=3)
    inbox = client.consume(queue)
    first = inbox.take(3)
    client.channel.basic_cancel(inbox.consumer_tag)
    client.channel.basic_nack(first[1].tag, requeue=True)
    client.channel.basic_nack(first[0].tag, requeue=True)
    client.channel.basic_nack(first[2].tag, requeue=True)
    again = client.consume(queue, auto_ack=True).wait_for(5)
    assert [message.body for message in again] == FIVE
    assert [message.redelivered for message in again] == [True, True, True, False, False]


def test_nack_of_many_requeues_in_order(client: Client) -> None:
    """All up to the tag come again, in the order in which they were published."""
    queue = client.queue()
    client.publish(queue, *FIVE)
    inbox = client.consume(queue)
    delivered = inbox.take(5)
    client.channel.basic_nack(delivered[3].tag, multiple=True, requeue=True)
    assert [message.body for message in inbox.take(4)] == FIVE[:4]


def test_nack_without_requeue_drops(client: Client) -> None:
    """The message is gone, room is made."""
    queue = client.queue()
    client.publish(queue, b"1", b"2")
    client.channel.basic_qos(prefetch_count=1)
    inbox = client.consume(queue)
    client.channel.basic_nack(inbox.take(1)[0].tag, requeue=False)
    assert inbox.take(1)[0].body == b"2"
    client.channel.close()
    client.new_channel()
    assert client.get_all(queue) == [b"2"]


@pytest.mark.parametrize(("requeue", "left"), [(True, [b"1"]), (False, [])])
def test_reject_requeues_or_drops(client: Client, requeue: bool, left: list[bytes]) -> None:
    """One message at a time."""
    queue = client.queue()
    client.publish(queue, b"1")
    method, _, _ = client.channel.basic_get(queue)
    client.channel.basic_reject(method.delivery_tag, requeue=requeue)
    assert client.get_all(queue) == left


def test_recover_redelivers_what_is_unacknowledged(client: Client) -> None:
    """To the same consumer if there is no other."""
    queue = client.queue()
    client.publish(queue, b"1", b"2")
    inbox = client.consume(queue)
    inbox.take(2)
    client.channel.basic_recover(requeue=True)
    again = inbox.take(2)
    assert [(message.body, message.redelivered) for message in again] == [
        (b"1", True),
        (b"2", True),
    ]


def test_recover_without_requeue_is_not_implemented(target: Target) -> None:
    """540 closes the connection."""
    with target.connect() as client, connection_closes_with(540):
        client.channel.basic_recover(requeue=False)


def test_a_lost_connection_gives_its_messages_back(target: Target, client: Client) -> None:
    """A consumer that dies without a word loses nothing."""
    queue = client.queue(fresh("shared"), exclusive=False)
    client.publish(queue, *FIVE)
    with target.wire().ready(target.urls[OWNER]) as wire:
        wire.method(1, spec.Basic.Consume(queue=queue))
        wire.expect(spec.Basic.ConsumeOk)
        wire.expect(spec.Basic.Deliver)
    again = client.consume(queue, auto_ack=True).wait_for(5)
    assert [message.body for message in again] == FIVE
    client.channel.queue_delete(queue)


def test_a_consumer_that_does_not_read_holds_up_nobody(target: Target, client: Client) -> None:
    """Deliveries to it wait, others go on, and it gets all when it reads again."""
    queue = client.queue(fresh("slow"), exclusive=False)
    part = bytes(2**20)
    with target.wire().ready(target.urls[OWNER]) as wire:
        wire.method(1, spec.Basic.Consume(queue=queue, no_ack=True))
        wire.expect(spec.Basic.ConsumeOk)
        client.publish(queue, *[part] * 40)
        quick = client.queue()
        client.publish(quick, b"quick")
        assert client.get(quick) == b"quick"
        received = 0
        while received < 40 * len(part):
            frame = wire.frame()
            assert frame is not None
            received += len(frame[2]) if frame[0] == 3 else 0
    client.channel.queue_delete(queue)


def test_consumers_in_several_connections_share_a_queue(target: Target, client: Client) -> None:
    """Each of 300 messages arrives at exactly one of three consumers, and is acknowledged."""
    queue = client.queue(fresh("shared"), exclusive=False)
    bodies = [b"%d" % number for number in range(300)]
    taken: queue_module.SimpleQueue[bytes] = queue_module.SimpleQueue()

    def work() -> None:
        with target.connect() as worker:
            worker.channel.basic_qos(prefetch_count=7)
            inbox = worker.consume(queue)
            while not inbox.cancelled:
                worker.wait_until(lambda: bool(inbox.messages) or inbox.cancelled)
                for message in inbox.take(len(inbox.messages)):
                    worker.channel.basic_ack(message.tag)
                    taken.put(message.body)

    threads = [threading.Thread(target=work, name=f"consumer {n}") for n in range(3)]
    for thread in threads:
        thread.start()
    client.ask_until(lambda: client.consumers(queue) == 3)
    client.publish(queue, *bodies)
    arrived = [taken.get(timeout=PATIENCE_S) for _ in bodies]
    client.channel.queue_delete(queue)
    for thread in threads:
        thread.join(PATIENCE_S)
    assert taken.empty()
    assert sorted(arrived) == sorted(bodies)
