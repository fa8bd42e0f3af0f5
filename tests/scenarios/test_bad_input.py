"""What goes wrong: each ends in an error that names it, soon, and everything else goes on."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Callable, Iterator

import globus_sdk
import pytest

from gcompute import Client, Executor, TaskExecutionFailed
from gcompute.errors import (
    AuthenticationFailed,
    ComputeError,
    NotFound,
    PayloadTooLarge,
    SerializationError,
    ServiceUnreachable,
    TaskTooLarge,
)
from gcompute.local import LocalService

#: Seconds in which an error must be there.
SOON = 30.0


def _one() -> Callable[[], int]:
    """Make a function that is sent by value, as those of a script are."""

    def one() -> int:
        return 1

    return one


one = _one()


class Unpicklable:
    """Refuses to be serialized."""

    def __reduce__(self) -> str:
        raise TypeError("not for sending")


@pytest.fixture(autouse=True)
def _the_service_goes_on(executor: Executor) -> Iterator[None]:
    """After each of these, the same executor still runs a function."""
    yield
    assert executor.submit(one).result(SOON) == 1


def test_an_argument_that_cannot_be_serialized(executor: Executor) -> None:
    """Its future fails at once and names the argument; the rest of the batch runs."""
    bad = executor.submit(lambda a, b: None, 1, b=Unpicklable())
    good = executor.submit(one)
    error = bad.exception(0)
    assert isinstance(error, SerializationError)
    assert "argument 'b'" in str(error)
    assert "not for sending" in str(error)
    assert good.result(SOON) == 1


def test_a_function_that_cannot_be_serialized(executor: Executor) -> None:
    """Its future fails at once, with the reason."""
    held = Unpicklable()

    def uses_it() -> object:
        return held

    error = executor.submit(uses_it).exception(0)
    assert isinstance(error, SerializationError)
    assert "uses_it" in str(error)
    assert "not for sending" in str(error)


def test_an_unknown_endpoint(client: Client) -> None:
    """The call and the future say that the endpoint is unknown."""
    nowhere = uuid.uuid4()
    function_id = client.register_function(one)
    with pytest.raises(NotFound) as caught:
        client.run(endpoint_id=nowhere, function_id=function_id)
    assert caught.value.code == "ENDPOINT_NOT_FOUND"
    assert str(nowhere) in str(caught.value)
    with Executor(endpoint_id=nowhere, client=client) as executor:
        error = executor.submit(one).exception(SOON)
        assert isinstance(error, NotFound)
        assert str(nowhere) in str(error)


def test_an_unknown_function(executor: Executor) -> None:
    """The future says that the function is unknown."""
    nothing = str(uuid.uuid4())
    error = executor.submit_to_registered_function(nothing).exception(SOON)
    assert isinstance(error, NotFound)
    assert error.code == "FUNCTION_NOT_FOUND"
    assert nothing in str(error)


@pytest.mark.parametrize("malformed", ["", "not-an-id", "4b116d3c-1703-4f8f-9f6f-39921e5864d"])
def test_a_malformed_id(malformed: str, executor: Executor, client: Client) -> None:
    """Every argument that is an id is checked before anything is sent, and named."""
    with pytest.raises(ValueError, match="endpoint_id"):
        Executor(endpoint_id=malformed, client=client)
    with pytest.raises(ValueError, match="function_id"):
        executor.submit_to_registered_function(malformed)
    with pytest.raises(ValueError, match="task_id"):
        client.get_task(malformed)
    with pytest.raises(ValueError, match="endpoint_id"):
        client.run(endpoint_id=malformed, function_id=uuid.uuid4())


def test_a_task_over_ten_megabytes(executor: Executor) -> None:
    """It is refused before it is sent, with its size and the limit."""

    def length(data: bytes) -> int:
        return len(data)

    error = executor.submit(length, bytes(9_000_000)).exception(0)
    assert isinstance(error, TaskTooLarge)
    assert error.limit == 10_000_000
    assert error.size > error.limit
    assert "length" in str(error)
    assert f"{error.size:,}" in str(error)


def test_a_batch_over_ten_megabytes(client: Client, service: LocalService) -> None:
    """The service refuses it, and the error says what to do."""
    function_id = client.register_function(one)
    batch = client.create_batch()
    for _ in range(4):
        batch.add(function_id, (bytes(2_500_000),))
    with pytest.raises(PayloadTooLarge, match="fewer tasks") as caught:
        client.batch_run(service.endpoint_id, batch)
    assert caught.value.http_status == 413
    assert caught.value.code == "TASK_PAYLOAD_TOO_LARGE"


def test_a_wrong_token(service: LocalService) -> None:
    """The error says that the token is refused, on the call and on the future."""
    authorizer = globus_sdk.AccessTokenAuthorizer("wrong")
    stranger = Client(base_url=service.url, authorizer=authorizer)
    with pytest.raises(AuthenticationFailed) as caught:
        stranger.register_function(one)
    assert "wrong" not in str(caught.value)
    with Executor(endpoint_id=service.endpoint_id, client=stranger) as executor:
        assert isinstance(executor.submit(one).exception(SOON), AuthenticationFailed)
    stranger.close()


def test_a_service_that_is_not_there() -> None:
    """The error names the address, on the call and on the future; leaving does not hang."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{closed.getsockname()[1]}"
        nobody = Client(base_url=url, authorizer=globus_sdk.AccessTokenAuthorizer("any"))
        with pytest.raises(ServiceUnreachable, match=url):
            nobody.register_function(one)
        with Executor(endpoint_id=uuid.uuid4(), client=nobody) as executor:
            error = executor.submit(one).exception(SOON)
        assert isinstance(error, ServiceUnreachable)
        assert error.sent is False
        nobody.close()


