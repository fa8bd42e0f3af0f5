"""What users do with a ``Client``."""

from __future__ import annotations

from tools.recording.functions import SOURCES
from tools.recording.scenario import BOB, LATE, STRANGER, Stage, scenario
from tools.recording.scenarios.operations import SUBSCRIPTION
from tools.recording.scenarios.refusals import NOTHING

#: A group that ada and bob are in, where there are several users.
GROUP = "60000000-0000-4000-8000-000000000006"


@scenario("client", "agent")
def register_and_run(stage: Stage) -> None:
    """A function is registered, run, and its result fetched once it is there."""
    client = stage.client()
    function_id = client.register_function(stage.function("add"))
    task_id = client.run(1, b=2, endpoint_id=stage.endpoint_id, function_id=function_id)
    stage.until_finished(task_id)
    stage.note("result", client.get_result(task_id))
    stage.note("name", client.get_function(function_id)["function_name"])
    client.delete_function(function_id)


@scenario("client", "agent")
def source_code(stage: Stage) -> None:
    """A function is registered as text."""
    client = stage.client()
    function_id = client.register_source_code(
        SOURCES["double"], "double", description="From text.", public=True
    )
    task_id = client.run("ab", endpoint_id=stage.endpoint_id, function_id=function_id)
    stage.until_finished(task_id)
    stage.note("result", client.get_result(task_id))


@scenario("client", "offline")
def poll(stage: Stage) -> None:
    """A task that has not finished is pending, however it is asked for."""
    client = stage.client()
    here = client.register_endpoint("idle", None)["endpoint_id"]
    function_id = client.register_function(stage.function("add"))
    task_id = client.run(1, endpoint_id=here, function_id=function_id)
    stage.note("pending", client.get_task(task_id)["pending"])
    stage.note("no result", stage.raised(lambda: client.get_result(task_id)))
    stage.note("in a batch", client.get_batch_result([task_id])[task_id]["pending"])
    client.delete_endpoint(here)


@scenario("client", "agent")
def batch_of_one(stage: Stage) -> None:
    """A batch may have one task."""
    client = stage.client()
    function_id = client.register_function(stage.function("double"))
    batch = client.create_batch()
    batch.add(function_id, args=(21,))
    (task_id,) = client.batch_run(stage.endpoint_id, batch)["tasks"][function_id]
    stage.until_finished(task_id)
    stage.note("result", client.get_batch_result([task_id])[task_id]["result"])


@scenario("client", "agent")
def batch_of_many(stage: Stage) -> None:
    """Tasks of two functions go in one request, and are asked for together."""
    client = stage.client()
    adding = client.register_function(stage.function("add"))
    doubling = client.register_function(stage.function("double"))
    batch = client.create_batch()
    for number in range(5):
        batch.add(adding, args=(number,), kwargs={"b": 100})
        batch.add(doubling, args=[str(number)])
    answer = client.batch_run(stage.endpoint_id, batch)
    task_ids = answer["tasks"][adding] + answer["tasks"][doubling]
    stage.until_finished(*task_ids)
    results = client.get_batch_result(task_ids)
    stage.note("results", [results[task_id]["result"] for task_id in task_ids])


@scenario("client", "agent")
def batch_of_hundreds(stage: Stage) -> None:
    """Two hundred tasks of three functions go in one request, and are asked for in one."""
    client = stage.client()
    names = ("add", "double", "kind")
    functions = [client.register_function(stage.function(name)) for name in names]
    batch = client.create_batch()
    for number in range(200):
        batch.add(functions[number % len(functions)], args=(number,))
    answer = client.batch_run(stage.endpoint_id, batch)
    task_ids = [task_id for each in functions for task_id in answer["tasks"][each]]
    stage.until_finished(*task_ids)
    results = client.get_batch_result(task_ids)
    stage.note("results", [results[task_id]["result"] for task_id in task_ids])


@scenario("client", "agent")
def task_group(stage: Stage) -> None:
    """A second batch joins the task group of the first."""
    client = stage.client()
    function_id = client.register_function(stage.function("double"))
    first = client.create_batch(create_websocket_queue=True)
    first.add(function_id, args=(1,))
    one = client.batch_run(stage.endpoint_id, first)
    second = client.create_batch(task_group_id=one["task_group_id"])
    second.add(function_id, args=(2,))
    other = client.batch_run(stage.endpoint_id, second)
    stage.note("joined", other["task_group_id"] == one["task_group_id"])
    stage.until_finished(*one["tasks"][function_id], *other["tasks"][function_id])


