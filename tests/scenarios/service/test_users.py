"""Several users over HTTP: what one has is out of the others' reach, unless it is shared."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from gcompute.local import LocalService, User
from gcompute.local.document import operations
from gcompute.protocol import COMPUTE_SCOPE
from tests.scenarios.conftest import GROUP
from tests.scenarios.service.api import METADATA, SERIALIZER, Api, payload
from tests.scenarios.waiting import eventually

OTHER_GROUP = "70000000-0000-4000-8000-000000000007"
REGISTRATION = {"endpoint_name": "taken", "metadata": {}}
ENDPOINT, FUNCTION = "ENDPOINT_ACCESS_FORBIDDEN", "FUNCTION_ACCESS_FORBIDDEN"

#: For each operation that names something: what somebody is told who names another's.
REFUSALS: dict[str, tuple[int, str]] = {
    "get_endpoint": (403, ENDPOINT),
    "get_endpoint_status": (403, ENDPOINT),
    "get_endpoint_allowlist": (403, ENDPOINT),
    "get_endpoint_console": (403, ENDPOINT),
    "update_endpoint": (403, ENDPOINT),
    "register_endpoint_v2": (403, ENDPOINT),
    "lock_endpoint": (403, ENDPOINT),
    "lock_endpoint_v2": (403, ENDPOINT),
    "delete_endpoint": (403, ENDPOINT),
    "delete_endpoint_v2": (403, ENDPOINT),
    "set_subscription_admin_verified": (403, ENDPOINT),
    "submit": (403, ENDPOINT),
    "submit_v2": (403, ENDPOINT),
    "get_function": (403, FUNCTION),
    "delete_function": (403, FUNCTION),
    "get_task": (404, "TASK_NOT_FOUND"),
    "get_task_group": (403, "TASK_GROUP_ACCESS_FORBIDDEN"),
    "get_container": (404, "CONTAINER_NOT_FOUND"),
    "get_container_build": (404, "CONTAINER_NOT_FOUND"),
    # What it says of an endpoint that is none at all.
    "register_function": (422, "REQUEST_MALFORMED"),
}
#: Operations that name nothing that could be another's.
HARMLESS = {
    "get_version",
    "check_version",
    "check_authentication",
    "get_endpoints",
    "register_endpoint",
    "register_function_v2",
    "register_container",
    "build_container",
    "get_result_amqp_url",
    # Tested by itself: it answers for each id.
    "get_task_batch",
}


@dataclass
class Belongings:
    """What ada has."""

    endpoint: str
    function: str
    task: str
    group: str
    container: str
    ids: dict[str, str]

    def body(self, operation_id: str, bobs: Api) -> Any:
        """Give a request body that names something of hers."""
        bodies: dict[str, Any] = {
            "update_endpoint": REGISTRATION,
            "register_endpoint_v2": {"endpoint_name": "taken", "endpoint_uuid": self.endpoint},
            "set_subscription_admin_verified": {"subscription_admin_verified": False},
            "submit": {"tasks": {bobs.function(): [payload(1)]}},
            "submit_v2": {"tasks": [[bobs.function(), self.endpoint, payload(1)]]},
            "register_function": {
                "function_name": "f",
                "function_code": "3\n01\n",
                "meta": METADATA,
                "ha_endpoint_id": self.endpoint,
            },
        }
        return bodies.get(operation_id)


@pytest.fixture
def hers(api: Api) -> Belongings:
    """One of each kind, all private."""
    endpoint = api.endpoint(high_assurance=True)
    function = api.function()
    answer = api.submit(endpoint, function, 1, create_queue=True)
    (task,) = answer["tasks"][function]
    image = {"name": "c", "type": "docker", "location": "l"}
    container = api("register_container", image)["container_id"]
    ids = {
        "endpoint_uuid": endpoint,
        "function_uuid": function,
        "task_uuid": task,
        "task_group_uuid": answer["task_group_id"],
        "container_uuid": container,
        "container_type": "docker",
    }
    return Belongings(endpoint, function, task, answer["task_group_id"], container, ids)


def test_every_operation_is_looked_at() -> None:
    """An operation that is new must be sorted into one of the tables above."""
    assert REFUSALS.keys() | HARMLESS == operations().keys()
    assert not REFUSALS.keys() & HARMLESS


@pytest.mark.parametrize("operation_id", sorted(REFUSALS))
def test_what_is_anothers_is_refused(
    api: Api, bob: Api, hers: Belongings, operation_id: str
) -> None:
    """With the documented error; and for her everything is as it was."""
    wanted = [p.name for p in operations()[operation_id].parameters if p.where == "path"]
    ids = {name: hers.ids[name] for name in wanted}
    status, code = REFUSALS[operation_id]
    assert bob.refused(status, operation_id, hers.body(operation_id, bob), ids=ids) == code
    assert api("get_endpoint", endpoint_uuid=hers.endpoint)["name"] == "idle"
    assert api("update_endpoint", {"endpoint_name": "idle"}, endpoint_uuid=hers.endpoint)
    assert api("get_function", function_uuid=hers.function)
    assert api("get_task", task_uuid=hers.task)["status"] in ("received", "waiting-for-ep")
    assert len(api("get_task_group", task_group_uuid=hers.group)["tasks"]) == 1


def test_anothers_tasks_are_unknown_in_a_batch(bob: Api, hers: Belongings) -> None:
    """As those that nobody has."""
    nobodys = str(uuid.uuid4())
    results = bob("get_task_batch", {"task_ids": [hers.task, nobodys]})["results"]
    assert results[hers.task] == results[nobodys] | {"task_id": hers.task}


def test_nobody_submits_to_anothers_task_group(bob: Api, hers: Belongings) -> None:
    """By neither version; the older one, which makes groups, makes no second one."""
    endpoint, function = bob.endpoint(), bob.function()
    body: dict[str, Any] = {"tasks": {function: [payload(1)]}, "task_group_id": hers.group}
    code = bob.refused(403, "submit", body, endpoint_uuid=endpoint)
    assert code == "TASK_GROUP_ACCESS_FORBIDDEN"
    body["tasks"] = [[function, endpoint, payload(1)]]
    assert bob.refused(403, "submit_v2", body) == "TASK_GROUP_ACCESS_FORBIDDEN"


def test_nobody_runs_anothers_function(bob: Api, hers: Belongings) -> None:
    """Nor by the older submit."""
    endpoint = bob.endpoint()
    body: dict[str, Any] = {"tasks": {hers.function: [payload(1)]}}
    assert bob.refused(403, "submit", body, endpoint_uuid=endpoint) == FUNCTION
    body = {"tasks": [[hers.function, endpoint, payload(1)]]}
    assert bob.refused(403, "submit_v2", body) == FUNCTION


def test_anothers_endpoint_is_in_no_list(bob: Api, hers: Belongings) -> None:
    """Whatever role is asked for."""
    for role in ("owner", "any"):
        listed = [entry["uuid"] for entry in bob("get_endpoints", query={"role": role})]
        assert hers.endpoint not in listed


def test_a_deleted_endpoint_stays_its_owners(api: Api, bob: Api, hers: Belongings) -> None:
    """Nobody else gets its id, and with it the tasks that were meant for it."""
    api("delete_endpoint", endpoint_uuid=hers.endpoint)
    body = {"endpoint_name": "taken", "endpoint_uuid": hers.endpoint}
    assert bob.refused(403, "register_endpoint_v2", body) == ENDPOINT
    assert api("register_endpoint_v2", body)["endpoint_id"] == hers.endpoint


# What is shared


def test_a_public_endpoint_can_be_seen_and_not_used(api: Api, bob: Api) -> None:
    """It describes itself to everybody; what changes or uses it stays its owner's."""
    endpoint = api.endpoint(public=True)
    listed = [entry["uuid"] for entry in bob("get_endpoints", query={"role": "any"})]
    assert endpoint in listed
    assert endpoint not in [entry["uuid"] for entry in bob("get_endpoints")]
    assert bob("get_endpoint", endpoint_uuid=endpoint)["public"] is True
    assert bob("get_endpoint_status", endpoint_uuid=endpoint)["status"] == "offline"
    assert bob("get_endpoint_allowlist", endpoint_uuid=endpoint)["restricted"] is False
    tasks = {"tasks": {bob.function(): [payload(1)]}}
    assert bob.refused(403, "submit", tasks, endpoint_uuid=endpoint) == ENDPOINT
    for operation_id in ("get_endpoint_console", "lock_endpoint", "delete_endpoint"):
        assert bob.refused(403, operation_id, endpoint_uuid=endpoint) == ENDPOINT
    assert bob.refused(403, "update_endpoint", REGISTRATION, endpoint_uuid=endpoint) == ENDPOINT


