"""Starting and stopping a local service, also when something is in the way."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from gcompute.local import LocalService, LocalServiceFailed


def test_a_taken_port() -> None:
    """The message names the port and what to do, and no process stays behind."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        service = LocalService(workers=0, port=port)
        with pytest.raises(LocalServiceFailed, match=f"{port}.*port=0"):
            service.start()
    assert not service.is_running


def test_a_broker_that_is_not_there() -> None:
    """The message names host and port and what happened there, and not the password."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        service = LocalService(workers=0, broker=f"amqp://user:hidden@127.0.0.1:{port}/x")
        with pytest.raises(LocalServiceFailed, match=f"127.0.0.1:{port}.*refused") as caught:
            service.start()
    assert "hidden" not in str(caught.value)


def test_a_process_that_dies_shows_its_log(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the service says nothing, the error quotes what its log has."""
    monkeypatch.setattr(sys, "executable", "/bin/false")
    with pytest.raises(LocalServiceFailed, match="log is empty"):
        LocalService(workers=0).start()


def test_credentials_that_a_broker_refuses(service: LocalService) -> None:
    """The message says that it is the user, names the broker, and not the password."""
    address = urlsplit(service.broker)
    url = f"amqp://nobody:hidden@{address.hostname}:{address.port}/%2F"
    with pytest.raises(LocalServiceFailed, match=r"does not accept the user") as caught:
        LocalService(workers=0, broker=url).start()
    assert str(address.port) in str(caught.value)
    assert "hidden" not in str(caught.value)


def test_a_start_that_fails_does_not_wait_for_the_agent(
    service: LocalService, tmp_path: Path
) -> None:
    """Which was started ahead, and ends although it never got a registration."""
    address = urlsplit(service.broker)
    url = f"amqp://nobody:hidden@{address.hostname}:{address.port}/%2F"
    with pytest.raises(LocalServiceFailed, match=r"does not accept the user"):
        LocalService(workers=1, broker=url, state_dir=tmp_path).start()
    assert "is killed" not in (tmp_path / "service.log").read_text()


def test_a_service_whose_folder_is_removed_stops(tmp_path: Path) -> None:
    """Nobody could find it any more, and its port would be taken by nobody knows whom."""
    state = tmp_path / "state"
    with LocalService(workers=1, state_dir=state) as service:
        url = service.url
        shutil.rmtree(state)
        state.mkdir()  # as somebody does who starts another one there
        assert service.wait() == 0
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/v2/version", timeout=30)
        assert list(state.iterdir()) == []


def test_starting_and_stopping_twice_is_once() -> None:
    """Both may be called again, and a stopped service starts anew."""
    service = LocalService(workers=0)
    try:
        assert service.start() is service.start()
        first = service.url
        folder = service.state_dir
        service.stop()
        service.stop()
        assert not folder.exists()
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{first}/v2/version", timeout=30)
        service.start()
        assert httpx.get(f"{service.url}/v2/version", timeout=30).status_code == 200
    finally:
        service.stop()


def test_a_service_without_workers_has_no_endpoint() -> None:
    """The error says how to get one."""
    with LocalService(workers=0) as service, pytest.raises(LocalServiceFailed, match="workers"):
        _ = service.endpoint_id


def test_a_dead_service_says_so_and_can_be_started_again() -> None:
    """After a kill the properties raise with the end of the log, and start() makes a new one."""
    with LocalService(workers=0) as service:
        process = service._process
        assert process is not None
        os.kill(process.pid, signal.SIGKILL)
        process.wait(10)
        with pytest.raises(LocalServiceFailed, match=r"has died(.|\n)*ready at"):
            _ = service.url
        service.start()
        assert httpx.get(f"{service.url}/v2/version", timeout=30).status_code == 200


def test_a_service_does_not_outlive_its_owner() -> None:
    """When the owner is killed, the service ends by itself, and its temporary folder goes."""
    script = (
        "import json, sys, time\n"
        "from gcompute.local import LocalService\n"
        "service = LocalService(workers=1).start()\n"
        "print(json.dumps([service.url, str(service.state_dir)]), flush=True)\n"
        "sys.stdin.read()\n"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert owner.stdout is not None
    assert owner.stdin is not None
    try:
        url, folder = json.loads(owner.stdout.readline())
        with (Path(folder) / "service.lock").open() as lock:
            service_pid = int(lock.read())
        service = os.pidfd_open(service_pid)
        owner.kill()
        owner.wait(10)
        readable, _, _ = select.select([service], [], [], 30)
        assert readable, "the service outlived its owner"
        assert not Path(folder).exists()
        os.close(service)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{url}/v2/version", timeout=30)
    finally:
        owner.kill()
        owner.wait(10)
        owner.stdin.close()
        owner.stdout.close()


def test_a_service_that_is_let_go_runs_on(tmp_path: Path) -> None:
    """Without its owner, who has none any more, until somebody stops it; and can wait for that."""
    owner = LocalService(workers=0, state_dir=tmp_path).start()
    url, process = owner.url, owner._process
    assert process is not None
    owner.detach()
    assert not owner.is_running
    with pytest.raises(LocalServiceFailed, match="does not run"):
        owner.wait()
    owner.stop()
    assert httpx.get(f"{url}/v2/version", timeout=30).status_code == 200
    process.terminate()
    assert process.wait(20) == 0
    with LocalService(workers=0, state_dir=tmp_path) as again:
        assert again._process is not None
        again._process.kill()
        assert again.wait() == -signal.SIGKILL


def test_a_service_that_goes_with_its_folder_cannot_be_let_go() -> None:
    """Nobody would ever remove the folder."""
    with LocalService(workers=0) as service, pytest.raises(ValueError, match="state_dir"):
        service.detach()


def test_a_service_starts_whose_endpoint_was_stopped(tmp_path: Path) -> None:
    """The lock keeps agents away for a while, but not the owner who starts the service anew."""
    service = LocalService(workers=1, state_dir=tmp_path)
    try:
        service.start()
        with service.client() as client:
            client.stop_endpoint(service.endpoint_id)
            assert client.get_endpoint_status(service.endpoint_id)["status"] == "offline"
        service.stop()
        service.start()
        with service.executor() as executor:
            assert executor.submit(pow, 2, 3).result(60) == 8
    finally:
        service.stop()
