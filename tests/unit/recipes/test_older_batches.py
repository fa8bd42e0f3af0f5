"""The older batch style: invocations that name their endpoints, and a list of task ids."""

from __future__ import annotations

import json
import uuid
import warnings
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from gcompute import Batch
from gcompute.errors import ComputeAPIError, NotFound
from gcompute.serialize import ComputeSerializer, JSONData, unpack_buffers
from tests.support.both_clients import Connect
from tests.support.names import stable
from tests.support.scripted_service import ENDPOINT_ID, FUNCTION_ID, Answer, ScriptedService

OTHER_ENDPOINT = "20000000-0000-4000-8000-000000000009"
OTHER_FUNCTION = "10000000-0000-4000-8000-000000000009"


def _submit_path(endpoint_id: str) -> tuple[str, str]:
    return ("POST", f"/v3/endpoints/{endpoint_id}/submit")


class _Counting(ScriptedService):
    """Takes tasks on two endpoints; a task's id tells its endpoint and argument."""

    def __init__(self) -> None:
        super().__init__({_submit_path(e): self._take for e in (ENDPOINT_ID, OTHER_ENDPOINT)})

    def _take(self, request: httpx.Request) -> Answer:
        endpoint = request.url.path.split("/")[3]
        tasks = {
            function: [f"{endpoint[-1]}:{function[-1]}:{_argument(text)}" for text in texts]
            for function, texts in json.loads(request.content)["tasks"].items()
        }
        return {"tasks": tasks, "task_group_id": endpoint, "endpoint_id": endpoint}


def _argument(payload: str) -> Any:
    (first, *_), _kwargs = map(ComputeSerializer().deserialize, unpack_buffers(payload))
    return first


@pytest.fixture(autouse=True)
def _deprecated() -> Iterator[None]:
    """Everything here is deprecated; what is said about it has tests of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


def test_the_example_of_the_older_guide_runs(connect: Connect) -> None:
    """``batch.add(x, endpoint_id=..., function_id=...)``, and a list of ids in its order."""
    service = _Counting()
    client = connect(service, data_serialization_strategy=JSONData())
    batch = client.create_batch()
    for x in range(5):
        batch.add(x, endpoint_id=ENDPOINT_ID, function_id=FUNCTION_ID)
    assert client.batch_run(batch) == [f"2:1:{x}" for x in range(5)]
    assert len(service.requests) == 1


def test_each_endpoint_has_a_request_and_the_order_stays(connect: Connect) -> None:
    """Two endpoints and two functions in turn: ids come in the order of their addition."""
    service = _Counting()
    client = connect(service, data_serialization_strategy=JSONData())
    batch = client.create_batch()
    expected = []
    for n in range(12):
        endpoint = (ENDPOINT_ID, OTHER_ENDPOINT)[n % 2]
        function = (FUNCTION_ID, OTHER_FUNCTION)[n // 2 % 2]
        batch.add(n, endpoint_id=uuid.UUID(endpoint), function_id=function)
        expected.append(f"{endpoint[-1]}:{function[-1]}:{n}")
    assert len(batch) == 12
    assert client.batch_run(batch) == expected
    assert len(service.requests) == 2


def test_the_forms_do_not_mix(connect: Connect) -> None:
    """Whichever comes second is refused, and the batch stays as it was."""
    older, present = Batch(None), Batch(None)
    older.add(1, endpoint_id=ENDPOINT_ID, function_id=FUNCTION_ID)
    present.add(FUNCTION_ID, (1,))
    with pytest.raises(ValueError, match="in the same form"):
        older.add(FUNCTION_ID, (2,))
    with pytest.raises(ValueError, match="in the same form"):
        present.add(2, endpoint_id=ENDPOINT_ID, function_id=FUNCTION_ID)
    assert (len(older), len(present)) == (1, 1)
    client = connect(_Counting())
    with pytest.raises(ValueError, match="name no endpoint"):
        client.batch_run(present)
    with pytest.raises(ValueError, match="the batch is empty"):
        client.batch_run(Batch(None))


@pytest.mark.parametrize("answer", [{}, {FUNCTION_ID: []}, {FUNCTION_ID: None}], ids=stable)
def test_ids_that_are_missing_are_an_error_of_the_service(answer: Any, connect: Connect) -> None:
    """Not a KeyError, StopIteration or RuntimeError."""
    client = connect(ScriptedService({_submit_path(ENDPOINT_ID): {"tasks": answer}}))
    batch = client.create_batch()
    batch.add(1, endpoint_id=ENDPOINT_ID, function_id=FUNCTION_ID)
    with pytest.raises(ComputeAPIError, match="lacks task ids"):
        client.batch_run(batch)


def test_what_was_taken_before_a_failure_is_told(connect: Connect) -> None:
    """The second endpoint is unknown: the tasks of the first run, and the error has their ids."""
    service = _Counting()
    service.routes[_submit_path(OTHER_ENDPOINT)] = httpx.Response(404, json={"code": "NO"})
    client = connect(service, data_serialization_strategy=JSONData())
    batch = client.create_batch()
    for endpoint in (ENDPOINT_ID, OTHER_ENDPOINT, ENDPOINT_ID):
        batch.add(7, endpoint_id=endpoint, function_id=FUNCTION_ID)
    with pytest.raises(NotFound) as caught:
        client.batch_run(batch)
    assert caught.value.__notes__ == ["other endpoints of this batch took theirs: 2:1:7, 2:1:7"]


def test_an_endpoint_without_a_batch_is_refused(connect: Connect) -> None:
    """The usual form lacks its batch: nothing is sent."""
    with pytest.raises(TypeError, match="an endpoint and a batch"):
        connect(ScriptedService()).batch_run(ENDPOINT_ID)  # type: ignore[call-overload]