def test_an_administrator_uses_and_changes_an_endpoint(
    api: Api, bob: Api, service: LocalService
) -> None:
    """He is named by his identity, in any spelling; who is not named any more is out again."""
    identity = service.identity_of("bob")
    endpoint = api.endpoint(admins=[identity.upper()])
    function = bob.function()
    (task,) = bob.submit(endpoint, function, 1)["tasks"][function]
    assert bob("get_endpoint_console", endpoint_uuid=endpoint)["user_endpoints"]
    body = REGISTRATION | {"admins": [identity]}
    assert bob("update_endpoint", body, endpoint_uuid=endpoint)["endpoint_id"] == endpoint
    assert api.refused(404, "get_task", task_uuid=task) == "TASK_NOT_FOUND"
    owners = {entry["owner"] for entry in api("get_endpoints") if entry["uuid"] == endpoint}
    assert owners == {service.identity_of("ada")}
    api("update_endpoint", REGISTRATION, endpoint_uuid=endpoint)
    assert bob.refused(403, "get_endpoint", endpoint_uuid=endpoint) == ENDPOINT


def test_the_services_own_endpoint_is_for_all_users(
    api: Api, bob: Api, service: LocalService
) -> None:
    """Each runs his functions there and sees his tasks; only the first may change it."""
    endpoint = service.endpoint_id
    listed = [entry["uuid"] for entry in bob("get_endpoints", query={"role": "any"})]
    assert endpoint in listed
    assert bob("get_endpoint_status", endpoint_uuid=endpoint)["status"] == "online"
    function = bob.function()
    (task,) = bob.submit(endpoint, function, -3)["tasks"][function]
    eventually(lambda: bob("get_task", task_uuid=task)["status"] == "success")
    assert SERIALIZER.deserialize(bob("get_task", task_uuid=task)["result"]) == 3
    assert api.refused(404, "get_task", task_uuid=task) == "TASK_NOT_FOUND"
    for operation_id in ("get_endpoint_console", "lock_endpoint", "delete_endpoint"):
        assert bob.refused(403, operation_id, endpoint_uuid=endpoint) == ENDPOINT
    assert bob.refused(403, "update_endpoint", REGISTRATION, endpoint_uuid=endpoint) == ENDPOINT


