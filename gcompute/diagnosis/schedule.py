"""Running checks side by side, each with a time limit.

In come steps; out goes, in their order, how each ended. A step runs on a thread of its own once
those that it waits for have ended. One that exceeds its limit is given up: its thread, a daemon,
ends when the operating system lets go of it, and whatever it says then is not heard.

One loop, on the caller's thread, owns all state; threads only leave their outcome in a queue. What
a step raises is a problem of its own, and of nobody else.
"""

from __future__ import annotations

import functools
import queue
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from gcompute.diagnosis.outcome import Outcome, State, problem, skipped
from gcompute.threads import spawn


@dataclass(frozen=True, slots=True)
class Step:
    """A check to come.

    Attributes:
        name: what is looked at.
        run: looks.
        needs: steps that must have ended ok or with a warning; otherwise this one is skipped.
        after: steps that must have ended, however.
    """

    name: str
    run: Callable[[], Outcome]
    needs: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """How a step ended, and the seconds that it took."""

    name: str
    outcome: Outcome
    seconds: float


_Arrivals = queue.SimpleQueue[Ended]


def run_all(steps: Sequence[Step], *, limit_s: float) -> list[Ended]:
    """Run all steps.

    Args:
        steps: those that a step waits for come before it.
        limit_s: seconds that each may take.

    Returns:
        How they ended, in the order of ``steps``.

    Raises:
        ValueError: a step waits for one that does not come before it.
    """
    _check_order(steps)
    arrivals: _Arrivals = queue.SimpleQueue()
    waiting = list(steps)
    #: When each running step started, on the monotonic clock.
    running: dict[str, float] = {}
    ended: dict[str, Ended] = {}
    while len(ended) < len(steps):
        for step in [step for step in waiting if ended.keys() >= {*step.needs, *step.after}]:
            waiting.remove(step)
            missing = _missing(step, ended)
            if missing is None:
                running[step.name] = time.monotonic()
                spawn(f"diagnosis {step.name}", functools.partial(_run, step, arrivals))
            else:
                ended[step.name] = Ended(step.name, missing, 0.0)
        for one in _next_ended(arrivals, running, limit_s):
            del running[one.name]
            ended[one.name] = one
    return [ended[step.name] for step in steps]


def _next_ended(arrivals: _Arrivals, running: dict[str, float], limit_s: float) -> list[Ended]:
    """Wait until a running step ends, by itself or by its limit."""
    if not running:
        return []
    left_s = min(running.values()) + limit_s - time.monotonic()
    try:
        one = arrivals.get(timeout=max(0.0, left_s))
    except queue.Empty:
        now = time.monotonic()
        late = [name for name, started in running.items() if now - started >= limit_s]
        return [Ended(name, _too_slow(limit_s), now - running[name]) for name in late]
    return [one] if one.name in running else []  # one that was given up is not heard


def _run(step: Step, arrivals: _Arrivals) -> None:
    started = time.monotonic()
    try:
        outcome = step.run()
    except Exception as error:
        outcome = problem(
            f"this check itself failed: {type(error).__name__}: {error}",
            "Tell the maintainers of gcompute, with this report.",
            error=type(error).__name__,
        )
    arrivals.put(Ended(step.name, outcome, time.monotonic() - started))


def _missing(step: Step, ended: dict[str, Ended]) -> Outcome | None:
    """Say why a step cannot be tried, where it cannot."""
    for name in step.needs:
        if ended[name].outcome.state in (State.PROBLEM, State.SKIPPED):
            return skipped("not tried", f"Solve first: {name}.", needs=name)
    return None


def _too_slow(limit_s: float) -> Outcome:
    return problem(
        f"no answer within {limit_s:g} s",
        "Something swallows what is sent, as firewalls do, or is slow: ask the administrator of "
        "this network, or allow more time (--timeout).",
        error="TimeoutError",
    )


def _check_order(steps: Sequence[Step]) -> None:
    known: set[str] = set()
    for step in steps:
        unknown = {*step.needs, *step.after} - known
        if unknown or step.name in known:
            raise ValueError(f"step {step.name!r} comes twice, or before {sorted(unknown)}")
        known.add(step.name)
