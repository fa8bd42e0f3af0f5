"""Names and permissions of a service at its broker."""

from __future__ import annotations

import re
import uuid

from gcompute.local.names import Names, beginning_with, only, sender

NAMES = Names("gcompute-0123456789ab", "secret")


def test_routing_keys_name_their_sender() -> None:
    """From the routing key of a result or a report the service reads whose it is."""
    endpoint = str(uuid.uuid4())
    assert sender(NAMES.result_key(endpoint)) == endpoint
    assert sender(NAMES.heartbeat_key(endpoint)) == endpoint


def test_a_pattern_grants_the_names_and_nothing_that_contains_them() -> None:
    """Brokers search patterns in names, so they are anchored, and dots are dots."""
    exchange = NAMES.result_exchange("e")
    pattern = re.compile(only(exchange))
    assert pattern.search(exchange)
    assert not pattern.search(f"{exchange}.more")
    assert not pattern.search(f"x{exchange}")
    assert not pattern.search(exchange.replace(".", "-"))
    assert not pattern.search(NAMES.result_exchange("f"))


def test_a_user_reads_his_own_queues_only() -> None:
    """The permission for one user's prefix does not cover another user's queue."""
    mine, other, group = "user-1", "user-2", str(uuid.uuid4())
    pattern = re.compile(beginning_with(NAMES.queue_prefix(mine)))
    assert pattern.search(NAMES.group_queue(mine, group))
    assert not pattern.search(NAMES.group_queue(other, group))
    assert not pattern.search(NAMES.task_queue(mine))


def test_services_share_no_name() -> None:
    """Two services on one broker have nothing in common."""
    other = Names("gcompute-ba9876543210", "secret")
    for attribute in ("task_exchange", "result_queue", "heartbeat_queue"):
        assert getattr(NAMES, attribute) != getattr(other, attribute)
    assert NAMES.task_queue("e") != other.task_queue("e")


def test_names_cannot_be_made_up_from_ids() -> None:
    """Queues of somebody have what only the service can make in their names; always the same."""
    other = Names(NAMES.identity, "another secret")
    for name in ("task_queue", "command_queue", "queue_prefix"):
        assert getattr(NAMES, name)("x") == getattr(NAMES, name)("x")
        assert getattr(NAMES, name)("x") != getattr(other, name)("x")
        assert getattr(NAMES, name)("x").split(".")[3] != getattr(NAMES, name)("y").split(".")[3]
    assert "secret" not in repr(NAMES)
