"""Measures one client against a running service, from inside a process of its own.

Runs as a script in either environment, so it imports nothing of this repository. One JSON order
comes in on standard input::

    {"package": "gcompute" or "globus_compute_sdk", "scenario": "calls" or "burst", "count": n,
     "url": ..., "token": ..., "endpoint_id": ..., "options": {...}}

``options`` are keyword arguments of the Executor. One JSON answer goes out, as the last line of
standard output; see the scenarios. Times are in seconds. Any failure ends the process with exit
code 1 and a traceback on standard error, also when threads of the client still wait.
"""

import time

_STARTED = time.perf_counter()

import concurrent.futures  # noqa: E402
import importlib  # noqa: E402
import json  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
import traceback  # noqa: E402
from typing import Any  # noqa: E402

#: Seconds after which a result counts as lost.
_CALL_TIMEOUT_S = 30.0
_BURST_TIMEOUT_S = 100.0


def noop() -> None:
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
    scenario = {"calls": measure_calls, "burst": measure_burst}[order["scenario"]]
    try:
        with open_executor(order) as executor:
            answer = scenario(executor, order["count"])
            print(json.dumps(answer), flush=True)
    except BaseException:
        traceback.print_exc()
        sys.stderr.flush()
        os._exit(1)


if __name__ == "__main__":
    main()
