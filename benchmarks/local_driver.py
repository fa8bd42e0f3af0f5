"""Measures the work of one client that needs no service, from inside a process of its own.

Runs as a script in either environment, so it imports nothing of this repository. One JSON order
comes in on standard input::

    {"package": "gcompute" or "globus_compute_sdk", "scenario": ..., "laps": n, ...}

with what the scenario takes beside the laps: ``batch`` the ``count`` of tasks and the lengths of
the ``texts`` among their arguments, ``results`` the ``content`` of an answer and its ``task_ids``,
``array`` the ``size`` in bytes. One JSON answer goes out, as the last line of
standard output; times are in seconds, memory in bytes. Nothing is sent: what would use the
network is replaced, in :class:`Official` and :class:`Ours`, by the values that it would give.
What fails ends the process with a traceback.
"""

from __future__ import annotations

import functools
import gc
import importlib
import importlib.util
import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, Protocol, TypeVar

_ENDPOINT_ID = "4b116d3c-1703-4f8f-9f6f-39921e5864df"
_FUNCTION_ID = "b0a5d1a0-2b22-4381-b899-ba73321e41e0"

#: Never asked: nothing is sent.
_URL = "http://127.0.0.1:9"

#: Calls behind one lap of something that may be as short as a look-up.
_CALLS_AT_ONCE = 5

T = TypeVar("T")


class Package(Protocol):
    """What is measured of a client, under names that both have in common."""

    def client(self) -> Any:
        """Make a client that has asked for nothing and remembers nothing."""

    def user_runtime(self) -> Any:
        """Describe this process, as each batch does."""

    def encode(self, client: Any, body: dict[str, Any]) -> bytes:
        """Give the bytes that a submit would send."""

    def answer_with(self, client: Any, content: bytes) -> None:
        """Have a client take these bytes as the answer to its next question for results."""


class Official:
    """The official SDK, which builds on globus_sdk and requests."""

    def __init__(self) -> None:
        self._package = importlib.import_module("globus_compute_sdk")
        self._globus_sdk = importlib.import_module("globus_sdk")
        self._requests = importlib.import_module("requests")
        self.user_runtime = importlib.import_module(
            "globus_compute_sdk.sdk.batch"
        ).create_user_runtime

    def client(self) -> Any:
        authorizer = self._globus_sdk.AccessTokenAuthorizer("none")
        return self._package.Client(authorizer=authorizer, do_version_check=False)

    def encode(self, client: Any, body: dict[str, Any]) -> bytes:
        # What its transport does before it hands a request to the session.
        transport = client._compute_web_client.v3.transport
        url = f"{_URL}/v3/endpoints/{_ENDPOINT_ID}/submit"
        encoded: bytes = transport._encode("POST", url, None, body).prepare().body
        return encoded

    def answer_with(self, client: Any, content: bytes) -> None:
        web_client = client._compute_web_client.v2

        def get_task_batch(_task_ids: object) -> Any:
            response = self._requests.Response()
            response.status_code = 200
            response.headers["Content-Type"] = "application/json"
            response._content = content
            return self._globus_sdk.GlobusHTTPResponse(response, web_client)

        client._compute_web_client = SimpleNamespace(
            v2=SimpleNamespace(get_task_batch=get_task_batch)
        )


class Ours:
    """This client, which builds on httpx and the generated bindings."""

    def __init__(self) -> None:
        self._package = importlib.import_module("gcompute")
        self._globus_sdk = importlib.import_module("globus_sdk")
        self._httpx = importlib.import_module("httpx")
        self._calls = importlib.import_module("gcompute.calls")
        self._operations = importlib.import_module("gcompute.http.operations")
        self._answers = importlib.import_module("gcompute.http.answers")
        self.user_runtime = importlib.import_module("gcompute.runtime").create_user_runtime

    def client(self) -> Any:
        authorizer = self._globus_sdk.AccessTokenAuthorizer("none")
        return self._package.Client(base_url=_URL, authorizer=authorizer, do_version_check=False)

    def encode(self, client: Any, body: dict[str, Any]) -> bytes:
        del client
        call = self._calls.write("tasks.submit", body, endpoint_uuid=_ENDPOINT_ID)
        encoded: bytes = self._operations.build_request(call)["content"]
        return encoded

    def answer_with(self, client: Any, content: bytes) -> None:
        # It asks in several requests: the first is answered in full, the others have no more.
        answers = iter([content])

        def call(_call: object) -> Any:
            response = self._httpx.Response(200, content=next(answers, b"{}"))
            return self._answers.decode(response, "POST")

        client._api = SimpleNamespace(call=call)


