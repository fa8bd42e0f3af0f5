"""Failures of globus_sdk as errors of ours, without their tokens."""

from __future__ import annotations

import pickle
import sqlite3
import traceback
from pathlib import Path

import globus_sdk
import jwt
import pytest
import requests

from gcompute.errors import (
    AuthenticationFailed,
    ComputeError,
    LoginRequired,
    ServiceUnreachable,
)
from gcompute.login import login_errors
from gcompute.login.failures import Secret

CANARY = "canary-9f3b"


def refusal(status: int, body: str = '{"error": "invalid_grant"}') -> globus_sdk.AuthAPIError:
    """Make the error for an answer of Globus Auth to a request that had a secret."""
    response = requests.Response()
    response.status_code = status
    response.reason = "No"
    response._content = body.encode()
    response.headers["Content-Type"] = "application/json"
    request = requests.Request(
        "POST", "http://auth.test/token", auth=("client", CANARY), data={"refresh_token": CANARY}
    )
    response.request = request.prepare()
    response.url = "http://auth.test/token"
    return globus_sdk.AuthAPIError(response)


@pytest.mark.parametrize(
    "raised",
    [
        globus_sdk.GlobusConnectionError("no route", OSError()),
        globus_sdk.GlobusTimeoutError("slow", OSError()),
        refusal(502),
        refusal(503, "<html>"),
        refusal(429),
    ],
    ids=["connection", "timeout", "502", "503", "429"],
)
def test_no_answer_may_be_tried_again(raised: Exception) -> None:
    """Nothing was sent to the compute service, so the same request is safe later."""
    with pytest.raises(ServiceUnreachable, match="gave no token") as caught, login_errors():
        raise raised
    assert caught.value.sent is False
    assert caught.value.__cause__ is raised


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (refusal(400), "Globus Auth: HTTP 400 invalid_grant: the login or its consent has ended"),
        (refusal(401, '{"error": "invalid_client"}'), "401 invalid_client: check GLOBUS_COMPUTE_"),
        (refusal(403, '{"code": "NOPE", "message": "no"}'), "HTTP 403 NOPE: no"),
        (refusal(403, "[]"), "Globus Auth: HTTP 403: No"),
        (globus_sdk.GlobusError("stale"), "no token of Globus Auth: stale"),
        (jwt.InvalidSignatureError("bad"), "no token of Globus Auth: bad"),
        (EOFError("ended"), "no token of Globus Auth: ended"),
    ],
    ids=["grant", "client", "code", "odd", "globus", "jwt", "eof"],
)
def test_a_refusal_says_what_to_do(raised: Exception, said: str) -> None:
    """The status and name are those of Globus Auth, and the cause is kept."""
    with pytest.raises(AuthenticationFailed) as caught, login_errors():
        raise raised
    assert said in str(caught.value)
    assert "Log in again" in str(caught.value)
    assert caught.value.__cause__ is raised
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_tokens_that_cannot_be_read_name_their_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A full disk, a broken file, or a file system without locks."""
    monkeypatch.setenv("GLOBUS_COMPUTE_USER_DIR", str(tmp_path))
    with pytest.raises(ComputeError, match="GLOBUS_COMPUTE_USER_DIR") as caught, login_errors():
        raise sqlite3.OperationalError("disk I/O error")
    assert str(tmp_path) in str(caught.value)
    assert "disk I/O error" in str(caught.value)


def test_other_failures_are_left_alone() -> None:
    """A mistake in the user's own authorizer is his to see, frames and all."""
    mistake = ZeroDivisionError("mine")
    with pytest.raises(ZeroDivisionError) as caught, login_errors():
        raise mistake
    assert caught.value is mistake
    assert caught.value.__cause__ is None
    assert caught.value.__traceback__ is not None


def _with_secrets(raised: Exception) -> None:
    token = f"Bearer {CANARY}"
    try:
        raise OSError(len(token))
    except OSError as inner:
        raise raised from inner


@pytest.mark.parametrize(
    "raised",
    [refusal(400), LoginRequired(http_status=401, message="nobody is there")],
    ids=["translated", "ours"],
)
def test_no_variable_of_a_cause_is_kept(raised: Exception) -> None:
    """Programs that print the variables of a traceback print no token."""

    def fail() -> None:
        try:
            _with_secrets(raised)
        except globus_sdk.GlobusError:
            raise
        except LoginRequired as error:
            raise LoginRequired(http_status=401, message="still nobody") from error

    with pytest.raises(AuthenticationFailed) as caught, login_errors():
        fail()
    shown = traceback.TracebackException.from_exception(caught.value, capture_locals=True)
    assert CANARY not in "".join(shown.format())
    assert str(raised) in "".join(shown.format())


def test_a_secret_is_its_text_but_does_not_show_it() -> None:
    """It equals the text and is sent as it; a repr, also of what holds it, hides it."""
    secret = Secret(f"Bearer {CANARY}")
    assert secret == f"Bearer {CANARY}"
    assert secret.encode() == f"Bearer {CANARY}".encode()
    assert CANARY not in repr(secret)
    assert CANARY not in repr([secret, {"header": secret}])
