"""What it means when an engine gives no result for a task. Pure.

Whatever a function does is in the result's message, so an exception of the future is the
engine's own: its worker died, or it could not run the task.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, CancelledError

from .pool import WORKER_LOST

#: Error code of a task that an engine could not run.
ENGINE_FAILED = "EngineFailed"

#: Exceptions that say that a worker died, by name: Parsl's (its worker, its node's manager) and
#: dask.distributed's. Those of the standard library, loky and mpi4py are a ``BrokenExecutor``.
_LOST = frozenset({"WorkerLost", "ManagerLost", "KilledWorker"})


def is_broken(error: BaseException | None) -> bool:
    """Say whether an engine that raised this will never run another task."""
    return isinstance(error, BrokenExecutor)


def describe_error(error: BaseException, engine: str) -> tuple[str, str]:
    """Give the error code and a sentence for an exception of a task's future.

    Args:
        error: the exception.
        engine: what kind of Executor it is from.
    """
    names = {cls.__name__ for cls in type(error).__mro__}
    cause = f"{type(error).__name__}: {error}".strip().removesuffix(":")
    if is_broken(error):
        return WORKER_LOST, (
            f"a worker process of {engine} died, and all that the engine ran at the time is lost, "
            f"whichever task was the cause ({cause})"
        )
    if names & _LOST:
        return WORKER_LOST, f"the worker process of {engine} that ran this task died ({cause})"
    if isinstance(error, CancelledError):
        return ENGINE_FAILED, f"{engine} cancelled this task"
    if any("No module named 'gcompute" in str(link) for link in _chain(error)):
        return ENGINE_FAILED, (
            f"the workers of {engine} cannot import gcompute ({cause}): install it in their "
            "environment, `pip install --no-deps gcompute dill` is enough"
        )
    return ENGINE_FAILED, f"{engine} could not run this task ({cause})"


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Give an exception and its causes: dask, for one, has words of its own for those."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def describe_value(value: object, engine: str) -> tuple[str, str]:
    """Give the error code and a sentence for a result that is none of ours."""
    return ENGINE_FAILED, (
        f"{engine} gave a {type(value).__qualname__} in place of the task's result: it must run "
        "functions as they are"
    )
