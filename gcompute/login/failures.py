"""Failures of ``globus_sdk`` as errors of ours.

Of a cause only its text is kept, not its frames: their variables hold tokens and secrets, and
some programs print the variables of a traceback.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gcompute import environment
from gcompute.errors import AuthenticationFailed, ComputeError, ServiceUnreachable

if TYPE_CHECKING:
    import globus_sdk

#: What a refusal of Globus Auth means for who asked. Source: RFC 6749, section 5.2.
_ADVICE = {
    "invalid_client": (
        "check GLOBUS_COMPUTE_CLIENT_ID and GLOBUS_COMPUTE_CLIENT_SECRET: Globus Auth does not "
        "know this client by this secret"
    ),
    "invalid_grant": "the login or its consent has ended, or the code was not right",
}


class Secret(str):
    """A text that no repr shows; otherwise the text itself."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "<secret>"


@contextlib.contextmanager
def login_errors() -> Iterator[None]:
    """Translate what ``globus_sdk`` raises while it logs in or renews a token.

    Raises:
        ServiceUnreachable: Globus Auth gave no answer; trying again may help.
        AuthenticationFailed: a new login is needed, or other credentials.
        ComputeError: the tokens can neither be read nor kept.
    """
    try:
        yield
    except ComputeError as error:
        forget_frames(error.__cause__ or error.__context__)
        raise
    except Exception as error:
        translated = _translate(error)
        if translated is None:
            raise
        forget_frames(error)
        raise translated from error


def _translate(error: Exception) -> ComputeError | None:
    """Give the error to raise; ``None`` for what is no failure of a login."""
    import globus_sdk
    import jwt

    if isinstance(error, sqlite3.Error):
        return ComputeError(
            f"the tokens in {environment.user_dir()} cannot be used ({error}): set "
            "GLOBUS_COMPUTE_USER_DIR to a folder that can be written, or remove storage.db there "
            "and log in again"
        )
    if isinstance(error, globus_sdk.GlobusAPIError):
        return _refusal(error)
    if isinstance(error, globus_sdk.NetworkError):
        return _unavailable(str(error))
    if isinstance(error, globus_sdk.GlobusError | jwt.PyJWTError | EOFError):
        return AuthenticationFailed(
            http_status=401, message=f"there is no token of Globus Auth: {error}"
        )
    return None


def _refusal(error: globus_sdk.GlobusAPIError) -> ComputeError:
    name = oauth_error(error)
    message = _ADVICE.get(name) or error.message or error.http_reason
    if error.http_status >= 500 or error.http_status == 429:
        return _unavailable(f"HTTP {error.http_status}: {message}")
    return AuthenticationFailed(
        http_status=error.http_status,
        code=name or error.code or "Error",
        message=message,
        request_id=error.request_id,
        request="Globus Auth",
    )


def _unavailable(why: str) -> ServiceUnreachable:
    return ServiceUnreachable(
        f"Globus Auth gave no token: {why}; check the network, and try again later", sent=False
    )


def oauth_error(error: globus_sdk.GlobusAPIError) -> str:
    """Give the name that OAuth has for a refusal; empty where the answer has none."""
    document = error.raw_json
    name = document.get("error") if isinstance(document, dict) else None
    return name if isinstance(name, str) else ""


def forget_frames(error: BaseException | None) -> None:
    """Drop the frames of an error and of what led to it; they have tokens in their variables."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        error.__traceback__ = None
        error = error.__cause__ or error.__context__
