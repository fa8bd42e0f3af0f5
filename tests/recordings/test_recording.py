"""Recording again gives the same, and the recorder for the hosted service cleans up after itself.

The hosted service is a second local one here, found by the environment as the hosted one is.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gcompute.local import LocalService
from tests.recordings.playing import CASSETTES, recorded_python
from tests.support.official_agent import running_agent
from tools.recording.checksums import checksums, listed
from tools.recording.comparison import compared
from tools.recording.scenarios.operations import SUBSCRIPTION

_ROOT = Path(__file__).parents[2]
_PYTHON = _ROOT / ".tools" / "recording" / "bin" / "python"
_PATIENCE_S = 500.0

#: The recorder plays scenarios that wait for minutes together where the machine is busy.
pytestmark = pytest.mark.timeout(600)

#: One of each kind: with an agent's results, with users and refusals, with faults, with AMQP.
_SAME = (
    "client/batch_of_hundreds",
    "client/too_many_requests",
    "operations/endpoints",
    "operations/forbidden",
    "executor/channel_closed",
)
#: What the service that stands for the hosted one can do, and something that it cannot.
_HOSTED = (
    "client/register_and_run",
    "client/poll",
    "executor/reload",
    "executor/high_assurance",
    "client/too_many_requests",
)


_COMMAND = (sys.executable, "-m", "tools.recording", "--python", str(_PYTHON))


def _record(*arguments: str, environment: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        [*_COMMAND, *arguments],
        cwd=_ROOT,
        env={**os.environ, **(environment or {})},
        capture_output=True,
        text=True,
        timeout=_PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def service() -> Iterator[LocalService]:
    """A service with an endpoint."""
    with LocalService(workers=1) as running:
        yield running


def _variables(service: LocalService) -> dict[str, str]:
    """Give what tells the recorder of a service that stands for the hosted one."""
    return {
        "GLOBUS_SDK_ENVIRONMENT": "local",
        "HTTP_PROXY": service.url,
        "GCOMPUTE_RECORD_TOKEN": service.token,
        "GCOMPUTE_RECORD_ENDPOINT": service.endpoint_id,
    }


@recorded_python
def test_recording_again_gives_the_same(tmp_path: Path) -> None:
    """As what is committed, from nothing, after normalisation."""
    said = _record("--folder", str(tmp_path), *_SAME)
    assert "these failed" not in said
    for name in _SAME:
        again = tmp_path / f"{name}.yaml"
        assert list(compared(CASSETTES / f"{name}.yaml", again)) == []
    assert checksums(tmp_path) == listed(tmp_path)


def test_the_recorder_for_the_hosted_service(service: LocalService, tmp_path: Path) -> None:
    """Plays what is possible, leaves nothing behind, and prints where answers differ."""
    (tmp_path / "agent").mkdir()
    folder = tmp_path / "hosted"
    assured = {"high_assurance": True, "subscription_id": SUBSCRIPTION}
    with running_agent(service, "threads", tmp_path / "agent", **assured) as assured_id:
        variables = _variables(service) | {"GCOMPUTE_RECORD_HA_ENDPOINT": assured_id}
        said = _record(
            "--service", "hosted", "--folder", str(folder), *_HOSTED, environment=variables
        )
    assert "client/too_many_requests left out: there is no faults" in said
    assert "client/register_and_run recorded" in said
    assert (folder / "executor" / "reload.amqp.jsonl").exists()
    assert "ha_warning" in (folder / "executor" / "high_assurance.yaml").read_text()
    assert not (folder / "client" / "too_many_requests.yaml").exists()
    # One that register_and_run deletes itself, and four that the others leave.
    assert "4 functions and endpoints deleted that scenarios had left" in said
    with service.client() as client:
        assert [entry["uuid"] for entry in client.get_endpoints()] == [service.endpoint_id]
    written = "".join(path.read_text() for path in folder.rglob("*.*"))
    assert service.token not in written
    assert "canary" not in written
    assert "differences between hosted and local recordings" in said


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_an_interrupted_recorder_leaves_nothing_behind(
    told: signal.Signals, service: LocalService, tmp_path: Path
) -> None:
    """In the middle of a scenario that has registered an endpoint, and not deleted it yet."""
    recorder = subprocess.Popen(
        [*_COMMAND, "--service", "hosted", "--folder", str(tmp_path), "client/poll"],
        cwd=_ROOT,
        env={**os.environ, **_variables(service)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    with service.client() as client, recorder:
        while "idle" not in [entry["name"] for entry in client.get_endpoints()]:
            assert recorder.poll() is None, "it ended before it was told to"
        recorder.send_signal(told)
        said, _ = recorder.communicate(timeout=_PATIENCE_S)
        assert recorder.returncode == 130, said
        assert "functions and endpoints deleted that scenarios had left" in said
        assert "interrupted: what was recorded until now is kept" in said
        assert [entry["uuid"] for entry in client.get_endpoints()] == [service.endpoint_id]


def test_a_difference_is_printed_field_by_field(service: LocalService, tmp_path: Path) -> None:
    """The agent of this service reports no version of the official SDK, for one."""
    arguments = ("--service", "hosted", "--folder", str(tmp_path), "version_check_before")
    said = _record(*arguments, environment=_variables(service))
    assert "client/version_check_before_a_task interactions[4].response.json." in said
    assert ": local has " in said
    assert ", hosted has " in said
