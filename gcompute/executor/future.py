"""The future of a task.

What the standard library's futures can, and beyond it: it knows its task, asks the service how
the task is doing, and can be awaited in any event loop. It belongs to the process that made it,
so it can be neither pickled nor copied, before its end and after it: a copy would never end, and
what is worth sending is the task's id or the result.
"""

from __future__ import annotations

import concurrent.futures
import logging
from collections.abc import Callable, Generator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

from gcompute.awaiting import outcome
from gcompute.errors import SubmissionUncertain, TaskExecutionFailed
from gcompute.executor.callbacks import check_wait

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    # With a default, so that who does not care may write ComputeFuture; typing has that from
    # Python 3.13 on.
    T_co = TypeVar("T_co", covariant=True, default=Any)
else:
    from typing import TypeVar

    T_co = TypeVar("T_co", covariant=True)

log = logging.getLogger(__name__)

#: Asks the service for a task; gives ``None`` where the service does not know it. The answer's
#: ``status`` is read. Source: ``openapi/compute.yaml#/components/schemas/TaskStatus``.
AskStatus = Callable[[str], Mapping[str, Any] | None]


# Covariant, as users only read results: a list may have futures of several types.
class ComputeFuture(concurrent.futures.Future[T_co]):  # type: ignore[type-var]
    """A :class:`concurrent.futures.Future` that knows its task, and can be awaited.

    It is pending while the task waits to be sent, and can be cancelled; it is running from the
    moment the task is on its way to the service, and cannot be cancelled any more.

    ``await future`` gives the result or raises the error, in any event loop, and so do
    ``asyncio.gather(*futures)``, ``asyncio.as_completed(futures)`` and ``asyncio.wait_for``. A
    task that is cancelled while it waits leaves the future as it is. ``asyncio.wait`` is for
    futures of a loop only: ``asyncio.wait([asyncio.ensure_future(f) for f in futures])``.

    Callbacks run in the threads in which futures end: one that takes its time delays the results
    behind it, and one that waits for a future which that thread would have to end gets a
    RuntimeError.

    Args:
        task_id: the task's id, where it is known already.
        ask_status: asks the service for a task, for :meth:`status`.

    Attributes:
        task_id: the task's id, once the service has taken it; ``None`` before.
    """

    #: The standard library's.
    _done_callbacks: list[Callable[[concurrent.futures.Future[Any]], object]]

    def __init__(self, task_id: str | None = None, *, ask_status: AskStatus | None = None) -> None:
        super().__init__()
        self.task_id = task_id
        self._ask_status = ask_status

    def status(self) -> str:
        """Say how the task is doing, in one word.

        While the task is under way this is a request to the service, which blocks; for many
        tasks :meth:`gcompute.Client.get_batch_result` needs one request. Once the future has
        ended nothing is asked.

        Returns:
            ``"not sent"`` before the service has taken the task, and where it never will;
            ``"cancelled"``; ``"success"`` or ``"failed"`` once the task has finished; between
            these the service's word, such as ``"received"``, ``"waiting-for-ep"`` (the endpoint
            is offline or has not taken the task), ``"waiting-for-nodes"`` or ``"running"``.
            ``"unknown"`` where the service does not know the task (any more).

        Raises:
            ComputeAPIError: the service refuses to say.
            ServiceUnreachable: it gives no answer.
        """
        known = self._known_status()
        if known is not None:
            return known
        if self._ask_status is None or self.task_id is None:
            return "unknown"
        answer = self._ask_status(self.task_id)
        return str((answer or {}).get("status") or "unknown").lower()

    def _known_status(self) -> str | None:
        """Say how the task is doing as far as that needs no request."""
        if self.cancelled():
            return "cancelled"
        if not self.done():
            return None if self.task_id else "not sent"
        error = self.exception(0)
        if error is None:
            return "success"
        if isinstance(error, TaskExecutionFailed):
            return "failed"
        if isinstance(error, SubmissionUncertain):
            return "unknown"
        return None if self.task_id else "not sent"

    def result(self, timeout: float | None = None) -> T_co:
        """Give what the function returned, waiting for it.

        Raises:
            TaskExecutionFailed: the task failed; or another error of the package.
            TimeoutError: there is no result after ``timeout`` seconds. The task goes on.
            concurrent.futures.CancelledError: the future was cancelled.
            RuntimeError: a callback waits for what only its own thread can end.
        """
        try:
            if timeout != 0:
                check_wait(self)
            return super().result(timeout)
        except TimeoutError:
            if self.done():
                raise
            raise self._late(timeout) from None
        finally:
            # Else the error, which this future has, has this frame, which has the future.
            self = None  # type: ignore[assignment]

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Give the error that the task ended with, if any, waiting for its end.

        Raises:
            TimeoutError: the task has not ended after ``timeout`` seconds. It goes on.
            concurrent.futures.CancelledError: the future was cancelled.
            RuntimeError: a callback waits for what only its own thread can end.
        """
        try:
            if timeout != 0:
                check_wait(self)
            return super().exception(timeout)
        except TimeoutError:
            raise self._late(timeout) from None
        finally:
            self = None  # type: ignore[assignment]

    def _late(self, timeout: float | None) -> TimeoutError:
        task = f"task {self.task_id}" if self.task_id else "a task that has not been sent yet"
        return TimeoutError(
            f"no result of {task} after {timeout or 0:g} s: it goes on, and future.status() says "
            "how it is doing"
        )

    def _invoke_callbacks(self) -> None:
        """Call back, as the standard library does, but all of them.

        A ``sys.exit()`` in one would keep those behind it from being called; it is raised when
        they were.
        """
        leaving: BaseException | None = None
        for callback in self._done_callbacks:
            try:
                callback(self)
            except Exception:
                log.exception("a callback of %r failed", self)
            except BaseException as error:
                leaving = leaving or error
        if leaving is not None:
            raise leaving

    def __await__(self) -> Generator[Any, None, T_co]:
        return outcome(self)

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        if self.done():
            instead = "send what came of it, future.result()"
        elif self.task_id:
            instead = (
                f"send its task_id, {self.task_id}, and ask with Client.get_result(task_id), or "
                "send the executor's task_group_id and call Executor.reload_tasks()"
            )
        else:
            instead = "wait until it has a task_id, and send that"
        raise TypeError(
            f"a ComputeFuture belongs to its process and cannot be pickled or copied: {instead}"
        )

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
