"""Every operation of the API document, as it is when all is well."""

from __future__ import annotations

from typing import Any

from tools.recording.functions import SOURCES
from tools.recording.scenario import BOB, Stage, scenario

#: A subscription that an endpoint may name.
SUBSCRIPTION = "50000000-0000-4000-8000-000000000005"


def function(stage: Stage, name: str = "add", **more: Any) -> str:
    """Register a function by the present version."""
    body = {
        "function_name": name,
        "function_code": stage.code(name),
        "meta": {"python_version": "3.11.7", "sdk_version": "4.19.0", "serde_identifier": "01"},
    } | more
    return str(stage.call("register_function", body=body)["function_uuid"])


def endpoint(stage: Stage, **more: Any) -> str:
    """Register an endpoint that nobody serves."""
    answer = stage.call("register_endpoint", body={"endpoint_name": "idle"} | more)
    return str(answer["endpoint_id"])


@scenario("operations")
def versions(stage: Stage) -> None:
    """The service tells its version, and the oldest clients and agents that it accepts."""
    stage.note("version", stage.call("get_version"))
    stage.note("all", stage.call("get_version", query={"service": "all"}))
    stage.note("head", stage.call("check_version"))


@scenario("operations")
def authentication(stage: Stage) -> None:
    """A token that is good is told so."""
    stage.note("answer", stage.call("check_authentication"))


@scenario("operations")
def result_queues(stage: Stage) -> None:
    """The address of the result queues comes with credentials that are made for this request."""
    stage.note("fields", sorted(stage.call("get_result_amqp_url")))


@scenario("operations")
def endpoints(stage: Stage) -> None:
    """An endpoint is registered, changed, vouched for, looked at, locked and deleted."""
    mine = function(stage)
    document = {
        "endpoint_name": "mine",
        "display_name": "Mine",
        "metadata": {"description": "an endpoint", "hostname": "host.example.org"},
        "subscription_uuid": SUBSCRIPTION,
        "allowed_functions": [mine],
        "public": True,
    }
    registered = stage.call("register_endpoint", body=document)
    here = registered["endpoint_id"]
    stage.note("registered", sorted(registered))
    stage.call("update_endpoint", here, body=document | {"display_name": "Mine, too"})
    stage.call("set_subscription_admin_verified", here, body={"subscription_admin_verified": True})
    shown = stage.call("get_endpoint", here)
    stage.note("name", shown["display_name"])
    stage.note("verified", shown["subscription_admin_verified"])
    stage.note("status", stage.call("get_endpoint_status", here)["status"])
    stage.note("allowed", stage.call("get_endpoint_allowlist", here)["restricted"])
    stage.call("get_endpoint_console", here, query={"include_fields": "active"})
    stage.call("get_endpoint_console", here)
    stage.note("locked", stage.call("lock_endpoint", here)["endpoint_id"] == here)
    stage.note(
        "while locked", stage.raised(lambda: stage.call("update_endpoint", here, body=document))
    )
    stage.call("delete_endpoint", here)
    stage.note("afterwards", stage.raised(lambda: stage.call("get_endpoint", here)))


@scenario("operations")
def endpoints_of_version_2(stage: Stage) -> None:
    """The same by the older version, where the caller chooses the id."""
    here = "20000000-0000-4000-8000-000000000022"
    document = {"endpoint_name": "old", "endpoint_uuid": here, "version": "4.19.0"}
    stage.note("registered", sorted(stage.call("register_endpoint_v2", body=document)))
    stage.note("locked", sorted(stage.call("lock_endpoint_v2", here)))
    stage.note("deleted", stage.call("delete_endpoint_v2", here))


@scenario("operations")
def lists_of_endpoints(stage: Stage) -> None:
    """One's own by default, and all that one may use if asked for."""
    here = endpoint(stage)
    for query in (None, {"role": "owner"}, {"role": "any"}):
        listed = stage.call("get_endpoints", query=query)
        stage.note("listed", here in [entry["uuid"] for entry in listed])
    stage.call("delete_endpoint", here)


@scenario("operations")
def multi_user_endpoints(stage: Stage) -> None:
    """An endpoint for many users has a queue of commands in place of tasks."""
    document = {"endpoint_name": "many", "multi_user": True, "public": True}
    registered = stage.call("register_endpoint", body=document)
    here = registered["endpoint_id"]
    stage.note("registered", sorted(registered))
    stage.note("shown", stage.call("get_endpoint", here)["multi_user"])
    stage.note(
        "as one of another kind",
        stage.raised(
            lambda: stage.call("update_endpoint", here, body=document | {"multi_user": False})
        ),
    )
    stage.call("delete_endpoint", here)


