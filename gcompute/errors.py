"""Every error that gcompute raises, in one tree.

::

    ComputeError                      the root: catch this to catch all of them
    ├── ServiceUnreachable            no answer: refused, timed out, cut off, no such host
    ├── ComputeAPIError               the service answered with an error status
    │   ├── AuthenticationFailed        401: the token is missing, wrong or expired
    │   │   └── LoginRequired             nobody is logged in, and nobody can be asked to
    │   ├── PermissionDenied            403: known, but not allowed
    │   ├── NotFound                    404: no such task, function, endpoint or task group
    │   ├── PayloadTooLarge             413: a request over the service's limit
    │   ├── RequestInvalid              400, 422: the service could not accept the request
    │   ├── RateLimited                 429: too many requests
    │   └── ServiceFailed               5xx: the service itself is in trouble
    ├── SerdeError
    │   ├── SerializationError          a function, argument or result cannot be sent
    │   └── DeserializationError        what arrived cannot be loaded here
    ├── TaskTooLarge                  one task is over the limit of a request; never sent
    ├── TaskPending                   the task has not finished yet
    ├── TaskExecutionFailed           the task ran, or was to run, and failed
    ├── SubmissionUncertain           a submit broke off: the tasks may or may not run
    ├── ResultsUnavailable            the stream of results cannot be had any more
    ├── MaxResultSizeExceeded         a result over the limit (raised on a worker)
    ├── MalformedMessage              bytes that are no message of the protocol
    └── VersionMismatch               this client is too old for the service

Each carries what it knows as attributes, says in its message what happened, to what, and
what to do next, and survives pickling: a worker process or a process pool may carry it.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from gcompute.hints import hints_for

if TYPE_CHECKING:
    from globus_sdk.exc import ErrorInfoContainer

__all__ = [
    "AuthenticationFailed",
    "ComputeAPIError",
    "ComputeError",
    "DeserializationError",
    "LoginRequired",
    "MalformedMessage",
    "MaxResultSizeExceeded",
    "NotFound",
    "PayloadTooLarge",
    "PermissionDenied",
    "RateLimited",
    "RemoteTraceback",
    "RequestInvalid",
    "ResultsUnavailable",
    "SerdeError",
    "SerializationError",
    "ServiceFailed",
    "ServiceUnreachable",
    "SubmissionUncertain",
    "TaskExecutionFailed",
    "TaskPending",
    "TaskTooLarge",
    "VersionMismatch",
]


class ComputeError(Exception):
    """The root of every error of this package."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception.__reduce__ calls the class with self.args, which does not fit
        # constructors with keyword-only arguments: rebuild from the state instead.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[ComputeError], args: tuple[Any, ...], state: dict[str, Any]) -> ComputeError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error


class ServiceUnreachable(ComputeError):
    """The service gave no answer.

    Attributes:
        url: the address that was asked, without credentials.
        sent: whether the request may have reached the service. Only ``False`` makes it
            safe to repeat a submit.
    """

    def __init__(self, message: str, *, url: str = "", sent: bool = True) -> None:
        super().__init__(message)
        self.url = url
        self.sent = sent


class ComputeAPIError(ComputeError):
    """The service answered with an error status.

    Its attributes have the names that they have in ``globus_sdk.GlobusAPIError``; see
    ``docs/decisions/0005-api-errors-of-our-own.md``.

    Attributes:
        http_status: the HTTP status code.
        code: the service's name for the error, such as ``"ENDPOINT_NOT_FOUND"``;
            ``"Error"`` where the answer has none.
        message: what the service says about it.
        request_id: the id to quote to the service's support, where the answer has one.
        raw_json: the whole answer, or ``None`` where it is no JSON object.
        errors: for an invalid request, one mapping a wrong field: ``loc`` (path in the
            request), ``msg``, ``type``.
        headers: the answer's headers; their names in any case where the error is of an answer.
        text: the body of the answer.
        request: method and path of the request.
    """

    def __init__(
        self,
        *,
        http_status: int,
        code: str = "Error",
        message: str = "",
        request_id: str | None = None,
        raw_json: dict[str, Any] | None = None,
        errors: Sequence[Mapping[str, Any]] = (),
        request: str = "",
        headers: Mapping[str, str] | None = None,
        text: str = "",
    ) -> None:
        self.http_status = http_status
        self.code = code
        self.message = message
        self.request_id = request_id
        self.raw_json = raw_json
        self.errors = list(errors)
        self.request = request
        self.headers: Mapping[str, str] = {} if headers is None else headers
        self.text = text
        super().__init__(self._describe())

    #: What the person at the keyboard can do about it; shown at the end of the message.
    next_step: ClassVar[str] = ""

    @property
    def status_code(self) -> int:
        """The HTTP status code, by the name httpx and requests have for it."""
        return self.http_status

    @property
    def http_reason(self) -> str:
        """The phrase of the status, such as ``"Not Found"``; empty for an unusual one."""
        try:
            return HTTPStatus(self.http_status).phrase
        except ValueError:
            return ""

    @property
    def content_type(self) -> str | None:
        """The media type of the answer, where it tells one."""
        return self.headers.get("Content-Type")

    @property
    def errors_by_field(self) -> dict[str, list[str]]:
        """For an invalid request, what is wrong with each field, by its path in the request."""
        found: dict[str, list[str]] = {}
        for error in self.errors:
            found.setdefault(_field_path(error.get("loc")), []).append(str(error.get("msg", "")))
        return found

    @property
    def messages(self) -> list[str]:
        """What the service says, one text a wrong field."""
        said = [f"{path}: {text}" for path, texts in self.errors_by_field.items() for text in texts]
        return said or [text for text in (self.message,) if text]

    @property
    def info(self) -> ErrorInfoContainer:
        """What Globus services tell about missing consents and policies, as globus_sdk reads it."""
        from globus_sdk.exc import ErrorInfoContainer

        return ErrorInfoContainer(self.raw_json)

    def _describe(self) -> str:
        where = f"{self.request}: " if self.request else ""
        name = "" if self.code in ("", "Error") else f" {self.code}"
        parts = [f"{where}HTTP {self.http_status}{name}"]
        if self.message:
            parts.append(f": {self.message}")
        for error in self.errors:
            parts.append(f"\n  {_field_path(error.get('loc'))}: {error.get('msg', '')}")
        if self.request_id:
            parts.append(f" (request id {self.request_id})")
        if self.next_step:
            parts.append(f"\n{self.next_step}")
        return "".join(parts)