def _laps(count: int, run: Callable[[], object]) -> list[float]:
    """Time some calls, after one that does not count."""
    run()
    return [_timed(run)[0] for _ in range(count)]


def _timed(run: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def measure_batch(package: Package, laps: int, count: int, texts: list[int]) -> dict[str, Any]:
    """Build batches and encode the requests that submit them.

    Returns:
        ``runtime``: of ``create_user_runtime``, the ``first`` time and the ``laps`` after it;
        ``batches``: for each length of text, what :func:`measure_batch_of` returns.
    """
    first, _ = _timed(package.user_runtime)
    repeated = [lap / _CALLS_AT_ONCE for lap in _laps(laps, functools.partial(_describe, package))]
    return {
        "runtime": {"first": first, "laps": repeated},
        "batches": [measure_batch_of(package, laps, count, text) for text in texts],
    }


def _describe(package: Package) -> None:
    for _ in range(_CALLS_AT_ONCE):
        package.user_runtime()


def measure_batch_of(package: Package, laps: int, count: int, text: int) -> dict[str, Any]:
    """Build a batch whose tasks have a text of some length, and encode its request.

    Returns:
        ``laps``: from ``create_batch`` to the bytes of the body; ``size``: of these bytes;
        ``held``: memory that the batch has once it is built; ``peak``: the most memory that was
        in use at once until the body was there. Memory counts from before ``create_batch`` on.

    Raises:
        RuntimeError: the body is not what was asked for.
    """
    client = package.client()
    word = "x" * text

    def build() -> Any:
        batch = client.create_batch()
        for number in range(count):
            batch.add(_FUNCTION_ID, args=(number, 0.5, word), kwargs={"scale": 2.0})
        return batch

    def build_and_encode() -> bytes:
        return package.encode(client, build().prepare())

    times = _laps(laps, build_and_encode)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        batch = build()
        held = tracemalloc.get_traced_memory()[0] - before
        body = package.encode(client, batch.prepare())
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()
    sent = len(json.loads(body)["tasks"][_FUNCTION_ID])
    if sent != count:
        raise RuntimeError(f"{sent} tasks were encoded in place of {count}")
    return {"laps": times, "size": len(body), "held": held, "peak": peak}


def measure_results(
    package: Package, laps: int, content: str, task_ids: list[str]
) -> dict[str, Any]:
    """Turn the answer of batch_status into what ``get_batch_result`` returns.

    Returns:
        ``laps``: each by a client of its own, since a client remembers results.

    Raises:
        RuntimeError: a result is missing.
    """
    encoded = content.encode()
    times = []
    for _ in range(laps + 1):
        client = package.client()
        package.answer_with(client, encoded)
        lap, states = _timed(functools.partial(client.get_batch_result, task_ids))
        missing = [task_id for task_id in task_ids if "result" not in states.get(task_id, ())]
        if missing:
            raise RuntimeError(f"{len(missing)} of {len(task_ids)} results are missing")
        times.append(lap)
    return {"laps": times[1:]}


def measure_array(package: Package, laps: int, size: int) -> dict[str, Any]:
    """Serialize and load an array, of bytes and, where there is numpy, of numbers.

    Returns:
        For ``bytes`` and maybe ``numpy``: laps of ``serialize`` and of ``deserialize``.

    Raises:
        RuntimeError: what is loaded is not what was serialized.
    """
    serializer = package.client().fx_serializer
    arrays: dict[str, Any] = {"bytes": bytes(range(256)) * (size // 256)}
    if importlib.util.find_spec("numpy") is not None:
        arrays["numpy"] = importlib.import_module("numpy").arange(size // 8, dtype="float64")
    answer = {}
    for name, array in arrays.items():
        text = serializer.serialize(array)
        if bytes(serializer.deserialize(text)) != bytes(array):
            raise RuntimeError(f"the array of {name} came back as another one")
        answer[name] = {
            "serialize": _laps(laps, functools.partial(serializer.serialize, array)),
            "deserialize": _laps(laps, functools.partial(serializer.deserialize, text)),
        }
    return answer


_PACKAGES: dict[str, Callable[[], Package]] = {"globus_compute_sdk": Official, "gcompute": Ours}

_SCENARIOS: dict[str, Callable[..., dict[str, Any]]] = {
    "batch": measure_batch,
    "results": measure_results,
    "array": measure_array,
}


def main() -> None:
    """Carry out the order."""
    order = json.load(sys.stdin)
    package = _PACKAGES[order.pop("package")]()
    print(json.dumps(_SCENARIOS[order.pop("scenario")](package, **order)))


if __name__ == "__main__":
    main()
