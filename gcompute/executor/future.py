"""The future of a task."""

from __future__ import annotations

import concurrent.futures
import logging
from typing import Any

log = logging.getLogger(__name__)


class ComputeFuture(concurrent.futures.Future[Any]):
    """A :class:`concurrent.futures.Future` that knows its task.

    It is pending while the task waits to be sent, and can be cancelled; it is running from the
    moment the task is on its way to the service, and cannot be cancelled any more.

    Attributes:
        task_id: the task's id, once the service has taken it; ``None`` before.
    """

    def __init__(self, task_id: str | None = None) -> None:
        super().__init__()
        self.task_id = task_id

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]} task {self.task_id or '(not sent yet)'}>"


def settle(future: ComputeFuture, result: Any = None, error: BaseException | None = None) -> None:
    """End a future with a result or an error; one that has ended already stays as it is.

    Nothing is raised, whatever the user's callbacks do: behind this future others wait.
    """
    try:
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)
    except concurrent.futures.InvalidStateError:
        pass
    except BaseException:  # a callback's sys.exit(); futures report lesser exceptions themselves
        log.exception("a callback of %r tried to end its thread", future)
