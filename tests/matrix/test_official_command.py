"""The official command line, unmodified, against a local service.

What it needs to know is in its environment: client credentials, the address of Globus Auth, and
the proxy that answers for ``localhost:5000``.
"""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import globus_sdk
import pytest

from gcompute import Client, Executor
from gcompute.errors import TaskExecutionFailed
from gcompute.local import LocalService
from gcompute.serialize import ComputeSerializer, PureSourceTextInspect
from tests.scenarios.waiting import eventually
from tests.support.official import official_environment
from tests.support.official_command import NoPrivilegesToDrop, OfficialCommand
from tests.support.processes import mentioning

#: The command's own template has every user endpoint install its software from the network.
_TEMPLATE = """
heartbeat_period: 5
engine:
  type: {{ engine | default("ThreadPoolEngine") }}
  max_workers: {{ workers | default(1) }}
"""
_PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def service() -> Iterator[LocalService]:
    """A service that has no endpoint of its own."""
    with LocalService(workers=0) as running:
        yield running


@pytest.fixture
def environment(service: LocalService, tmp_path: Path) -> dict[str, str]:
    """What the command knows."""
    return official_environment(service, tmp_path)


@pytest.fixture
def command(environment: dict[str, str], tmp_path: Path) -> Iterator[OfficialCommand]:
    """The command; nothing that it started stays."""
    try:
        made = OfficialCommand(environment, tmp_path)
    except NoPrivilegesToDrop as reason:
        pytest.skip(str(reason))
    yield made
    for registered in tmp_path.glob("globus_compute/*/endpoint.json"):
        # What it started has the id in its title.
        for number in mentioning(json.loads(registered.read_text())["endpoint_id"]):
            with suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)


@pytest.fixture
def client(service: LocalService, environment: dict[str, str]) -> Iterator[Client]:
    """Our client, logged in as the same program."""
    app = globus_sdk.ClientApp(
        "tests",
        client_id=environment["GLOBUS_COMPUTE_CLIENT_ID"],
        client_secret=environment["GLOBUS_COMPUTE_CLIENT_SECRET"],
        config=globus_sdk.GlobusAppConfig(token_storage="memory"),
    )
    with Client(base_url=service.url, app=app, request_limit=None) as made:
        yield made


@pytest.fixture(autouse=True)
def _auth(service: LocalService, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in service.environment().items():
        monkeypatch.setenv(name, value)


def _where() -> dict[str, object]:
    import os

    return {"home": os.environ["HOME"], "task": os.environ["GC_TASK_UUID"], "process": os.getpid()}


def _configure(command: OfficialCommand, folder: Path) -> None:
    template = folder / "template.yaml.j2"
    template.write_text(_TEMPLATE)
    command("configure", "mine", "--template-config", str(template))


def _started(command: OfficialCommand, client: Client) -> str:
    """Start the endpoint; give its id when it is there."""
    command("start", "mine", "--detach")
    (endpoint,) = client.get_endpoints()
    assert endpoint["name"] == "mine"
    endpoint_id = str(endpoint["uuid"])
    _await(client, endpoint_id, "online")
    return endpoint_id


def _executor(endpoint_id: str, client: Client, **kwargs: Any) -> Executor:
    # This module is nowhere near the endpoint: its functions are sent as text.
    serializer = ComputeSerializer(strategy_code=PureSourceTextInspect())
    return Executor(endpoint_id, client=client, serializer=serializer, **kwargs)


def _await(client: Client, endpoint_id: str, status: str) -> None:
    eventually(lambda: client.get_endpoint_status(endpoint_id)["status"] == status)


def test_an_endpoint_from_configure_to_delete(
    command: OfficialCommand, client: Client, tmp_path: Path
) -> None:
    """It is registered and started, runs tasks, is stopped, started again, and deleted."""
    assert "No endpoints configured" in command("list")
    _configure(command, tmp_path)
    endpoint_id = _started(command, client)
    assert f"| {endpoint_id} | Running | mine" in command("list")
    with _executor(endpoint_id, client) as executor:
        first = executor.submit(_where)
        told = first.result(_PATIENCE_S)
        assert (told["home"], told["task"]) == (str(tmp_path), first.task_id)
        assert executor.submit(_where).result(_PATIENCE_S)["process"] == told["process"]
        executor.user_endpoint_config = {"workers": 2}
        assert executor.submit(_where).result(_PATIENCE_S)["process"] != told["process"]
    assert len(mentioning(endpoint_id)) >= 3

    assert "is now stopped" in command("stop", "mine")
    _await(client, endpoint_id, "offline")
    eventually(lambda: not mentioning(endpoint_id))
    assert f"| {endpoint_id} | Stopped | mine" in command("list")

    assert _started(command, client) == endpoint_id
    with _executor(endpoint_id, client) as executor:
        assert executor.submit(_where).result(_PATIENCE_S)["home"] == str(tmp_path)
    command("stop", "mine")
    eventually(lambda: not mentioning(endpoint_id))

    assert "has been deleted from the web service" in command("delete", "mine", "--yes")
    assert client.get_endpoints() == []
    assert "No endpoints configured" in command("list")


def test_a_user_endpoint_that_cannot_start_says_why(
    command: OfficialCommand, client: Client, tmp_path: Path
) -> None:
    """The reason that the agent gives reaches the future."""
    _configure(command, tmp_path)
    endpoint_id = _started(command, client)
    try:
        nonsense = {"engine": "SteamEngine"}
        with _executor(endpoint_id, client, user_endpoint_config=nonsense) as executor:
            future = executor.submit(_where)
            with pytest.raises(TaskExecutionFailed, match="SteamEngine"):
                future.result(_PATIENCE_S)
    finally:
        command("stop", "mine")
    eventually(lambda: not mentioning(endpoint_id))
    command("delete", "mine", "--yes")


def test_the_command_knows_who_is_logged_in(
    command: OfficialCommand, environment: dict[str, str]
) -> None:
    """By the client credentials."""
    printed = command("whoami")
    assert environment["GLOBUS_COMPUTE_CLIENT_ID"][:8] in printed
    assert environment["GLOBUS_COMPUTE_CLIENT_SECRET"] not in printed
