"""Logins that this package and the official one share."""

from __future__ import annotations

import os
import subprocess

from gcompute.local import LocalService
from gcompute.login import Login
from tests.scenarios.login.person import Person, at_terminal
from tests.support.official import official_python

#: Says whether a login is required, and the header that the official client would send.
_SCRIPT = """
from globus_compute_sdk.sdk.auth.globus_app import get_globus_app
from globus_sdk.scopes import ComputeScopes
app = get_globus_app()
app.add_scope_requirements({ComputeScopes.resource_server: [ComputeScopes.all]})
print("required", app.login_required())
print("header", app.get_authorizer(ComputeScopes.resource_server).get_authorization_header())
"""


def _official_command() -> list[str]:
    return [official_python(), "-c", _SCRIPT]


def _said(output: str, what: str) -> str:
    lines = [line for line in output.splitlines() if line.startswith(f"{what} ")]
    return lines[-1].removeprefix(f"{what} ").strip()


def test_ours_is_found_by_the_official_one(person: Person, login: Login) -> None:
    """It needs no login, and sends the same token."""
    header = login.authorize().header
    done = subprocess.run(
        _official_command(), capture_output=True, text=True, timeout=60, check=True
    )
    assert _said(done.stdout, "required") == "False"
    assert _said(done.stdout, "header") == header


def test_the_official_one_is_found_by_ours(service: LocalService, login: Login) -> None:
    """Nobody is asked again."""
    status, output = at_terminal(_official_command(), os.environ, service.token)
    assert status == 0, output
    assert _said(output, "required") == "True"
    assert login.login_required() is False
    assert login.authorize().header == _said(output, "header")


def test_programs_share_their_tokens_too(login: Login, credentials: tuple[str, str]) -> None:
    """Under the name that has environment and client in it."""
    header = login.authorize().header
    done = subprocess.run(
        _official_command(), capture_output=True, text=True, timeout=60, check=True
    )
    assert _said(done.stdout, "header") == header
