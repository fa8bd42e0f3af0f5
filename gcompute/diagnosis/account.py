"""Checks of the login. None of them asks anybody for anything."""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING, Any

from gcompute import environment
from gcompute.diagnosis.facts import Facts, Subject
from gcompute.diagnosis.outcome import Outcome, ok, problem, refused, skipped, warning
from gcompute.diagnosis.settings import user_dir
from gcompute.errors import ComputeError
from gcompute.protocol import COMPUTE_RESOURCE_SERVER

if TYPE_CHECKING:
    import globus_sdk
    from globus_sdk.token_storage import TokenStorageData

_LOG_IN = (
    'Log in on a terminal: python -c "import gcompute; gcompute.Client().login()"; or set '
    "GLOBUS_COMPUTE_CLIENT_ID and GLOBUS_COMPUTE_CLIENT_SECRET to the credentials of a client."
)


def check_login(subject: Subject, facts: Facts) -> Outcome:
    """Say who would log in, and whether there are tokens; nothing is sent."""
    if not subject.login:
        return skipped("left out, as wished", "Diagnose without --no-login.")
    if subject.authorizer is not None:
        return ok("by the authorizer that was given", kind="authorizer")
    from gcompute.login import login_errors

    try:
        with login_errors():
            app = subject.app or _app_of_environment(subject, facts)
            if app is not None:
                return _look_at(app, facts)
    except Exception as error:
        return _refused(error)
    return problem("nobody: there are no tokens", _LOG_IN, kind="UserApp", tokens=False)


def _app_of_environment(subject: Subject, facts: Facts) -> globus_sdk.GlobusApp | None:
    """Make the app that a client would use; ``None`` where it would have to ask for a login."""
    from gcompute.login import default_app

    _, secret = environment.client_credentials()
    # Making an app makes the file for tokens, which is a login's business.
    if not secret and not (user_dir() / "storage.db").exists():
        return None
    facts.app, facts.owns_app = default_app(subject.environment), True
    return facts.app


def _look_at(app: globus_sdk.GlobusApp, facts: Facts) -> Outcome:
    import globus_sdk

    from gcompute.login import require_scope

    facts.app = app
    require_scope(app)
    stored = app.token_storage.token_storage.get_token_data_by_resource_server()
    for each in stored.values():
        facts.redactor.add(each.access_token, each.refresh_token)
    tokens = stored.get(COMPUTE_RESOURCE_SERVER)
    kind = type(app).__name__
    details: dict[str, Any] = {"kind": kind, "client_id": str(app.client_id)}
    details["tokens"] = tokens is not None
    found = f"{kind} of client {app.client_id}, {_validity(app, tokens, details)}"
    if isinstance(app, globus_sdk.UserApp) and app.login_required():
        return problem(f"{found}; a new login is needed", _LOG_IN, **details)
    return ok(found, **details)


def _validity(
    app: globus_sdk.GlobusApp, tokens: TokenStorageData | None, details: dict[str, Any]
) -> str:
    if tokens is None:
        return "no tokens for the service are kept"
    left_s = tokens.expires_at_seconds - time.time()
    details |= {"expires_in_s": round(left_s), "renewable": _renewable(app, tokens)}
    lasts = f"lasts for {left_s / 3600:.1f} h more" if left_s > 0 else "has expired"
    renewal = "can be renewed" if details["renewable"] else "cannot be renewed"
    return f"its access {lasts} and {renewal}"


def _renewable(app: globus_sdk.GlobusApp, tokens: TokenStorageData) -> bool:
    import globus_sdk

    # A client asks for another token with its secret.
    return tokens.refresh_token is not None or isinstance(app, globus_sdk.ClientApp)


def check_token(subject: Subject, facts: Facts) -> Outcome:
    """Get a token for the service, renewing it where that is due."""
    from gcompute.login import app_authorizer, login_errors

    try:
        with login_errors():
            authorizer = subject.authorizer
            if authorizer is None:
                assert facts.app is not None
                authorizer = app_authorizer(facts.app)
            facts.header = authorizer.get_authorization_header()
    except Exception as error:
        return _refused(error)
    if facts.header is None:
        return warning("the authorizer has none", "Pass an authorizer that has a token.")
    facts.redactor.add(facts.header, facts.header.partition(" ")[2])
    return ok("there is one")


def check_identity(subject: Subject, facts: Facts) -> Outcome:
    """Ask Globus Auth who is logged in."""
    if facts.app is None:
        return skipped("an authorizer does not tell whose token it has", "Use an app to know.")
    from gcompute.login import Login

    login = Login(subject.environment, app=facts.app)
    try:
        known = login.whoami()
    except Exception as error:
        return _refused(error)
    # The name of a person is nobody's business, and an id can be looked up.
    shown = f"{str(known['id'])[:8]}-..."
    username = known.get("username") or "unknown"
    facts.redactor.mask(str(known["id"]), shown)
    facts.redactor.add(known.get("name"))
    return ok(f"{username}, id {shown}", username=username, id=shown)


def close_app(facts: Facts) -> None:
    """Close the app that was made here, if there is one."""
    if facts.app is None or not facts.owns_app:
        return
    # A check that was given up may be in the middle of something.
    with contextlib.suppress(Exception):
        facts.app.close()
        facts.app.token_storage.close()


def _refused(error: Exception) -> Outcome:
    """Say how a login failed, and what helps against that."""
    if isinstance(error, ComputeError):
        return refused(error)
    if isinstance(error, OSError):
        where = f"{user_dir()}{os.sep}"
        return refused(error, f"Make {where} writable, or set GLOBUS_COMPUTE_USER_DIR.")
    return refused(error, _LOG_IN)
