"""Several calls of a function as one task: what is sent, and what comes back.

A worker has the official package and not this one. So by dill a :class:`ChunkFunction` goes out
as a partial of :func:`~gcompute.functions.chunk.run_chunk`, which travels as source, and by the
strategies for sources as the function's source with that of ``run_chunk`` behind it.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

from gcompute.errors import ComputeError, TaskExecutionFailed
from gcompute.executor.future import ComputeFuture
from gcompute.functions.chunk import run_chunk
from gcompute.serialize.callables import callable_name
from gcompute.serialize.counterparts import travelling_source

#: What the agent calls an exception of a user's function.
_ERROR_CODE = "RemoteExecutionError"


class ChunkFunction:
    """A function of a list of calls, made of a function of one.

    Args:
        function: the function of one call.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        if not callable(function):
            raise TypeError(f"a function is needed, not {function!r} ({type(function).__name__})")
        self.__name__ = f"{callable_name(function)}_in_chunks"
        self.__doc__ = inspect.getdoc(function)
        #: Read by the strategies for sources.
        self._wire_inner = function

    def __call__(self, calls: list[tuple[Any, ...]]) -> list[Any]:
        """Do here what a worker does."""
        return run_chunk(self._wire_inner, calls)

    def _wire_reduce(self) -> tuple[Any, ...]:
        named = functools.partial(run_chunk, self._wire_inner)
        named.__dict__["__name__"] = self.__name__  # workers ask for it
        return tuple(named.__reduce__())

    def _wire_source(self, name: str, source: str) -> tuple[str, str]:
        """Give name and source of this function, made from those of the inner one."""
        runner = travelling_source(run_chunk.__module__)
        return self.__name__, (
            f"{source}\n\n"
            # The function as a default, since a parameter might have its name.
            f"def {self.__name__}(calls, function={name}, names={{}}):\n"
            f"    exec({runner!r}, names)\n"
            f"    return names[{run_chunk.__name__!r}](function, calls)\n"
        )


def chunk_results(
    future: ComputeFuture, value: Any, endpoint_id: str
) -> tuple[list[Any], TaskExecutionFailed | None]:
    """Give the results of a chunk's calls, and the failure of the call behind them.

    Args:
        future: the chunk's, for its task.
        value: what the task gave.
        endpoint_id: where it ran.

    Raises:
        ComputeError: the value is not what a chunk gives.
    """
    if not (isinstance(value, list) and len(value) == 2 and isinstance(value[0], list)):
        raise ComputeError(
            f"task {future.task_id} was to run several calls of map() and gave something else: "
            f"{type(value).__name__}"
        )
    results, error_text = value
    if error_text is None:
        return results, None
    failure = TaskExecutionFailed(
        str(error_text),
        task_id=future.task_id,
        endpoint_id=endpoint_id,
        error_code=_ERROR_CODE,
    )
    failure.add_note(
        f"It was call {len(results)} of the task, counted from 0, which had several by chunksize; "
        "those behind it in the task were not made."
    )
    return results, failure
