"""What a request to the service may end with: no answer, or one with an error status."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, ClassVar

from gcompute.errors.base import ComputeError

if TYPE_CHECKING:
    from globus_sdk.exc import ErrorInfoContainer


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
