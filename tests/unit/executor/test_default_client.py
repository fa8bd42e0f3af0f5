"""The client of executors that are given none."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from gcompute import Client, Executor
from gcompute.executor import default_client as default_client_module
from gcompute.executor.default_client import default_client


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Give an environment in which no client was made yet; close those that are made."""
    made: dict[tuple[str, ...], Client] = {}
    monkeypatch.setattr(default_client_module, "_clients", made)
    monkeypatch.setenv("GLOBUS_COMPUTE_USER_DIR", str(tmp_path))
    for name in (
        "GLOBUS_SDK_ENVIRONMENT",
        "GLOBUS_SDK_SERVICE_URL_COMPUTE",
        "GLOBUS_COMPUTE_CLIENT_ID",
        "GLOBUS_COMPUTE_CLIENT_SECRET",
    ):
        monkeypatch.delenv(name, raising=False)
    yield
    for client in made.values():
        client.close()


def test_executors_that_are_given_none_share_one() -> None:
    """And with it login, connections, budget and task group; one that is given has its own."""
    first, second = Executor(), Executor()
    assert first.client is second.client is default_client()
    with Client() as given:
        assert Executor(client=given).client is given is not first.client


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("GLOBUS_SDK_ENVIRONMENT", "preview"),
        ("GLOBUS_SDK_SERVICE_URL_COMPUTE", "http://localhost:1"),
        ("GLOBUS_COMPUTE_CLIENT_ID", "4cf29807-cf21-49ec-9443-ff9a3fb9f81c"),
        ("GLOBUS_COMPUTE_USER_DIR", "elsewhere"),
    ],
)
def test_a_changed_environment_gives_another(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    """Back as it was, it gives the first one again."""
    first = default_client()
    with monkeypatch.context() as changed:
        changed.setenv(name, value)
        assert default_client() is not first
        assert default_client() is Executor().client
    assert default_client() is first


def test_an_environment_that_contradicts_itself_is_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """When the executor is made."""
    monkeypatch.setenv("GLOBUS_COMPUTE_CLIENT_SECRET", "s")
    with pytest.raises(ValueError, match="GLOBUS_COMPUTE_CLIENT_ID is not"):
        Executor()


def test_eight_threads_make_one() -> None:
    """Whoever comes first."""
    together = threading.Barrier(8)
    clients: list[Client] = []

    def make() -> None:
        together.wait(10)
        clients.append(default_client())

    threads = [threading.Thread(target=make) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(clients) == 8
    assert len(set(map(id, clients))) == 1
