"""Measures one client against a running service, from inside a process of its own.

Runs as a script in either environment, so it imports nothing of this repository. One JSON order
comes in on standard input::

    {"package": "gcompute" or "globus_compute_sdk", "scenario": one of SCENARIOS, "count": n,
     "url": ..., "token": ..., "endpoint_id": ..., "options": {...}, "settings": {...}}

``options`` are keyword arguments of the Executor, ``settings`` those of the scenario. One JSON
answer goes out, as the last line of standard output; see the scenarios. Times are in seconds,
memory in bytes. Any failure ends the process with exit code 1 and a traceback on standard error,
also when threads of the client still wait.

Scenarios that hold results back, or want large ones, are for the service that answers tasks
itself, :mod:`benchmarks.answering_service`, and tell it so.
"""

import time

_STARTED = time.perf_counter()

import concurrent.futures  # noqa: E402
import ctypes  # noqa: E402
import functools  # noqa: E402
import gc  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import threading  # noqa: E402
import traceback  # noqa: E402
import tracemalloc  # noqa: E402
import urllib.request  # noqa: E402
from collections.abc import Callable  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

#: Seconds after which a result counts as lost.
_CALL_TIMEOUT_S = 30.0
_BURST_TIMEOUT_S = 100.0

#: Seconds between two looks whether all tasks have their ids.
_LOOK_EVERY_S = 0.002


def noop(*_arguments: object) -> None:
    """Do nothing. Defined in the main module, so that dill sends it by value."""


def measure_calls(executor: Any, count: int) -> dict[str, Any]:
    """Call one at a time.

    Returns:
        ``first``: from the start of the process, imports included, to the first result;
        ``laps``: from submit to result, for each of the ``count`` calls after it.
    """
    executor.submit(noop).result(_CALL_TIMEOUT_S)
    first = time.perf_counter() - _STARTED
    laps = []
    for _ in range(count):
        start = time.perf_counter()
        executor.submit(noop).result(_CALL_TIMEOUT_S)
        laps.append(time.perf_counter() - start)
    return {"first": first, "laps": laps}


def nap(seconds: float) -> None:
    """Take a while."""
    import time

    time.sleep(seconds)


def measure_stream(executor: Any, count: int, rate_hz: float, duration_s: float) -> dict[str, Any]:
    """Call at a steady rate, whatever has come back.

    Args:
        executor: a new one.
        count: how many calls.
        rate_hz: calls a second.
        duration_s: how long each takes at the endpoint.

    Returns:
        ``waits``: from submit to result, without what the call takes, for each of the ``count``
        calls behind one that warms up; in the order in which they end.
    """
    executor.submit(nap, duration_s).result(_CALL_TIMEOUT_S)
    waits: list[float] = []

    def note(begin: float, _future: Any) -> None:
        waits.append(time.perf_counter() - begin - duration_s)

    futures = []
    start = time.perf_counter()
    for number in range(count):
        time.sleep(max(0.0, start + number / rate_hz - time.perf_counter()))
        begin = time.perf_counter()
        future = executor.submit(nap, duration_s)
        future.add_done_callback(functools.partial(note, begin))
        futures.append(future)
    for future in futures:
        future.result(_BURST_TIMEOUT_S)
    while len(waits) < count:  # a result may be there before its callback has run
        time.sleep(_LOOK_EVERY_S)
    return {"waits": waits}


def measure_burst(executor: Any, count: int) -> dict[str, Any]:
    """Submit many calls at once, on a connection that is up.

    Returns:
        ``elapsed``: from the first submit to the last result; ``submitted``: to the end of the
        last submit; ``cpu``: time that all threads of this process used meanwhile, user and
        system.
    """
    executor.submit(noop).result(_CALL_TIMEOUT_S)
    cpu = time.process_time()
    start = time.perf_counter()
    futures = [executor.submit(noop) for _ in range(count)]
    submitted = time.perf_counter() - start
    concurrent.futures.wait(futures, _BURST_TIMEOUT_S)
    elapsed = time.perf_counter() - start
    cpu = time.process_time() - cpu
    for future in futures:
        future.result(0)  # raises where a call failed or is still missing
    return {"elapsed": elapsed, "submitted": submitted, "cpu": cpu}


def measure_series(executor: Any, count: int, rest_s: float | None = None) -> dict[str, Any]:
    """Call one at a time, with everything that this needs.

    Args:
        executor: a new one.
        count: how many calls.
        rest_s: seconds to do nothing, after a call that warms up; ``None`` to begin with the
            first call of all.

    Returns:
        ``elapsed``: from the first submit to the last result; ``laps``: of each call.
    """
    if rest_s is not None:
        executor.submit(noop).result(_CALL_TIMEOUT_S)
        time.sleep(rest_s)
    laps = []
    start = time.perf_counter()
    for _ in range(count):
        begin = time.perf_counter()
        executor.submit(noop).result(_CALL_TIMEOUT_S)
        laps.append(time.perf_counter() - begin)
    return {"elapsed": time.perf_counter() - start, "laps": laps}