@pytest.mark.parametrize(
    ("sharing", "shared"),
    [
        ({"public": True}, True),
        ({"group": GROUP}, True),
        ({"group": GROUP.upper()}, True),
        ({"group": OTHER_GROUP}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("operation_id", ["register_function", "register_function_v2"])
def test_functions_are_shared_with_all_or_with_a_group(
    api: Api, bob: Api, sharing: dict[str, Any], shared: bool, operation_id: str
) -> None:
    """Whom it is shared with may look at it and call it, and never delete it."""
    body = {"function_name": "f", "function_code": "3\n01\n"} | sharing
    if operation_id == "register_function":
        body["meta"] = METADATA
    function = api(operation_id, body)["function_uuid"]
    tasks = {"tasks": {function: [payload(1)]}}
    endpoint = bob.endpoint()
    if shared:
        assert bob("get_function", function_uuid=function)["function_name"] == "f"
        assert bob("submit", tasks, endpoint_uuid=endpoint)["tasks"][function]
    else:
        assert bob.refused(403, "get_function", function_uuid=function) == FUNCTION
        assert bob.refused(403, "submit", tasks, endpoint_uuid=endpoint) == FUNCTION
    assert bob.refused(403, "delete_function", function_uuid=function) == FUNCTION
    assert api("get_function", function_uuid=function)


@pytest.fixture
def program(service: LocalService) -> Iterator[Api]:
    """The API as bob's client, which logged in by its secret."""
    variables = service.environment(client_credentials=True, user="bob")
    credentials = (
        variables["GLOBUS_COMPUTE_CLIENT_ID"],
        variables["GLOBUS_COMPUTE_CLIENT_SECRET"],
    )
    form = {"grant_type": "client_credentials", "scope": COMPUTE_SCOPE}
    answer = httpx.post(f"{service.url}/v2/oauth2/token", data=form, auth=credentials, timeout=30)
    made = Api(service.url, answer.json()["access_token"])
    yield made
    made.close()


def test_a_users_program_is_an_identity_in_his_groups(api: Api, bob: Api, program: Api) -> None:
    """What it submits is its own, and what his groups share it may use."""
    endpoint = program.endpoint()
    assert bob.refused(403, "get_endpoint", endpoint_uuid=endpoint) == ENDPOINT
    function = api.function(group=GROUP)
    (task,) = program.submit(endpoint, function, 1)["tasks"][function]
    assert bob.refused(404, "get_task", task_uuid=task) == "TASK_NOT_FOUND"
    assert program.refused(403, "get_function", function_uuid=bob.function()) == FUNCTION


# The names of users


def test_everybody_is_himself(service: LocalService) -> None:
    """Names, identities and clients; the first user is meant where none is named."""
    assert service.users == ["ada", "bob"]
    assert service.token == service.token_of("ada") != service.token_of("bob")
    assert service.environment(client_credentials=True) == service.environment(
        client_credentials=True, user="ada"
    )
    with pytest.raises(ValueError, match="no user 'eve'; it has ada, bob"):
        service.client(user="eve")


def test_clients_and_executors_are_somebodys(api: Api, bob: Api, service: LocalService) -> None:
    """What they register and submit is his who is named, and an executor takes no two users."""
    with service.client(user="bob") as client:
        function = client.register_function(abs)
        assert bob("get_function", function_uuid=function)
        assert api.refused(403, "get_function", function_uuid=function) == FUNCTION
        with pytest.raises(ValueError, match="pass user or client"):
            service.executor(user="ada", client=client)
    with service.executor(user="bob") as executor:
        future = executor.submit(pow, 2, 10)
        assert future.result(timeout=60) == 1024
    assert future.task_id is not None
    assert bob("get_task", task_uuid=future.task_id)["status"] == "success"
    assert api.refused(404, "get_task", task_uuid=future.task_id) == "TASK_NOT_FOUND"


def test_a_user_who_is_not_named_any_more_is_out(tmp_path: Any) -> None:
    """His token opens nothing until he is named again; then what he had is there."""
    with LocalService(0, state_dir=tmp_path, users=["ada", "bob"]) as service:
        token, identity = service.token_of("bob"), service.identity_of("bob")
        made = Api(service.url, token)
        endpoint = made.endpoint()
        made.close()
    with LocalService(0, state_dir=tmp_path, users=["eve"]) as service:
        made = Api(service.url, token)
        assert made.refused(401, "get_endpoints") == "USER_UNAUTHENTICATED"
        made.close()
    with LocalService(0, state_dir=tmp_path, users=[User("bob")]) as service:
        assert (service.token, service.identity_of("bob")) == (token, identity)
        made = Api(service.url, token)
        assert [entry["uuid"] for entry in made("get_endpoints")] == [endpoint]
        made.close()


def test_the_first_user_owns_the_endpoint_of_the_service(tmp_path: Any) -> None:
    """Also where the folder had another first user before."""
    with LocalService(1, state_dir=tmp_path, users=["ada", "bob"]) as service:
        endpoint = service.endpoint_id
    with LocalService(1, state_dir=tmp_path, users=["bob", "ada"]) as service:
        assert service.endpoint_id == endpoint
        (entry,) = service.client().get_endpoints()
        assert (entry["uuid"], entry["owner"]) == (endpoint, service.identity_of("bob"))
