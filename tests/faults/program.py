"""What a user's script does, for either client: submits calls, and says how each future ended.

Runs as a script in either environment, so it imports nothing of this repository. One JSON order
comes in as the first line of standard input::

    {"package": "gcompute" or "globus_compute_sdk", "url": ..., "token": ..., "endpoint_id": ...,
     "task_group_id": ... or null, "parts": [[n, ...], ...], "reload": bool, "options": {...}}

It calls ``work(n)`` for each number, part by part; each further line of standard input lets it go
on with the next part. With ``reload`` it submits nothing, and takes the futures of the task group.
It ends when standard input closes, whatever still waits.

Standard output has one JSON object a line: ``{"submitted": count}`` after each part or reload, and
for each future that ends ``{"key": n, "value": ...}`` or ``{"key": n, "error": type, "text": ...,
"task_group_id": ...}``; with ``reload`` the key is the task's id.
"""

import functools
import importlib
import json
import os
import sys
import threading
from typing import Any

_speaking = threading.Lock()


def work(number: int) -> str:
    """Do what a task does. Defined in the main module, so that dill sends it by value."""
    return f"result of {number}"


def say(message: dict[str, Any]) -> None:
    """Write one line, whichever thread it comes from."""
    with _speaking:
        print(json.dumps(message), flush=True)


def failed(key: Any, error: BaseException) -> None:
    """Say that a future ended with an error, or that there was none because of one."""
    group = getattr(error, "task_group_id", None)
    say(
        {
            "key": key,
            "error": type(error).__name__,
            "text": str(error)[:2000],
            "task_group_id": None if group is None else str(group),
        }
    )


def ended(key: Any, future: Any) -> None:
    """Say how a future ended."""
    try:
        value = future.result(0)
    except BaseException as error:
        failed(key, error)
    else:
        say({"key": key, "value": value})


def submit(executor: Any, numbers: list[int], keys: list[int]) -> None:
    """Submit a part."""
    for key, number in zip(keys, numbers, strict=True):
        try:
            future = executor.submit(work, number)
        except Exception as error:
            failed(key, error)
        else:
            future.add_done_callback(functools.partial(ended, key))


def reload(executor: Any) -> None:
    """Take the futures of the task group."""
    futures = list(executor.reload_tasks())
    say({"submitted": len(futures)})
    for future in futures:
        future.add_done_callback(functools.partial(ended, str(future.task_id)))


def open_executor(order: dict[str, Any]) -> Any:
    """Make the executor of the package that is tried."""
    package = importlib.import_module(order["package"])
    authorizer = importlib.import_module("globus_sdk").AccessTokenAuthorizer(order["token"])
    if order["package"] == "gcompute":
        client = package.Client(base_url=order["url"], authorizer=authorizer)
    else:
        # The official client takes its address from a table of known services by this function.
        # Nothing else is changed.
        module = importlib.import_module("globus_compute_sdk.sdk.client")
        module.get_web_service_url = lambda _environment=None: order["url"]  # type: ignore[attr-defined]
        client = package.Client(authorizer=authorizer)
    return package.Executor(
        endpoint_id=order["endpoint_id"],
        task_group_id=order["task_group_id"],
        client=client,
        **order["options"],
    )


def main() -> None:
    """Carry out the order."""
    order = json.loads(sys.stdin.readline())
    executor = open_executor(order)
    if order["reload"]:
        reload(executor)
    key = 0
    for part, numbers in enumerate(order["parts"]):
        if part and not sys.stdin.readline():
            break
        submit(executor, numbers, list(range(key, key + len(numbers))))
        key += len(numbers)
        say({"submitted": len(numbers)})
    sys.stdin.read()
    os._exit(0)  # whatever threads still wait


if __name__ == "__main__":
    main()
