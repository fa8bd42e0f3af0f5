"""Plays scenarios in a process of their own, and tells how each went.

A script of scenarios is what a user would write: it is run as ``__main__``, imports its package,
and finds service and login in the environment. The same text runs with the official SDK, with the
imported package's name changed and nothing else. Where the two are to behave differently,
the scenario says so, by `OFFICIAL`.

In goes a JSON object as the one argument, see `Setting`; out comes a line of JSON a scenario.
Scenarios play on a thread each, so that one that hangs is seen, and shows where.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gcompute as sdk

#: Whether this is the official SDK.
OFFICIAL = sdk.__name__ != "gcompute"

#: How long anything may take, in seconds; the machine may be busy.
PATIENCE_S = 60.0
#: How long a scenario may take, in seconds.
_SCENARIO_S = 2 * PATIENCE_S


class LeftOut(Exception):
    """The scenario makes no sense in this cell; the text says why."""


@dataclass(frozen=True)
class Setting:
    """Where scenarios play."""

    client: sdk.Client
    #: Where tasks run.
    endpoint_id: str
    #: What runs them: ``own``, ``threads``, ``processes`` or ``parsl``.
    worker: str

    def executor(self, **kwargs: Any) -> sdk.Executor:
        """Make an executor."""
        return sdk.Executor(endpoint_id=self.endpoint_id, client=self.client, **kwargs)


Scenario = Callable[[Setting], None]


def play(*scenarios: Scenario) -> None:
    """Play scenarios one after another, and print how each went."""
    told = json.loads(sys.argv[1])
    # The local service has no limit of requests to keep to, and the official client none to set.
    limit: dict[str, Any] = {} if OFFICIAL else {"request_limit": None}
    setting = Setting(sdk.Client(**limit), told["endpoint_id"], told["worker"])
    hung = False
    for scenario in scenarios:
        started_at = time.monotonic()
        outcome, detail = _watched(scenario, setting)
        hung = hung or outcome == "hung"
        line = {
            "scenario": scenario.__name__,
            "outcome": "failed" if outcome == "hung" else outcome,
            "detail": detail,
            "seconds": time.monotonic() - started_at,
        }
        print(json.dumps(line), flush=True)
    if hung:
        # What hangs would keep the interpreter as well.
        os._exit(0)


def _watched(scenario: Scenario, setting: Setting) -> tuple[str, str]:
    """Play a scenario on a thread; one that does not end shows where it hangs."""
    played: queue.SimpleQueue[tuple[str, str]] = queue.SimpleQueue()
    thread = threading.Thread(
        target=lambda: played.put(_outcome(scenario, setting)), name=scenario.__name__, daemon=True
    )
    thread.start()
    try:
        return played.get(timeout=_SCENARIO_S)
    except queue.Empty:
        frame = sys._current_frames().get(thread.ident or 0)
        return "hung", "hangs here:\n" + "".join(traceback.format_stack(frame))


def _outcome(scenario: Scenario, setting: Setting) -> tuple[str, str]:
    try:
        scenario(setting)
    except LeftOut as reason:
        return "left out", str(reason)
    except Exception:
        return "failed", traceback.format_exc()
    return "passed", ""


def until(holds: Callable[[], Any]) -> Any:
    """Ask again and again until the answer is true; give that answer."""
    deadline = time.monotonic() + PATIENCE_S
    pause = threading.Event()
    while not (answer := holds()):
        assert time.monotonic() < deadline, f"did not come true within {PATIENCE_S:g} s"
        pause.wait(0.05)
    return answer


def raised(kind: type[Exception], call: Callable[[], Any]) -> Any:
    """Give the error that a call raises; it must be of a kind."""
    try:
        answer = call()
    except kind as error:
        return error
    raise AssertionError(f"expected {kind.__name__}, got {answer!r}")
