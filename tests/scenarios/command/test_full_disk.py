"""A full disk: what cannot be kept is refused, what was accepted stays, and all goes on later."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from gcompute.errors import ServiceFailed
from gcompute.local import LocalService
from tests.scenarios.command.conftest import Program
from tests.scenarios.waiting import eventually

MOUNT, UNMOUNT = shutil.which("mount"), shutil.which("umount")


class Disk:
    """A small disk.

    Args:
        folder: where it is mounted.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ballast = folder / "ballast"

    def fill(self) -> None:
        """Leave no room."""
        with self._ballast.open("wb", buffering=0) as file:
            while True:
                try:
                    file.write(b"x" * 4096)
                except OSError:
                    return

    def make_room(self) -> None:
        """Take back what filled it."""
        self._ballast.unlink()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk of 8 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if MOUNT is None or UNMOUNT is None:
        pytest.skip("this system has no mount")
    mount = [MOUNT, "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"only root can mount a small disk: {done.stderr.strip()}")
    try:
        yield Disk(folder)
    finally:
        subprocess.run([UNMOUNT, str(folder)], check=True)


def wait_for(path: str) -> str:
    """Wait for a file."""
    import pathlib
    import time

    while not pathlib.Path(path).exists():
        time.sleep(0.02)
    return "done"


def test_a_service_outlasts_a_full_disk(program: Program, disk: Disk, tmp_path: Path) -> None:
    """Submits and logins are refused with the reason; a result that comes meanwhile waits."""
    released, log, state = tmp_path / "released", tmp_path / "log", disk.folder / "state"
    state.mkdir()
    # Elsewhere, so that this test can read what the service cannot write any more.
    (state / "service.log").symlink_to(log)
    with LocalService(workers=1, state_dir=state) as service:
        client, endpoint = service.client(), service.endpoint_id
        function = client.register_function(wait_for)
        task = client.run(str(released), endpoint_id=endpoint, function_id=function)
        disk.fill()
        with pytest.raises(ServiceFailed, match=r"disk is full.*make room"):
            client.run("y" * 10_000, endpoint_id=endpoint, function_id=function)
        refused = log_in(service)
        assert refused.status_code == 500
        assert "make room" in refused.json()["reason"]
        status = program("status", "--state", str(state))
        assert status.returncode == 0
        assert "make room" in status.stdout
        released.touch()
        eventually(lambda: "results wait for the store" in log.read_text())
        assert client.get_task(task)["pending"]
        disk.make_room()
        assert client.wait([task], timeout=30)[task]["result"] == "done"
        after = client.run(str(released), endpoint_id=endpoint, function_id=function)
        assert client.wait([after], timeout=30)[after]["result"] == "done"
        assert log_in(service).status_code == 200


def test_starting_on_a_full_disk(program: Program, disk: Disk) -> None:
    """It says so; what was accepted before is there when there is room again."""
    state = disk.folder / "state"
    with LocalService(workers=0, state_dir=state) as service:
        token = service.token
    disk.fill()
    for folder in (state, disk.folder / "new"):
        done = program("up", "--port", "0", "--workers", "0", "--state", str(folder))
        assert done.returncode == 1
        assert "make room" in done.stderr
        assert str(folder) in done.stderr
        assert "Traceback" not in done.stderr
        assert program.json("status", "--state", str(folder))["state"] == "absent"
    disk.make_room()
    with LocalService(workers=0, state_dir=state) as service:
        assert service.token == token


def log_in(service: LocalService) -> httpx.Response:
    """Ask for a token, as programs do."""
    variables = service.environment(client_credentials=True)
    return httpx.post(
        f"{service.url}/v2/oauth2/token",
        auth=(variables["GLOBUS_COMPUTE_CLIENT_ID"], variables["GLOBUS_COMPUTE_CLIENT_SECRET"]),
        data={"grant_type": "client_credentials", "scope": "openid"},
        timeout=30,
    )