@scenario("operations")
def functions(stage: Stage) -> None:
    """A function is registered, as a pickle and as source, described and deleted."""
    mine = function(stage, description="Add.", public=True)
    stage.note("described", stage.call("get_function", mine)["description"])
    source = function(stage, "double", function_code=SOURCES["double"], serialized=False)
    stage.note("code", stage.call("get_function", source)["function_code"])
    stage.note("deleted", stage.call("delete_function", mine))
    stage.call("delete_function", source)
    stage.note("afterwards", stage.raised(lambda: stage.call("get_function", mine)))


@scenario("operations")
def functions_of_version_2(stage: Stage) -> None:
    """The same by the older version."""
    document = {
        "function_name": "double",
        "function_code": stage.code("double"),
        "entry_point": "double",
        "description": "Say it twice.",
        "metadata": {"python_version": "3.11.7", "sdk_version": "4.19.0"},
        "public": False,
    }
    mine = stage.call("register_function_v2", body=document)["function_uuid"]
    stage.note("name", stage.call("get_function", mine)["function_name"])
    stage.call("delete_function", mine)


@scenario("operations", "agent")
def tasks(stage: Stage) -> None:
    """A batch of two functions is submitted, and asked for by task, by batch and by group."""
    adding, doubling = function(stage), function(stage, "double")
    given = {
        adding: [stage.payload(1), stage.payload(2, b=3)],
        doubling: [stage.payload("ab")],
    }
    submitted = stage.call("submit", stage.endpoint_id, body={"tasks": given, "create_queue": True})
    ids = [*submitted["tasks"][adding], *submitted["tasks"][doubling]]
    stage.until_finished(*ids)
    stage.note("status", stage.call("get_task", ids[0])["status"])
    results = stage.call("get_task_batch", body={"task_ids": ids})["results"]
    stage.note("results", [results[task]["result"] for task in ids])
    group = stage.call("get_task_group", submitted["task_group_id"])
    stage.note("group", sorted(task["id"] for task in group["tasks"]) == sorted(ids))
    more = {"tasks": {adding: [stage.payload(5)]}, "task_group_id": submitted["task_group_id"]}
    again = stage.call("submit", stage.endpoint_id, body=more)
    stage.until_finished(*again["tasks"][adding])
    stage.note("same group", again["task_group_id"] == submitted["task_group_id"])


@scenario("operations", "agent")
def tasks_of_version_2(stage: Stage) -> None:
    """By the older version, each task names its endpoint."""
    doubling = function(stage, "double")
    given = [[doubling, stage.endpoint_id, stage.payload(each)] for each in (1, "x")]
    answer = stage.call("submit_v2", body={"tasks": given})
    ids = [result["task_uuid"] for result in answer["results"]]
    stage.until_finished(*ids)
    results = stage.call("get_task_batch", body={"task_ids": ids})["results"]
    stage.note("results", [results[task]["result"] for task in ids])


@scenario("operations")
def containers(stage: Stage) -> None:
    """An image is registered and shown, and one is asked to be built."""
    image = {"name": "scipy", "type": "docker", "location": "images.example.org/scipy"}
    mine = stage.call("register_container", body=image)["container_id"]
    shown = stage.call("get_container", mine, "docker")["container"]
    stage.note("location", shown["location"])
    wanted: dict[str, Any] = {"name": "n", "apt": [], "pip": ["scipy"], "conda": []}
    built = stage.call("build_container", body=wanted)["container_id"]
    stage.note("build", stage.call("get_container_build", built)["status"])


@scenario("operations", "users")
def administrators(stage: Stage) -> None:
    """Who is named an administrator of an endpoint may change it."""
    here = endpoint(stage, admins=[stage.identity(BOB)], subscription_uuid=SUBSCRIPTION)
    document = {"endpoint_name": "idle", "display_name": "Bob's", "admins": [stage.identity(BOB)]}
    stage.call("update_endpoint", here, body=document, user=BOB)
    stage.note("name", stage.call("get_endpoint", here)["display_name"])
    stage.call("delete_endpoint", here)