@scenario("client", "offline")
def settings_of_a_batch(stage: Stage) -> None:
    """What a batch asks of its endpoint goes along."""
    client = stage.client()
    here = client.register_endpoint("idle", None)["endpoint_id"]
    function_id = client.register_function(stage.function("double"))
    batch = client.create_batch(
        resource_specification={"num_nodes": 2, "ranks_per_node": 2},
        user_endpoint_config={"account": "a-project", "nodes": 2},
        result_serializers=["globus_compute_sdk.serialize.concretes.JSONData"],
    )
    batch.add(function_id, args=(1,))
    stage.note("taken", len(client.batch_run(here, batch)["tasks"][function_id]))
    client.delete_endpoint(here)


@scenario("client", "agent")
def a_task_that_fails(stage: Stage) -> None:
    """The error of a task has the worker's traceback."""
    client = stage.client()
    function_id = client.register_function(stage.function("fail"))
    task_id = client.run("on purpose", endpoint_id=stage.endpoint_id, function_id=function_id)
    stage.until_finished(task_id)
    stage.note("error", stage.raised(lambda: client.get_task(task_id)))
    stage.note("again", stage.raised(lambda: client.get_result(task_id)))


@scenario("client")
def unknown(stage: Stage) -> None:
    """An endpoint, a function and a task that are not there."""
    client = stage.client()
    function_id = client.register_function(stage.function("add"))
    here = stage.endpoint_id
    for name, call in {
        "endpoint": lambda: client.run(1, endpoint_id=NOTHING, function_id=function_id),
        "function": lambda: client.run(1, endpoint_id=here, function_id=NOTHING),
        "task": lambda: client.get_task(NOTHING),
        "status": lambda: client.get_endpoint_status(NOTHING),
        "metadata": lambda: client.get_endpoint_metadata(NOTHING),
        "allow-list": lambda: client.get_allowed_functions(NOTHING),
        "description": lambda: client.get_function(NOTHING),
        "deleting": lambda: client.delete_function(NOTHING),
        "stopping": lambda: client.stop_endpoint(NOTHING),
    }.items():
        stage.note(name, stage.raised(call))
    stage.note("in a batch", client.get_batch_result([NOTHING])[NOTHING]["status"])


@scenario("client", "users", "offline")
def forbidden(stage: Stage) -> None:
    """An endpoint and a function of somebody else's."""
    hers, his = stage.client(), stage.client(BOB)
    here = hers.register_endpoint("hers", None)["endpoint_id"]
    function_id = hers.register_function(stage.function("add"))
    own = his.register_function(stage.function("add"))
    stage.note("endpoint", stage.raised(lambda: his.run(1, endpoint_id=here, function_id=own)))
    elsewhere = his.register_endpoint("his", None)["endpoint_id"]
    stage.note(
        "function", stage.raised(lambda: his.run(1, endpoint_id=elsewhere, function_id=function_id))
    )
    stage.note("deleting", stage.raised(lambda: his.delete_endpoint(here)))
    hers.delete_endpoint(here)
    his.delete_endpoint(elsewhere)


@scenario("client")
def wrong_token(stage: Stage) -> None:
    """A token of nobody's."""
    client = stage.client(STRANGER)
    function = stage.function("add")
    stage.note("registering", stage.raised(lambda: client.register_function(function)))
    stage.note("listing", stage.raised(client.get_endpoints))


@scenario("client", "expired")
def expired_token(stage: Stage) -> None:
    """A token that was good once, and that nobody can renew."""
    client = stage.client(LATE)
    function = stage.function("add")
    stage.note("registering", stage.raised(lambda: client.register_function(function)))
    stage.note("listing", stage.raised(client.get_endpoints))


@scenario("client")
def invalid_request(stage: Stage) -> None:
    """What the service finds wrong in a request, and the client cannot know."""
    client = stage.client()
    function = stage.function("add")
    stage.note(
        "no such endpoint",
        stage.raised(lambda: client.register_function(function, ha_endpoint_id=NOTHING)),
    )


@scenario("client")
def too_large(stage: Stage) -> None:
    """Tasks of more than 10 MB together are refused."""
    client = stage.client()
    function_id = client.register_function(stage.function("double"))
    batch = client.create_batch()
    for _ in range(2):
        batch.add(function_id, args=("x" * 5_000_000,))
    stage.note("refused", stage.raised(lambda: client.batch_run(stage.endpoint_id, batch)))


@scenario("client", "users", "group", "offline")
def sharing(stage: Stage) -> None:
    """A function is shared with everybody, or with a group."""
    hers, his = stage.client(), stage.client(BOB)
    here = his.register_endpoint("his", None)["endpoint_id"]
    for name, shared in (("public", {"public": True}), ("group", {"group": GROUP})):
        function_id = hers.register_function(stage.function("add"), **shared)
        stage.note(name, his.get_function(function_id)["function_name"])
        stage.note("task", bool(his.run(1, endpoint_id=here, function_id=function_id)))
        stage.note("deleting", stage.raised(lambda f=function_id: his.delete_function(f)))  # type: ignore[misc]
    his.delete_endpoint(here)


