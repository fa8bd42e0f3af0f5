"""Who the user is: the app that the environment asks for, without network or prompt."""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import globus_sdk
import pytest
from globus_sdk.token_storage import SQLiteTokenStorage

from gcompute import Client
from gcompute.errors import AuthenticationFailed, ServiceUnreachable
from gcompute.login import app_authorizer, default_app, login_errors, require_scope
from gcompute.protocol import NATIVE_CLIENT_ID
from tests.support.scripted_service import StaticAuthorizer

CLIENT_ID = "50000000-0000-4000-8000-000000000005"


@pytest.fixture(autouse=True)
def _offline_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep tokens in a folder of the test, forbid the network and every prompt."""
    for name in (
        "GLOBUS_SDK_ENVIRONMENT",
        "GLOBUS_COMPUTE_CLIENT_ID",
        "GLOBUS_COMPUTE_CLIENT_SECRET",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GLOBUS_COMPUTE_USER_DIR", str(tmp_path / "tokens"))

    def forbidden(*_args: Any, **_more: Any) -> Any:
        raise AssertionError("neither network nor prompt is allowed here")

    monkeypatch.setattr(socket.socket, "connect", forbidden)
    monkeypatch.setattr("builtins.input", forbidden)


def _storage(app: globus_sdk.GlobusApp) -> SQLiteTokenStorage:
    storage = app.config.token_storage
    assert isinstance(storage, SQLiteTokenStorage)
    return storage


def _close(app: globus_sdk.GlobusApp) -> None:
    _storage(app).close()


def test_a_client_without_login_touches_nothing(tmp_path: Path) -> None:
    """Its constructor neither prompts nor writes tokens, nor asks the network."""
    client = Client()
    assert client.app is None
    assert client.authorizer is None
    assert not (tmp_path / "tokens").exists()


def test_without_credentials_a_person_logs_in(tmp_path: Path) -> None:
    """A UserApp of the well-known native client, with tokens by environment."""
    app = default_app()
    assert isinstance(app, globus_sdk.UserApp)
    assert app.client_id == NATIVE_CLIENT_ID
    assert _storage(app).namespace == "user/production"
    assert (tmp_path / "tokens" / "storage.db").exists()
    _close(app)


def test_the_environment_names_the_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens of a test environment are kept apart, by argument and by variable."""
    app = default_app("preview")
    assert _storage(app).namespace == "user/preview"
    _close(app)
    monkeypatch.setenv("GLOBUS_SDK_ENVIRONMENT", "sandbox")
    app = default_app()
    assert _storage(app).namespace == "user/sandbox"
    _close(app)


def test_credentials_log_an_application_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """A ClientApp, with tokens by environment and client."""
    monkeypatch.setenv("GLOBUS_COMPUTE_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("GLOBUS_COMPUTE_CLIENT_SECRET", "hush")
    app = default_app()
    assert isinstance(app, globus_sdk.ClientApp)
    assert app.client_id == CLIENT_ID
    assert _storage(app).namespace == f"clientprofile/production/{CLIENT_ID}"
    _close(app)


def test_an_id_alone_is_another_native_app(monkeypatch: pytest.MonkeyPatch) -> None:
    """A person logs in through it."""
    monkeypatch.setenv("GLOBUS_COMPUTE_CLIENT_ID", CLIENT_ID)
    app = default_app()
    assert isinstance(app, globus_sdk.UserApp)
    assert app.client_id == CLIENT_ID
    _close(app)


def test_half_the_credentials_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names both variables."""
    monkeypatch.setenv("GLOBUS_COMPUTE_CLIENT_SECRET", "hush")
    with pytest.raises(ValueError, match="GLOBUS_COMPUTE_CLIENT_ID is not"):
        default_app()


def test_an_app_is_asked_for_the_services_scope() -> None:
    """It requires the scope of the service, and gives the authorizer of its resource server."""

    class App:
        required: dict[str, list[str]]

        def add_scope_requirements(self, requirements: dict[str, list[str]]) -> None:
            self.required = requirements

        def get_authorizer(self, resource_server: str) -> StaticAuthorizer:
            return StaticAuthorizer(f"Bearer for {resource_server}")

    app: Any = App()
    require_scope(app)
    assert app.required == {
        "funcx_service": ["https://auth.globus.org/scopes/facd7ccc-c5f4-42aa-916b-a0e270e2c2a9/all"]
    }
    assert app_authorizer(app).get_authorization_header() == "Bearer for funcx_service"


def test_failures_of_globus_are_translated() -> None:
    """A network failure may be tried again; all else of Globus needs a login."""
    with pytest.raises(ServiceUnreachable, match="no route") as unreachable, login_errors():
        raise globus_sdk.GlobusConnectionError("no route", OSError())
    assert unreachable.value.sent is False
    with pytest.raises(AuthenticationFailed, match=r"(?s)no token.*Log in again"), login_errors():
        raise globus_sdk.GlobusError("stale")


def test_other_failures_are_left_alone() -> None:
    """A mistake in the user's own authorizer is his to see."""
    mistake = ZeroDivisionError("mine")
    with pytest.raises(ZeroDivisionError) as caught, login_errors():
        raise mistake
    assert caught.value is mistake
    assert caught.value.__cause__ is None
