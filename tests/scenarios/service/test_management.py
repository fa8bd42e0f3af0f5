"""Users of a RabbitMQ by its management: made when needed, removed when not, and what can fail."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from gcompute.local import LocalService, LocalServiceFailed
from gcompute.local.names import LOGINS
from tests.scenarios.service.api import Api, payload
from tests.scenarios.service.queues import channel
from tests.support.ports import closed_port
from tests.support.rabbitmq import RabbitMQ


class Management:
    """The management of a node, as its administrator."""

    def __init__(self, node: RabbitMQ) -> None:
        self.http = httpx.Client(base_url=node.management_url(), timeout=30)

    def users(self) -> set[str]:
        """Names of all users of the node."""
        return {user["name"] for user in self.http.get("/api/users").raise_for_status().json()}

    def add(self, name: str, password: str, tags: str) -> None:
        """Add a user who may do everything in the virtual host, and see in here what tags let."""
        body: dict[str, str] = {"password": password, "tags": tags}
        self.http.put(f"/api/users/{name}", json=body).raise_for_status()
        body = {"configure": ".*", "write": ".*", "read": ".*"}
        self.http.put(f"/api/permissions/%2F/{name}", json=body).raise_for_status()


@pytest.fixture
def management(rabbitmq: RabbitMQ) -> Iterator[Management]:
    """The management of the private RabbitMQ."""
    made = Management(rabbitmq)
    yield made
    made.http.close()


def test_users_of_the_broker_go_with_the_service(
    rabbitmq: RabbitMQ, management: Management
) -> None:
    """As many as are needed while it runs, and none of them later."""
    before = management.users()
    with LocalService(
        1, rabbitmq.url(), broker_management=rabbitmq.management_url(), users=["ada", "bob"]
    ) as service:
        started = management.users() - before
        assert [name for name in started if name.endswith(f".endpoint.{service.endpoint_id}")]
        assert len(started) == 1
        ada = Api(service.url, service.token)
        for _ in range(2 * LOGINS + 1):
            ada("get_result_amqp_url")
        assert len(management.users() - before) == 1 + LOGINS
        endpoint = ada.endpoint()
        assert len(management.users() - before) == 2 + LOGINS
        ada("delete_endpoint", endpoint_uuid=endpoint)
        assert len(management.users() - before) == 1 + LOGINS
        ada.close()
    assert management.users() == before


def test_who_is_no_user_any_more_is_off_the_broker(
    rabbitmq: RabbitMQ, management: Management, tmp_path: Path
) -> None:
    """A service that keeps its state keeps the users of the broker for who still is one."""
    before = management.users()

    def service(*users: str) -> LocalService:
        url = rabbitmq.management_url()
        return LocalService(
            0, rabbitmq.url(), broker_management=url, users=users, state_dir=tmp_path
        )

    with service("ada", "bob") as running:
        for user in running.users:
            api = Api(running.url, running.token_of(user))
            access = api("get_result_amqp_url")
            api.close()
        bobs = running.identity_of("bob")
    assert len(management.users() - before) == 2
    with service("ada"):
        (left,) = management.users() - before
        assert bobs not in left
        with pytest.raises(Exception, match="ACCESS_REFUSED"), channel(access["connection_url"]):
            pass
    management.http.delete(f"/api/users/{left}").raise_for_status()


def test_the_brokers_own_credentials_serve_for_its_management(rabbitmq: RabbitMQ) -> None:
    """Where the URL of the management has none."""
    place = rabbitmq.management_url().rpartition("@")[2]
    with LocalService(0, rabbitmq.url(), broker_management=f"http://{place}/") as service:
        api = Api(service.url, service.token)
        assert api("get_result_amqp_url")["connection_url"] != rabbitmq.url()
        api.close()


@pytest.mark.parametrize("tags", ["", "monitoring"])
def test_a_user_who_may_not_manage_is_named(
    rabbitmq: RabbitMQ, management: Management, tags: str
) -> None:
    """With what would let him; the password is not shown."""
    management.add("plain", "hidden", tags)
    place = rabbitmq.management_url().rpartition("@")[2]
    service = LocalService(0, rabbitmq.url(), broker_management=f"http://plain:hidden@{place}")
    with pytest.raises(
        LocalServiceFailed, match=r"'plain'.*set_user_tags plain administrator"
    ) as caught:
        service.start()
    assert "hidden" not in str(caught.value)
    management.http.delete("/api/users/plain").raise_for_status()


def test_a_wrong_password_is_named_as_the_cause(rabbitmq: RabbitMQ) -> None:
    """And is not shown."""
    place = rabbitmq.management_url().rpartition("@")[2]
    service = LocalService(0, rabbitmq.url(), broker_management=f"http://tests:hidden@{place}")
    with pytest.raises(LocalServiceFailed, match=r"'tests'.*check his password") as caught:
        service.start()
    assert "hidden" not in str(caught.value)


def test_a_management_that_is_not_there_is_named(rabbitmq: RabbitMQ) -> None:
    """With its host and port."""
    with closed_port() as port:
        place = f"127.0.0.1:{port}"
        service = LocalService(0, rabbitmq.url(), broker_management=f"http://u:hidden@{place}")
        with pytest.raises(LocalServiceFailed, match=rf"does not answer at .*:{port}") as caught:
            service.start()
    assert "hidden" not in str(caught.value)


def test_without_management_the_log_warns_once(rabbitmq: RabbitMQ, management: Management) -> None:
    """Everybody has the account of the URL, and no user is made; over HTTP all is as ever."""
    before = management.users()
    with LocalService(1, rabbitmq.url(), users=["ada", "bob"]) as service:
        apis = [Api(service.url, service.token_of(user)) for user in service.users]
        for api in apis:
            assert api("get_result_amqp_url")["connection_url"] == rabbitmq.url()
        endpoint = apis[0].endpoint()
        assert apis[1].refused(403, "get_endpoint", endpoint_uuid=endpoint)
        assert apis[0]("lock_endpoint", endpoint_uuid=endpoint)
        for api in apis:
            api.close()
        log = (service.state_dir / "service.log").read_text()
        assert log.count("are not separated at the broker") == 1
        assert management.users() == before


def test_a_broker_that_is_full_is_named_as_the_reason(
    rabbitmq: RabbitMQ, management: Management
) -> None:
    """Who registers an endpoint reads which limit was reached; what there is works on."""
    place = "/api/vhosts/small"
    management.http.put(place).raise_for_status()
    rights = {"configure": ".*", "write": ".*", "read": ".*"}
    management.http.put("/api/permissions/small/tests", json=rights).raise_for_status()
    # Two for the service, one for an endpoint.
    limit = management.http.put("/api/vhost-limits/small/max-queues", json={"value": 3})
    limit.raise_for_status()
    broker = rabbitmq.url().replace("%2F", "small")
    try:
        with LocalService(0, broker) as service, closing(Api(service.url, service.token)) as api:
            endpoint = api.endpoint()
            body = {"endpoint_name": "one too many", "metadata": {}}
            refused = api.send("register_endpoint", body)
            assert refused.status_code == 500
            assert "queue limit in vhost 'small' (3) is reached" in refused.json()["reason"]
            assert api("get_endpoint", endpoint_uuid=endpoint)["uuid"] == endpoint
    finally:
        management.http.delete(place).raise_for_status()


def test_what_the_broker_refuses_is_one_users_trouble(rabbitmq: RabbitMQ) -> None:
    """A submit whose queue cannot be made is refused with the broker's words; the next one is not,
    as the service is connected all the time."""
    group = str(uuid.uuid4())
    with (
        LocalService(0, rabbitmq.url(), broker_management=rabbitmq.management_url()) as service,
        closing(Api(service.url, service.token)) as api,
    ):
        endpoint, function = api.endpoint(), api.function()
        queue = api("get_result_amqp_url")["queue_prefix"] + group
        with channel(rabbitmq.url()) as opened:
            # Another one than the service would make.
            opened.queue_declare(queue, durable=True)
            body = {"task_group_id": group, "tasks": [[function, endpoint, payload(1)]]}
            refusal = api.send("submit_v2", body)
            assert refusal.status_code == 500
            assert "PRECONDITION_FAILED" in refusal.json()["reason"]
            assert api.submit(endpoint, function, 1, create_queue=True)["tasks"]
            opened.queue_delete(queue)
            assert api("submit_v2", body)["task_group_id"] == group