def test_a_worker_that_is_killed(executor: Executor) -> None:
    """Its task fails and says that the worker died; the tasks beside it end as they should."""

    def die() -> None:
        import os

        os.kill(os.getpid(), 9)

    beside = [executor.submit(one) for _ in range(20)]
    killed = executor.submit(die)
    after = [executor.submit(one) for _ in range(20)]
    error = killed.exception(SOON)
    assert isinstance(error, TaskExecutionFailed)
    assert error.task_id == killed.task_id
    assert "SIGKILL" in str(error) or "signal 9" in str(error)
    assert "Hint: the worker process died" in str(error)
    assert [f.result(SOON) for f in beside + after] == [1] * 40


def test_a_function_that_exits(executor: Executor) -> None:
    """``sys.exit()`` fails its task, and no worker is lost."""

    def leave() -> None:
        import sys

        sys.exit("that is all")

    error = executor.submit(leave).exception(SOON)
    assert isinstance(error, TaskExecutionFailed)
    assert "SystemExit" in error.remote_traceback
    assert "that is all" in error.remote_traceback


def test_a_result_that_cannot_be_pickled(executor: Executor) -> None:
    """The task fails with the reason, and a hint at serialization."""

    def generator() -> object:
        return (n for n in range(3))

    error = executor.submit(generator).exception(SOON)
    assert isinstance(error, TaskExecutionFailed)
    assert "generator" in error.remote_traceback
    assert "Hint:" in str(error)


def test_a_result_over_ten_mebibytes(executor: Executor) -> None:
    """The task fails with its size and the limit."""

    def blob() -> bytes:
        return bytes(11 * 1024 * 1024)

    error = executor.submit(blob).exception(SOON)
    assert isinstance(error, TaskExecutionFailed)
    assert "MaxResultSizeExceeded" in error.remote_traceback
    assert str(10 * 1024 * 1024) in error.remote_traceback
    assert "10 MiB" in str(error)


def test_a_result_that_does_not_load_here(executor: Executor) -> None:
    """The future fails and names the task."""

    def trap() -> object:
        class Trap:
            def __reduce__(self) -> tuple[object, ...]:
                return (eval, ("1 / 0",))

        return Trap()

    future = executor.submit(trap)
    error = future.exception(SOON)
    assert isinstance(error, ComputeError)
    assert str(future.task_id) in str(error)
    assert "ZeroDivisionError" in str(error)
