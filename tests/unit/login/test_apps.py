"""The app that the environment asks for, made without network or prompt."""

from __future__ import annotations

import os
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import globus_sdk
import pytest
from globus_sdk.token_storage import SQLiteTokenStorage

from gcompute import Client
from gcompute.login import app_authorizer, default_app, require_scope
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


def test_the_globus_environment_is_the_apps_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tokens for a test environment come from that environment's Globus Auth."""
    monkeypatch.delenv("GLOBUS_SDK_SERVICE_URL_AUTH", raising=False)
    app = default_app("preview")
    assert app.config.environment == "preview"
    _close(app)
    app = default_app("local")
    assert app.config.environment == "production"
    assert _storage(app).namespace == "user/local"
    _close(app)


def test_the_tokens_are_for_their_owner_alone(tmp_path: Path) -> None:
    """Mode 0700 and 0600, whatever the mask of the process; nothing else is left in the folder."""
    before = os.umask(0)
    try:
        _close(default_app())
    finally:
        os.umask(before)
    folder = tmp_path / "tokens"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert (folder / "storage.db").stat().st_mode & 0o777 == 0o600
    assert os.listdir(folder) == ["storage.db"]


def test_apps_that_start_together_find_a_whole_file() -> None:
    """Of many that are the first, each finds the tables, and the mask of the process stays."""
    mask = os.umask(0o22)
    os.umask(mask)
    together = threading.Barrier(8)

    def start(_: int) -> None:
        together.wait(10)
        app = default_app()
        assert _storage(app).get_token_data_by_resource_server() == {}
        _close(app)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(start, range(8)))
    assert os.umask(mask) == mask


def test_a_draft_of_a_process_that_died_is_no_obstacle(tmp_path: Path) -> None:
    """Its number may come again."""
    folder = tmp_path / "tokens"
    folder.mkdir(mode=0o700)
    (folder / f".storage-{os.getpid()}.db").write_bytes(b"half")
    _close(default_app())
    assert os.listdir(folder) == ["storage.db"]
