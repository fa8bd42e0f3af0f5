"""What may become of a task in place of a result."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any

from gcompute.errors.base import ComputeError
from gcompute.hints import hints_for


class TaskTooLarge(ComputeError):
    """A task that no request could carry; it was not sent.

    Attributes:
        size: bytes of the task in a request.
        limit: bytes that one request may have.
    """

    def __init__(self, message: str, *, size: int, limit: int) -> None:
        super().__init__(message)
        self.size = size
        self.limit = limit


class TaskPending(ComputeError):
    """The task has not finished.

    Attributes:
        reason: its status, such as ``"waiting-for-ep"``.
        task_id: the task, where known.
    """

    def __init__(self, reason: str, *, task_id: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.task_id = task_id

    def __str__(self) -> str:
        # The beginning is the official text, which scripts may look for.
        text = f"Task is pending due to {self.reason}"
        if self.task_id is None:
            return text
        return f"{text}; the client's wait({self.task_id!r}) returns when it has finished"


class SubmissionUncertain(ComputeError):
    """A submit broke off after it was sent: its tasks may or may not have been taken.

    Attributes:
        endpoint_id: where the tasks were to run.
        task_group_id: the task group to look in, where there was one already.
        task_ids: tasks in that group that may be of this submit.
    """

    def __init__(
        self,
        message: str,
        *,
        endpoint_id: str = "",
        task_group_id: str | None = None,
        task_ids: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.endpoint_id = endpoint_id
        self.task_group_id = task_group_id
        self.task_ids = list(task_ids)


class ResultsUnavailable(ComputeError):
    """Results can no longer be had for tasks that the service took."""


class MaxResultSizeExceeded(ComputeError):
    """A function's result is over the service's limit. Sizes are in bytes."""

    def __init__(self, result_size: int, result_size_limit: int) -> None:
        super().__init__(result_size, result_size_limit)
        self.result_size = result_size
        self.result_size_limit = result_size_limit

    def __str__(self) -> str:
        return (
            f"Task result of {self.result_size}B exceeded current limit of "
            f"{self.result_size_limit}B"
        )


class RemoteTraceback(Exception):
    """The traceback of the worker, as text: the cause of a :class:`TaskExecutionFailed`."""

    def __str__(self) -> str:
        return f"\n{self.args[0]}"


class TaskExecutionFailed(ComputeError):
    """A task failed at the endpoint.

    Attributes:
        remote_data: the error text of the endpoint, usually a traceback.
        task_id: the task.
        endpoint_id: where it ran, where known.
        error_code: the endpoint's code, such as ``"RemoteExecutionError"``, where known.
        completion_t: when it finished, Unix time in seconds as text, where known.
        details: the worker's environment (``os``, ``python_version``, ...), where known.
    """

    def __init__(
        self,
        remote_data: str,
        completion_t: str | None = None,
        task_details: dict[str, Any] | None = None,
        *,
        task_id: str | None = None,
        endpoint_id: str | None = None,
        error_code: str | None = None,
    ) -> None:
        super().__init__(remote_data)
        self.remote_data = remote_data
        self.completion_t = completion_t
        # What an endpoint says of itself is never a reason to lose its error.
        self.task_details = task_details if isinstance(task_details, dict) else None
        self.task_id = task_id
        self.endpoint_id: str | None = endpoint_id or self.details.get("endpoint_id")
        self.error_code = error_code
        self.__cause__ = RemoteTraceback(remote_data)

    @property
    def remote_traceback(self) -> str:
        """The error text of the endpoint; another name for ``remote_data``."""
        return self.remote_data

    @property
    def details(self) -> dict[str, Any]:
        """The worker's environment, empty where the endpoint told nothing."""
        return self.task_details or {}

    def __reduce__(self) -> tuple[Any, ...]:
        # The cause is rebuilt with the error: pickle would drop it.
        return _rebuild_failure, (type(self), self.remote_data, self.__dict__)

    def __str__(self) -> str:
        subject = f"task {self.task_id}" if self.task_id else "the task"
        where = f" on endpoint {self.endpoint_id}" if self.endpoint_id else ""
        code = f" ({self.error_code})" if self.error_code else ""
        lines = [
            f"{subject} failed{where}{code}:",
            textwrap.indent(self.remote_data.rstrip(), "  "),
        ]
        lines += [f"Hint: {hint}" for hint in hints_for(self.remote_data)]
        return "\n".join(lines)


def _rebuild_failure(
    cls: type[TaskExecutionFailed], remote_data: str, state: dict[str, Any]
) -> TaskExecutionFailed:
    error = cls(remote_data)
    error.__dict__.update(state)
    return error
