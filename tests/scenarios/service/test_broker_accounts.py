"""Several users at the broker: each reaches what is his, and nothing else, however he tries.

Bob tries with both accounts that he can have: the one that reads his results, and that of an
endpoint of his own. He knows every name that ada was told, and her ids.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pika
import pika.exceptions
import pytest

from gcompute.messages import ResultMessage, decode, encode
from tests.scenarios.service.api import Api
from tests.scenarios.service.queues import channel, receive
from tests.scenarios.service.test_routing import Endpoint
from tests.scenarios.waiting import eventually

FORBIDDEN = 403


@dataclass
class Party:
    """What a user was told of his places at the broker."""

    api: Api
    endpoint: Endpoint
    task: str
    group: str
    #: The answer to the question for results.
    access: dict[str, str]

    @property
    def results(self) -> str:
        """The queue of his task group."""
        return self.access["queue_prefix"] + self.group

    @property
    def tasks(self) -> str:
        """The queue of his endpoint."""
        return str(self.endpoint.info["task_queue_info"]["queue"])

    @property
    def task_exchange(self) -> str:
        """Where his endpoint's tasks come from."""
        return str(self.endpoint.info["task_queue_info"]["exchange"])

    @property
    def publishing(self) -> dict[str, Any]:
        """How his endpoint publishes results."""
        return dict(self.endpoint.info["result_queue_info"]["queue_publish_kwargs"])

    def urls(self) -> list[str]:
        """His accounts."""
        return [
            self.access["connection_url"],
            self.endpoint.info["task_queue_info"]["connection_url"],
        ]


def _party(api: Api) -> Party:
    endpoint = Endpoint(api)
    task, group = endpoint.task(create_queue=True)
    return Party(api, endpoint, task, group, api("get_result_amqp_url"))


@pytest.fixture
def ada(api: Api) -> Party:
    """Somebody with a task that waits."""
    return _party(api)


@pytest.fixture
def thief(bob: Api) -> Party:
    """Somebody with a task, too, and bad intentions."""
    return _party(bob)


@contextmanager
def refused(code: int = FORBIDDEN) -> Iterator[None]:
    """Expect the broker to close the channel."""
    with pytest.raises(pika.exceptions.ChannelClosedByBroker) as error:
        yield
    assert error.value.reply_code == code


#: A method of a channel, and what it is called with.
Attempt = tuple[str, dict[str, Any]]


def _on_queue(ada: Party, queue: str) -> list[Attempt]:
    """What he tries with a queue of somebody's."""
    task = {"exchange": ada.task_exchange, "routing_key": ada.endpoint.id}
    return [
        ("basic_consume", {"queue": queue, "on_message_callback": print}),
        ("basic_get", {"queue": queue}),
        ("queue_purge", {"queue": queue}),
        ("queue_delete", {"queue": queue}),
        ("queue_declare", {"queue": queue, "durable": True}),
        ("queue_bind", {"queue": queue, "exchange": "amq.direct", "routing_key": "k"}),
        ("queue_unbind", {"queue": queue} | task),
        ("basic_publish", {"exchange": "", "routing_key": queue, "body": b"x"}),
    ]


def _on_exchange(ada: Party, thief: Party, exchange: str) -> list[Attempt]:
    """What he tries with an exchange of somebody's."""
    key = ada.publishing["routing_key"]
    # A copy of what is hers, into a queue of his own.
    tap = {"queue": thief.results, "exchange": exchange, "routing_key": ada.endpoint.id}
    return [
        ("basic_publish", {"exchange": exchange, "routing_key": key, "body": b"x"}),
        (
            "basic_publish",
            {"exchange": exchange, "routing_key": ada.endpoint.id, "body": b"x"},
        ),
        ("exchange_delete", {"exchange": exchange}),
        ("exchange_declare", {"exchange": exchange, "durable": True}),
        ("queue_bind", tap),
    ]


def _attempts(ada: Party, thief: Party) -> list[Attempt]:
    """All that he tries. All of it is refused."""
    services = ada.endpoint.info["result_queue_info"]["queue"]
    reports = ada.endpoint.info["heartbeat_queue_info"]["queue"]
    attempts: list[Attempt] = [
        ("queue_declare", {"queue": "mine", "exclusive": True}),
        ("queue_declare", {"queue": ada.access["queue_prefix"] + "more"}),
        ("exchange_declare", {"exchange": "mine"}),
    ]
    for queue in (ada.results, ada.tasks, services, reports):
        attempts += _on_queue(ada, queue)
    for exchange in (ada.task_exchange, ada.publishing["exchange"]):
        attempts += _on_exchange(ada, thief, exchange)
    return attempts


