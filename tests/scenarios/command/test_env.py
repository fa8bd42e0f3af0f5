"""What ``gcompute local env`` prints points programs at the service, unchanged ones, too."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.scenarios.command.conftest import Program
from tests.support.official import official_python

#: Valid for both packages, but for the name of the one that is imported.
SCRIPT = """
import os
from {package} import Client, Executor
with Executor(endpoint_id=os.environ["GCOMPUTE_LOCAL_ENDPOINT"]) as executor:
    print(executor.submit(pow, 2, 10).result(timeout=60))
"""


def shell(program: Program, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell that was pointed at the service."""
    python = shlex.quote(sys.executable)
    line = f'eval "$({python} -m gcompute local env $USERS)" && exec "$@"'
    return subprocess.run(
        ["/bin/sh", "-c", line, "sh", *command],
        env={"USERS": "", **program.environment, **more},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def pointed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    """The program, with a service at a free port."""
    made = Program(tmp_path_factory.mktemp("home"))
    try:
        done = made("up", "--detach", "--port", "0", "--workers", "1", "--user=ada", "--user=bob")
        assert done.returncode == 0, done.stderr
        yield made
    finally:
        made.close()


@pytest.mark.parametrize("official", [False, True])
@pytest.mark.parametrize(
    "site",
    [{}, {"HTTP_PROXY": "http://127.0.0.1:9", "NO_PROXY": "localhost,127.0.0.1"}],
    ids=["plain", "behind a proxy"],
)
def test_programs_find_the_service(pointed: Program, official: bool, site: dict[str, str]) -> None:
    """At any port, with no login by a person, and where the site has a proxy."""
    python = official_python() if official else sys.executable
    package = "globus_compute_sdk" if official else "gcompute"
    done = shell(pointed, python, "-c", SCRIPT.format(package=package), **site)
    assert done.stdout == "1024\n", done.stderr
    assert "http_proxy leads them here" in done.stderr


def test_the_official_agent_logs_in(pointed: Program) -> None:
    """Its command line asks the service's own Globus Auth who it is.

    It needs one scope more than the SDK, whose tokens it finds, so it has to log in before.
    """
    agent = shlex.quote(str(Path(official_python()).parent / "globus-compute-endpoint"))
    done = shell(pointed, "/bin/sh", "-c", f"{agent} login && {agent} whoami")
    assert done.returncode == 0, done.stdout + done.stderr
    client_id = pointed.json("env")["GLOBUS_COMPUTE_CLIENT_ID"]
    shown = done.stdout.replace(" ", "")
    assert client_id.split("-")[0] in shown


def test_each_user_has_a_login(pointed: Program) -> None:
    """The first one's is the default; one who is not there is named with those who are."""
    ada, bob = pointed.json("env"), pointed.json("env", "--user", "bob")
    assert pointed.json("env", "--user", "ada") == ada
    assert ada["GLOBUS_COMPUTE_CLIENT_ID"] != bob["GLOBUS_COMPUTE_CLIENT_ID"]
    assert ada["GLOBUS_SDK_SERVICE_URL_COMPUTE"] == pointed.json("status")["url"]
    nobody = pointed("env", "--user", "eve")
    assert (nobody.returncode, nobody.stdout) == (1, "")
    assert "'eve'; it has ada, bob" in nobody.stderr


@pytest.mark.parametrize("official", [False, True])
def test_programs_trust_a_broker_with_tls(program: Program, official: bool) -> None:
    """They know its certificate; a note says what else that does."""
    done = program("up", "--detach", "--port", "0", "--workers", "1", "--tls")
    assert done.returncode == 0, done.stderr
    assert "  broker    amqps://" in done.stdout
    python = official_python() if official else sys.executable
    package = "globus_compute_sdk" if official else "gcompute"
    run = shell(program, python, "-c", SCRIPT.format(package=package))
    assert run.stdout == "1024\n", run.stderr
    assert "SSL_CERT_FILE" in run.stderr


def test_without_a_service_nothing_is_exported(program: Program) -> None:
    """So that `eval` does nothing; the message says how to start one."""
    done = program("env")
    assert (done.returncode, done.stdout) == (1, "")
    assert "`gcompute local up`" in done.stderr


def test_a_folder_with_a_space_and_a_quote(program: Program, tmp_path: Path) -> None:
    """A shell gets it whole."""
    state = tmp_path / "it's here"
    process, _ = program.up("--state", str(state))
    done = program("env", "--state", str(state))
    shown = subprocess.run(
        ["/bin/sh", "-c", f'{done.stdout}\nprintf %s "$GLOBUS_COMPUTE_USER_DIR"'],
        capture_output=True,
        text=True,
        check=True,
    )
    assert shown.stdout == str(state / "user")
    process.terminate()
    process.communicate(timeout=20)


def test_the_typed_bindings_find_the_service(pointed: Program) -> None:
    """With a token of the first user."""
    script = """
import os
from uuid import UUID
from gcompute_api import AuthenticatedClient
from gcompute_api.api.endpoints import get_endpoint_status
from gcompute_api.models import EndpointStatus

address, token = os.environ["GLOBUS_SDK_SERVICE_URL_COMPUTE"], os.environ["GCOMPUTE_LOCAL_TOKEN"]
with AuthenticatedClient(base_url=address, token=token) as client:
    answer = get_endpoint_status.sync(UUID(os.environ["GCOMPUTE_LOCAL_ENDPOINT"]), client=client)
    assert isinstance(answer, EndpointStatus)
    print(answer.status)
"""
    done = shell(pointed, sys.executable, "-c", script)
    assert (done.stdout, done.returncode) == ("online\n", 0), done.stderr