def measure_pending(executor: Any, count: int, url: str, traced: bool) -> dict[str, Any]:
    """Have many futures wait at once, for results that are held back.

    Args:
        executor: a new one.
        count: how many calls, with a number as their argument.
        url: of the service that answers tasks itself.
        traced: whether to measure memory, which takes its time, or time.

    Returns:
        ``taken``: from the first submit to the last task id; ``delivered``: from the release of
        the results to the last of them; ``held``: memory while all wait, with what is behind
        them; ``peak``: the most memory until then. Memory is above that before the first
        submit, and ``None`` where it is not traced.
    """
    executor.submit(noop).result(_CALL_TIMEOUT_S)
    tell(url, "hold")
    memory = Memory(traced)
    start = time.perf_counter()
    futures = [executor.submit(noop, number) for number in range(count)]
    _await_taken(futures)
    taken = time.perf_counter() - start
    held, peak = memory.taken()
    start = time.perf_counter()
    tell(url, "release")
    concurrent.futures.wait(futures, _BURST_TIMEOUT_S)
    delivered = time.perf_counter() - start
    for future in futures:
        future.result(0)
    return {"taken": taken, "delivered": delivered, "held": held, "peak": peak}


def measure_large(
    executor: Any, count: int, url: str, result_bytes: int, traced: bool
) -> dict[str, Any]:
    """Have large results come, which the user drops as soon as they are there.

    Args:
        executor: a new one.
        count: how many.
        url: of the service that answers tasks itself.
        result_bytes: the length of each.
        traced: whether to count what Python allocates; what is resident is measured without it.

    Returns:
        ``elapsed``: from the release of the results to the last of them; ``allocated``: the most
        that Python had in use meanwhile, or ``None``; ``resident``: the most that the process
        had. Both are above that before.
    """
    executor.submit(noop).result(_CALL_TIMEOUT_S)
    tell(url, f"result?bytes={result_bytes}")
    tell(url, "hold")  # until every submit has its answer: before that, the client keeps results
    wrong: list[str] = []
    left = threading.Semaphore(0)

    def drop(future: Any) -> None:
        error = future.exception(0)
        result = None if error else future.result(0)
        if not isinstance(result, bytes) or len(result) != result_bytes:
            wrong.append(repr(error or type(result)))
        left.release()

    futures = [executor.submit(noop) for _ in range(count)]
    for future in futures:
        future.add_done_callback(drop)
    _await_taken(futures)
    futures.clear()
    del future
    memory = Memory(traced)
    start = time.perf_counter()
    tell(url, "release")
    for _ in range(count):
        if not left.acquire(timeout=_BURST_TIMEOUT_S):
            raise RuntimeError("a result did not come")
    elapsed = time.perf_counter() - start
    if wrong:
        raise RuntimeError(f"{len(wrong)} of {count} results are wrong: {wrong[0]}")
    return {"elapsed": elapsed, "allocated": memory.taken()[1], "resident": memory.resident()}


def _await_taken(futures: list[Any]) -> None:
    """Wait until the service has taken all tasks."""
    while not all(future.task_id for future in reversed(futures)):
        time.sleep(_LOOK_EVERY_S)


class Memory:
    """Counts memory above what is in use when it is made.

    Args:
        traced: whether to count what Python allocates.
    """

    def __init__(self, traced: bool) -> None:
        gc.collect()
        ctypes.CDLL(None).malloc_trim(0)  # so that what was freed before is not used again
        self._traced = traced
        if traced:
            tracemalloc.start()
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here on
        self._resident = _status("VmRSS")

    def taken(self) -> tuple[int | None, int | None]:
        """Give what Python has in use, and the most that it had; ``None`` if it is not traced."""
        if not self._traced:
            return None, None
        gc.collect()
        return tracemalloc.get_traced_memory()

    def resident(self) -> int:
        """Give the most that the process had in memory."""
        return _status("VmHWM") - self._resident


def _status(name: str) -> int:
    """Read a size of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{name}:"))


def tell(url: str, what: str) -> None:
    """Tell the service that answers tasks itself what to do."""
    request = urllib.request.Request(f"{url}/benchmark/{what}", method="POST")
    urllib.request.urlopen(request, timeout=_BURST_TIMEOUT_S).close()


SCENARIOS: dict[str, Callable[..., dict[str, Any]]] = {
    "calls": measure_calls,
    "stream": measure_stream,
    "burst": measure_burst,
    "series": measure_series,
    "pending": measure_pending,
    "large": measure_large,
}


def open_executor(order: dict[str, Any]) -> Any:
    """Make the executor of the package that is measured."""
    package = importlib.import_module(order["package"])
    authorizer = importlib.import_module("globus_sdk").AccessTokenAuthorizer(order["token"])
    if order["package"] == "gcompute":
        client = package.Client(base_url=order["url"], authorizer=authorizer)
    else:
        # The official client takes its address from a table of known services by this function,
        # and the table has one local address, with a fixed port. Nothing else is changed.
        module = importlib.import_module("globus_compute_sdk.sdk.client")
        module.get_web_service_url = lambda _environment=None: order["url"]  # type: ignore[attr-defined]
        client = package.Client(authorizer=authorizer)
    return package.Executor(
        endpoint_id=order["endpoint_id"], client=client, **order.get("options", {})
    )


def main() -> None:
    """Carry out the order."""
    order = json.load(sys.stdin)
    scenario = SCENARIOS[order["scenario"]]
    try:
        with open_executor(order) as executor:
            answer = scenario(executor, order["count"], **order.get("settings", {}))
            print(json.dumps(answer), flush=True)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


if __name__ == "__main__":
    main()