@pytest.mark.parametrize("account", [0, 1], ids=["user", "endpoint"])
def test_nothing_of_anothers_is_within_reach(ada: Party, thief: Party, account: int) -> None:
    """Whatever he does to it is refused with 403, and what waits there is still hers."""
    url = thief.urls()[account]
    with channel(url) as opened:
        for method, arguments in _attempts(ada, thief):
            trial = opened.connection.channel()
            trial.confirm_delivery()
            with refused():
                getattr(trial, method)(**arguments)
    with channel(ada.urls()[1]) as opened:
        ((properties, _),) = receive(opened, ada.tasks)
    assert properties.headers["task_uuid"] == ada.task
    ada.endpoint.result(ResultMessage(ada.task, "hers"))
    with channel(ada.access["connection_url"]) as opened:
        ((_, body),) = receive(opened, ada.results)
    assert decode(body) == ResultMessage(ada.task, "hers")


def test_what_is_ones_own_is_within_reach(thief: Party) -> None:
    """The refusals above are about whose it is, not about what is done."""
    reader, worker = thief.urls()
    with channel(worker) as opened:
        ((properties, _),) = receive(opened, thief.tasks)
        assert properties.headers["task_uuid"] == thief.task
    thief.endpoint.result(ResultMessage(thief.task, "his"))
    with channel(reader) as opened:
        ((_, body),) = receive(opened, thief.results)
    assert decode(body) == ResultMessage(thief.task, "his")
    # His own queue, but not for him to change.
    with channel(reader) as opened, refused():
        opened.queue_delete(thief.results)
    with channel(reader) as opened, refused():
        opened.basic_publish("", thief.results, b"x")


def test_an_endpoint_signs_as_itself_only(ada: Party, thief: Party) -> None:
    """Its own exchange takes no result in another's name, so that none arrives."""
    forged = encode(ResultMessage(ada.task, "forged"))
    with channel(thief.urls()[1]) as opened, pytest.raises(pika.exceptions.UnroutableError):
        opened.basic_publish(
            thief.publishing["exchange"], ada.publishing["routing_key"], forged, mandatory=True
        )
    thief.endpoint.result(ResultMessage(ada.task, "forged"))
    thief.endpoint.result(ResultMessage(thief.task, "his"))
    eventually(lambda: thief.api("get_task", task_uuid=thief.task)["status"] == "success")
    assert ada.api("get_task", task_uuid=ada.task)["status"] != "success"


def test_names_of_anothers_queues_cannot_be_made_up(ada: Party, thief: Party) -> None:
    """Brokers tell everybody whether a queue exists: he who has ids but no names finds none."""
    mine, hers = (party.access["queue_prefix"].split(".") for party in (thief, ada))
    with_her_id = ".".join([*mine[:2], hers[2], *mine[3:]]) + ada.group
    her_tasks = thief.tasks.replace(thief.endpoint.id, ada.endpoint.id)
    assert ada.endpoint.id in her_tasks
    for name in (with_her_id, thief.access["queue_prefix"] + ada.group, her_tasks):
        for url in thief.urls():
            with channel(url) as opened, refused(404):
                opened.queue_declare(name, passive=True)


def test_credentials_are_void_elsewhere(ada: Party, thief: Party) -> None:
    """A user with another's password, or without any, does not get in."""
    hers, his = (pika.URLParameters(party.access["connection_url"]) for party in (ada, thief))
    for password in (his.credentials.password, ""):
        his.credentials = pika.PlainCredentials(hers.credentials.username, password)
        with pytest.raises(pika.exceptions.ProbableAuthenticationError):
            pika.BlockingConnection(his)


def test_a_lock_shuts_out_one_endpoint(ada: Party, thief: Party) -> None:
    """Its user is gone from the broker at once, and others go on."""
    with channel(ada.urls()[1]) as hers, channel(thief.urls()[1]) as his:
        ada.api("lock_endpoint", endpoint_uuid=ada.endpoint.id)
        with pytest.raises(pika.exceptions.ConnectionClosedByBroker):
            hers.connection.process_data_events(20)
        assert his.queue_declare(thief.tasks, passive=True)
    with channel(ada.access["connection_url"]) as opened:
        assert opened.queue_declare(ada.results, passive=True)


def test_a_deleted_endpoint_is_shut_out(ada: Party) -> None:
    """Its connection closes, its user is gone, and so are its queue and its exchange."""
    url, exchange = ada.urls()[1], ada.publishing["exchange"]
    with channel(url) as opened:
        ada.api("delete_endpoint", endpoint_uuid=ada.endpoint.id)
        with pytest.raises(pika.exceptions.ConnectionClosedByBroker):
            opened.connection.process_data_events(20)
    with pytest.raises(pika.exceptions.ProbableAuthenticationError), channel(url):
        pass
    with channel(ada.access["connection_url"]) as opened, refused(404):
        opened.queue_declare(ada.tasks, passive=True)
    with channel(ada.access["connection_url"]) as opened, refused(404):
        opened.exchange_declare(exchange, passive=True)