def _field_path(loc: object) -> str:
    """Write a field's path in a request: documented as a list of steps, but foreign."""
    return ".".join(map(str, loc)) if isinstance(loc, list | tuple) else str(loc or "request")


class AuthenticationFailed(ComputeAPIError):
    """401: the token is missing, wrong or expired."""

    next_step = "Log in again, or pass an authorizer whose token has the Globus Compute scope."


class LoginRequired(AuthenticationFailed):
    """A login is needed, and there is no terminal or notebook to ask for it; nothing was sent."""

    next_step = (
        "One of these helps: log in once on a terminal, as the same user, with "
        '`python -c "import gcompute; gcompute.Client().login()"`; set GLOBUS_COMPUTE_CLIENT_ID '
        "and GLOBUS_COMPUTE_CLIENT_SECRET to the credentials of a client; or pass a token: "
        "gcompute.Client(authorizer=globus_sdk.AccessTokenAuthorizer(token))."
    )

    def _describe(self) -> str:
        # No request was made that could have had this status.
        return f"{self.message}\n{self.next_step}"


class PermissionDenied(ComputeAPIError):
    """403: this identity may not do that."""

    next_step = "Ask the owner of the endpoint or function for access, or check who you are."


class NotFound(ComputeAPIError):
    """404: the service knows no such task, function, endpoint or task group."""

    next_step = "Check the id, and that it belongs to this service and this identity."


class PayloadTooLarge(ComputeAPIError):
    """413: the request is over the service's limit."""

    next_step = (
        "Send fewer tasks in one request, or pass large values by file or object store: "
        "one submit request may have 10 MB, base64 included."
    )


class RequestInvalid(ComputeAPIError):
    """400 or 422: the service could not accept the request as it was."""

    next_step = "Correct what is named above; sending the same again gives the same answer."


class RateLimited(ComputeAPIError):
    """429: too many requests; ``retry_after_s`` says how long to wait, where known."""

    next_step = "Send fewer requests: put many tasks in one, and ask for many results at once."

    retry_after_s: float | None = None


class ServiceFailed(ComputeAPIError):
    """5xx: the service failed, or something before it; ``retry_after_s`` as for 429."""

    next_step = "The service is in trouble; try again later."

    retry_after_s: float | None = None


class SerdeError(ComputeError):
    """Serializing or deserializing failed; ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SerializationError(SerdeError):
    """A function, an argument or a result cannot be turned into text."""

    def __str__(self) -> str:
        return f"Serialization failed: {self.reason}"


class DeserializationError(SerdeError):
    """A text from the wire cannot be turned into a value here."""

    def __str__(self) -> str:
        return f"Deserialization failed: {self.reason}"


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
    """The task has not finished; ``reason`` is its status."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"Task is pending due to {self.reason}"


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


class MalformedMessage(ComputeError):
    """Bytes that are no message of the wire's protocol; the text says what is wrong."""


class VersionMismatch(ComputeError):
    """This client's protocol level is older than the service accepts."""

    def __init__(self, version_message: str) -> None:
        super().__init__(version_message)
        self.version_message = version_message


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
        self.endpoint_id = endpoint_id or self.details.get("endpoint_id")
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
        lines = [f"{subject} failed{where}{code}:", textwrap.indent(self.remote_data, "  ")]
        lines += [f"Hint: {hint}" for hint in hints_for(self.remote_data)]
        return "\n".join(lines)


def _rebuild_failure(
    cls: type[TaskExecutionFailed], remote_data: str, state: dict[str, Any]
) -> TaskExecutionFailed:
    error = cls(remote_data)
    error.__dict__.update(state)
    return error


#: HTTP status to error class; other statuses of 500 and more are :class:`ServiceFailed`.
_BY_STATUS: dict[int, type[ComputeAPIError]] = {
    400: RequestInvalid,
    401: AuthenticationFailed,
    403: PermissionDenied,
    404: NotFound,
    413: PayloadTooLarge,
    422: RequestInvalid,
    429: RateLimited,
}


def error_class_for(http_status: int) -> type[ComputeAPIError]:
    """Choose the error class for an HTTP status of 400 or more."""
    default = ServiceFailed if http_status >= 500 else ComputeAPIError
    return _BY_STATUS.get(http_status, default)