@scenario("client", "offline")
def allow_list(stage: Stage) -> None:
    """An endpoint that allows some functions gets no others."""
    client = stage.client()
    allowed = client.register_function(stage.function("add"))
    other = client.register_function(stage.function("double"))
    registered = client.register_endpoint("particular", None, allowed_functions=[allowed])
    here = registered["endpoint_id"]
    stage.note("allowed", client.get_allowed_functions(here)["functions"] == [allowed])
    stage.note("taken", bool(client.run(1, endpoint_id=here, function_id=allowed)))
    stage.note("refused", stage.raised(lambda: client.run(1, endpoint_id=here, function_id=other)))
    client.delete_endpoint(here)


@scenario("client")
def endpoint(stage: Stage) -> None:
    """An endpoint is registered, changed, looked at, stopped and deleted."""
    client = stage.client()
    here = client.register_endpoint(
        "mine",
        None,
        metadata={"hostname": "host.example.org", "description": "an endpoint"},
        display_name="Mine",
        subscription_id=SUBSCRIPTION,
        auth_policy=NOTHING,
        public=True,
        high_assurance=False,
        admins=[NOTHING],
    )["endpoint_id"]
    client.register_endpoint("mine", here, display_name="Mine, too")
    stage.note("name", client.get_endpoint_metadata(here)["display_name"])
    stage.note("status", client.get_endpoint_status(here)["status"])
    for role in (None, "owner", "any"):
        listed = client.get_endpoints(role=role)
        stage.note("listed", here in [entry["uuid"] for entry in listed])
    client.stop_endpoint(here)
    stage.note("stopped", stage.raised(lambda: client.register_endpoint("mine", here)))
    client.delete_endpoint(here)
    stage.note("deleted", stage.raised(lambda: client.get_endpoint_metadata(here)))


@scenario("client")
def multi_user_endpoint(stage: Stage) -> None:
    """An endpoint for many users is registered, and remains one."""
    client = stage.client()
    registered = client.register_endpoint("many", None, multi_user=True, public=True)
    here = registered["endpoint_id"]
    stage.note("registered", sorted(registered))
    again = client.register_endpoint("many", here, multi_user=True, display_name="Many")
    stage.note("queue", again["command_queue_info"]["exchange"])
    client.delete_endpoint(here)


@scenario("client", "agent")
def version_check(stage: Stage) -> None:
    """The client asks which versions the service accepts, and goes on."""
    client = stage.client(do_version_check=True)
    stage.note("status", client.get_endpoint_status(stage.endpoint_id)["status"])
    client.version_check(endpoint_version="4.19.0")
    stage.note("too old", stage.raised(lambda: client.version_check(endpoint_version="0.0.1")))


@scenario("client", "agent")
def version_check_before_a_task(stage: Stage) -> None:
    """The same, where the first thing to do is a submit."""
    client = stage.client(do_version_check=True)
    function_id = client.register_function(stage.function("add"))
    task_id = client.run(1, endpoint_id=stage.endpoint_id, function_id=function_id)
    stage.until_finished(task_id)
    stage.note("result", client.get_result(task_id))
    stage.note("agent", client.get_endpoint_metadata(stage.endpoint_id)["endpoint_version"])


@scenario("client", "offline")
def high_assurance(stage: Stage) -> None:
    """The service warns who submits to a high-assurance endpoint, and the client passes it on."""
    client = stage.client()
    here = client.register_endpoint(
        "careful", None, high_assurance=True, subscription_id=SUBSCRIPTION
    )["endpoint_id"]
    function_id = client.register_function(stage.function("add"), ha_endpoint_id=here)
    with stage.warned("warned"):
        client.run(1, endpoint_id=here, function_id=function_id)
    client.delete_endpoint(here)


@scenario("client", "faults")
def too_many_requests(stage: Stage) -> None:
    """Told to come back later, a client does."""
    client = stage.client()
    stage.inject(429, retry_after=1)
    stage.note("name", type(client.get_endpoints()).__name__)
    stage.inject(429, retry_after=1)
    function_id = client.register_function(stage.function("add"))
    stage.note("name", client.get_function(function_id)["function_name"])


@scenario("client", "faults")
def service_in_trouble(stage: Stage) -> None:
    """What only reads is asked again when the service is in trouble."""
    client = stage.client()
    for status in (500, 502, 503, 504):
        stage.inject(status)
        stage.note("listed", type(client.get_endpoints()).__name__)


@scenario("client", "faults", "offline")
def service_in_trouble_at_a_submit(stage: Stage) -> None:
    """A submit that fails in the service may have made tasks."""
    client = stage.client()
    here = client.register_endpoint("idle", None)["endpoint_id"]
    function_id = client.register_function(stage.function("add"))
    stage.inject(503)
    submit = stage.ending(lambda: client.run(1, endpoint_id=here, function_id=function_id))
    stage.note("refused", isinstance(submit, dict))
    client.delete_endpoint(here)
