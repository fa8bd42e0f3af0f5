"""Ctrl-C while a task is submitted: at whatever moment, nothing that follows hangs."""

from __future__ import annotations

import gc
import itertools
import sys
import threading
from types import FrameType

from gcompute import ComputeFuture, Executor
from gcompute.executor.functions import FunctionReference
from gcompute.executor.outbox import Submission
from tests.unit.executor.stand_ins import (
    FUNCTION,
    SERIALIZER,
    WAIT_S,
    Service,
    answer_all,
    double,
    executor_of,
)


class _Interrupt:
    """Raises KeyboardInterrupt in this thread, at a chosen one of its steps.

    Not where a ``with`` is left, which is seen as a step back to its line: the interpreter looks
    for signals before that and after it.
    """

    def __init__(self, step: int) -> None:
        self._left = step
        self._lines: dict[FrameType, int] = {}

    def __call__(self, frame: FrameType, event: str, _argument: object) -> _Interrupt:
        back = frame.f_lineno < self._lines.get(frame, 0)
        self._lines[frame] = frame.f_lineno
        if event == "return" or (event == "line" and not back):
            self._left -= 1
            if self._left == 0:
                raise KeyboardInterrupt
        return self


def _submit(executor: Executor, step: int) -> bool:
    """Submit, and break it off at some step, unless it is over by then; say whether it was."""
    destination = executor._current_destination()
    reference = FunctionReference("double", function_id=FUNCTION)
    payload = SERIALIZER.pack_arguments((2,), {})
    submission = Submission(ComputeFuture(), destination, reference, payload, len(payload))
    before = sys.gettrace()
    gc.disable()  # an interrupt in a finalizer is lost, and not the submit's
    sys.settrace(_Interrupt(step))
    try:
        executor._engine.submit(submission)
        return True
    except KeyboardInterrupt:
        return False
    finally:
        sys.settrace(before)
        gc.enable()


def test_a_submit_that_is_interrupted_leaves_the_executor_usable(service: Service) -> None:
    """Whatever the step: the next task ends, and a shutdown returns."""
    answer_all(service)
    for step in itertools.count(1):
        executor = executor_of(service)
        assert executor.submit(double, 0).result(WAIT_S) == "done"
        over = _submit(executor, step)
        results: list[object] = []
        after = threading.Thread(target=_use, args=[executor, results], daemon=True)
        after.start()
        after.join(WAIT_S)
        assert results == ["done", "shut down"], f"interrupted at step {step}"
        if over:
            break
    assert step > 10


def _use(executor: Executor, results: list[object]) -> None:
    results.append(executor.submit(double, 1).result(WAIT_S))
    executor.shutdown()
    results.append("shut down")
