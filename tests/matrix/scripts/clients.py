"""The Client: register, run, fetch; endpoints and what they refuse."""

from __future__ import annotations

import uuid
from typing import Any

from gcompute.errors import SerializationError, TaskExecutionFailed, TaskPending
from tests.matrix.scripts.play import OFFICIAL, Setting, play, raised, until

SOURCE = '''
def shout(text):
    """Make it louder."""
    return text.upper() + "!"
'''


def add(a: int, b: int = 10) -> int:
    """Add two numbers."""
    return a + b


def double(text: str) -> str:
    """Say it twice."""
    return text * 2


def fails() -> None:
    """Always fail."""
    raise LookupError("nothing there")


def _result(setting: Setting, task_id: str) -> Any:
    """Wait for a result as the user guide does: by asking."""

    def ask() -> Any:
        try:
            return [setting.client.get_result(task_id)]
        except TaskPending:
            return None

    (value,) = until(ask)
    return value


def register_and_run(setting: Setting) -> None:
    """A function gets an id, a task gets an id, and its result is there when one asks."""
    client = setting.client
    function_id = client.register_function(add)
    task_id = client.run(1, b=2, endpoint_id=setting.endpoint_id, function_id=function_id)
    assert uuid.UUID(task_id)
    assert _result(setting, task_id) == 3
    status = client.get_task(task_id)
    assert (status["pending"], status["status"]) == (False, "success"), status
    assert client.get_function(function_id)["function_name"] == "add"


def source_code(setting: Setting) -> None:
    """A function may be registered as text."""
    function_id = setting.client.register_source_code(SOURCE, "shout")
    task_id = setting.client.run("hey", endpoint_id=setting.endpoint_id, function_id=function_id)
    assert _result(setting, task_id) == "HEY!"


def batch(setting: Setting) -> None:
    """Tasks of several functions go in one request, and are answered together."""
    client = setting.client
    adding, doubling = client.register_function(add), client.register_function(double)
    tasks = client.create_batch()
    for number in range(10):
        tasks.add(adding, args=(number,), kwargs={"b": 100})
        tasks.add(doubling, args=(str(number),))
    answer = client.batch_run(setting.endpoint_id, tasks)
    assert {len(ids) for ids in answer["tasks"].values()} == {10}
    everything = answer["tasks"][adding] + answer["tasks"][doubling]

    def finished() -> dict[str, Any] | None:
        answers = client.get_batch_result(everything)
        pending = [id_ for id_ in everything if answers[id_]["pending"]]
        return None if pending else answers

    answers = until(finished)
    assert [answers[id_]["result"] for id_ in everything] == [
        *(100 + number for number in range(10)),
        *(str(number) * 2 for number in range(10)),
    ]


def failed_task(setting: Setting) -> None:
    """The result of a task that failed is its error; among others the two clients differ."""
    client = setting.client
    function_id = client.register_function(fails)
    task_id = client.run(endpoint_id=setting.endpoint_id, function_id=function_id)
    error = raised(
        TaskExecutionFailed, lambda: until(lambda: not client.get_task(task_id)["pending"])
    )
    assert "LookupError: nothing there" in error.remote_data, error.remote_data
    again = raised(TaskExecutionFailed, lambda: client.get_result(task_id))
    assert again.remote_data == error.remote_data
    answers = client.get_batch_result([task_id])
    if OFFICIAL:
        assert answers == {}, answers
    else:
        assert isinstance(answers[task_id]["exception"], TaskExecutionFailed), answers


def no_argument_to_send(setting: Setting) -> None:
    """What cannot be serialized is not sent."""
    function_id = setting.client.register_function(double)
    stuck = (number for number in range(3))
    raised(
        SerializationError,
        lambda: setting.client.run(stuck, endpoint_id=setting.endpoint_id, function_id=function_id),
    )


def unknown(setting: Setting) -> None:
    """An endpoint, a function and a task that are not there are told apart from a fault."""
    client, nowhere = setting.client, str(uuid.uuid4())
    function_id = client.register_function(add)
    here = setting.endpoint_id
    for call in (
        lambda: client.run(1, endpoint_id=nowhere, function_id=function_id),
        lambda: client.run(1, endpoint_id=here, function_id=nowhere),
        lambda: client.get_task(nowhere),
        lambda: client.get_endpoint_metadata(nowhere),
    ):
        assert raised(Exception, call).http_status == 404


def allow_list(setting: Setting) -> None:
    """An endpoint that allows some functions gets no others."""
    client = setting.client
    allowed, other = client.register_function(add), client.register_function(double)
    endpoint = client.register_endpoint(
        "particular", None, metadata={}, allowed_functions=[allowed]
    )
    endpoint_id = str(endpoint["endpoint_id"])
    try:
        told = client.get_allowed_functions(endpoint_id)
        assert (told["restricted"], told["functions"]) == (True, [allowed]), told
        assert client.run(1, endpoint_id=endpoint_id, function_id=allowed)
        error = raised(
            Exception, lambda: client.run("x", endpoint_id=endpoint_id, function_id=other)
        )
        assert error.http_status == 403, error
    finally:
        client.delete_endpoint(endpoint_id)


def endpoint(setting: Setting) -> None:
    """One can ask whether an endpoint is there, what it is, and what its workers are made of."""
    client, endpoint_id = setting.client, setting.endpoint_id
    assert client.get_endpoint_status(endpoint_id)["status"] == "online"
    assert client.get_endpoint_metadata(endpoint_id)["uuid"] == endpoint_id
    report = _result(setting, client.get_worker_hardware_details(endpoint_id))
    assert "== shell: df -h ==" in report, report


if __name__ == "__main__":
    play(
        register_and_run,
        source_code,
        batch,
        failed_task,
        no_argument_to_send,
        unknown,
        allow_list,
        endpoint,
    )
