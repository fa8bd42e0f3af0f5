"""A service to log in at, with short tokens, and people and programs who do so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from gcompute import Client
from gcompute.local import LocalService
from gcompute.login import Login
from tests.scenarios.login.person import Person


@pytest.fixture(scope="session")
def service() -> Iterator[LocalService]:
    """A local service with one worker."""
    with LocalService(workers=1) as running:
        yield running


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    """Give the folder where tokens are kept; it does not exist yet."""
    return tmp_path / "tokens"


@pytest.fixture(autouse=True)
def _environment(service: LocalService, tokens: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have Globus Auth at the service, nobody at the keyboard, and no credentials."""
    for name in (
        "GLOBUS_SDK_ENVIRONMENT",
        "GLOBUS_COMPUTE_CLIENT_ID",
        "GLOBUS_COMPUTE_CLIENT_SECRET",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GLOBUS_COMPUTE_USER_DIR", str(tokens))
    for name, value in service.environment().items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def credentials(service: LocalService, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """Put client credentials into the environment; give them."""
    variables = service.environment(client_credentials=True)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return variables["GLOBUS_COMPUTE_CLIENT_ID"], variables["GLOBUS_COMPUTE_CLIENT_SECRET"]


@pytest.fixture
def person(service: LocalService, monkeypatch: pytest.MonkeyPatch) -> Person:
    """Have somebody at the keyboard of this process."""
    somebody = Person(service)
    somebody.sit_down(monkeypatch)
    return somebody


@pytest.fixture
def login() -> Iterator[Login]:
    """A login as a client has it."""
    made = Login()
    yield made
    made.close()


@pytest.fixture
def client(service: LocalService) -> Iterator[Client]:
    """A client of the service that has to log in."""
    made = Client(base_url=service.url)
    yield made
    made.close()
