"""Starting and stopping a service at the keyboard, also when something is in the way."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import globus_sdk
import httpx
import pytest

from gcompute import Client
from gcompute.local import LocalService, folder_lock
from gcompute.local.log_file import MOST_BYTES
from tests.scenarios.command.conftest import Program
from tests.scenarios.waiting import eventually

#: How long something may take that takes an instant, in seconds.
_SOON_S = 20.0


def wait_for_end(pid: int) -> None:
    """Wait until a process has ended."""
    try:
        process = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    readable, _, _ = select.select([process], [], [], _SOON_S)
    os.close(process)
    assert readable, f"process {pid} goes on"


def answers(url: str) -> bool:
    """Tell whether a service is there."""
    try:
        return httpx.get(f"{url}/v2/version", timeout=30).status_code == 200
    except httpx.ConnectError:
        return False


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_foreground_service_stops_in_order(program: Program, number: signal.Signals) -> None:
    """By Ctrl-C, by SIGTERM, and when the terminal is closed; nothing stays behind."""
    process, told = program.up()
    assert answers(told["url"])
    process.send_signal(number)
    _, errors = process.communicate(timeout=_SOON_S)
    assert process.returncode == 0
    assert errors == "Stopping ...\n"
    assert not answers(told["url"])
    assert program.json("status")["killed_pid"] is None
    wait_for_end(told["pid"])


def test_a_foreground_service_goes_with_its_process(program: Program) -> None:
    """Also when that is killed: the service then stops in order."""
    process, told = program.up()
    process.kill()
    wait_for_end(told["pid"])
    assert program.json("status") == {
        "state": "absent",
        "killed_pid": None,
        "state_dir": str(program.folder),
    }


def test_a_second_ctrl_c_does_not_wait(program: Program) -> None:
    """A service that does not stop is killed; what it has accepted is kept."""
    process, told = program.up()
    assert process.stderr is not None
    os.kill(told["pid"], signal.SIGSTOP)
    process.send_signal(signal.SIGINT)
    assert process.stderr.readline() == "Stopping ...\n"
    process.send_signal(signal.SIGINT)
    assert process.wait(_SOON_S) == 0
    assert process.stderr.read() == "Killed; accepted tasks and results are kept.\n"
    wait_for_end(told["pid"])


def test_a_background_service_runs_on(program: Program) -> None:
    """When the command has ended, until `down`, which is harmless when none runs."""
    done = program("up", "--detach", "--port", "0", "--workers", "0")
    assert done.returncode == 0
    assert done.stderr == ""
    status = program.json("status")
    assert status["state"] == "running"
    assert status["url"] in done.stdout
    assert answers(status["url"])
    stopped = program("down")
    assert stopped.returncode == 0
    assert status["url"] in stopped.stdout
    assert not answers(status["url"])
    again = program("down")
    assert again.returncode == 0
    assert again.stdout == f"No local service runs on {program.folder}.\n"


def test_a_background_service_needs_no_reader(program: Program) -> None:
    """It runs on also where nobody reads what `up` says, as behind `head`."""
    process = program.start("up", "--detach", "--port", "0", "--workers", "0")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(_SOON_S) == 141
    assert answers(program.json("status")["url"])


def test_what_runs_in_the_foreground_can_be_stopped_from_elsewhere(program: Program) -> None:
    """Its process then ends well, and says why."""
    process, told = program.up()
    assert program.json("down") == {"stopped": True, "pid": told["pid"]}
    _, errors = process.communicate(timeout=_SOON_S)
    assert (process.returncode, errors) == (0, "The service was stopped from elsewhere.\n")


def test_starting_twice(program: Program) -> None:
    """The second one says where the first one is, and leaves it alone."""
    _, told = program.up()
    second = program("up", "--port", "0")
    assert second.returncode == 1
    assert told["url"] in second.stderr
    assert f"process {told['pid']}" in second.stderr
    assert "`gcompute local down`" in second.stderr
    assert second.stdout == ""
    assert answers(told["url"])


def test_starting_two_at_once(program: Program) -> None:
    """One of them runs; the other one ends, and says that there is another."""
    arguments = ("up", "--port", "0", "--workers", "0", "--json")
    both = [program.start(*arguments) for _ in range(2)]
    said = [process.stdout.readline() for process in both if process.stdout is not None]
    assert sorted(map(bool, said)) == [False, True]
    loser = both[said.index("")]
    _, errors = loser.communicate(timeout=_SOON_S)
    assert loser.returncode == 1
    assert "local service" in errors
    assert str(program.folder) in errors
    assert program.json("status")["url"] == json.loads("".join(said))["url"]


def test_a_taken_port(program: Program) -> None:
    """The message names it and one that is free; nothing is started."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = program("up", "--port", str(port))
    assert done.returncode == 1
    assert f"port {port} is taken" in done.stderr
    free = int(done.stderr.split("--port ")[1].split()[0])
    assert port < free <= port + 20
    assert not program.folder.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--broker", "http://x"], "broker must be a URL amqp://"),
        (["--broker-management", "http://x"], "pass its URL as broker"),
        (["--user", "a b"], "'a b' cannot be a user's name"),
        (["--engine", "nowhere"], "engine must be 'package.module:factory'"),
        (["--port", "70000"], "'70000' is no port"),
        (["--workers", "-1"], "'-1' is no number from 0 on"),
        (["--workers", "many"], "'many' is no number"),
    ],
)
def test_wrong_arguments(program: Program, arguments: list[str], said: str) -> None:
    """They end with status 2 and one message, whatever else is in the way, and leave no folder."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = program("up", "--port", str(port), *arguments)
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert not program.folder.exists()


def test_an_engine_of_ones_own(program: Program, tmp_path: Path) -> None:
    """By the name of a file, with options; one that fails says why."""
    (tmp_path / "engines.py").write_text(
        "from concurrent.futures import ThreadPoolExecutor\n"
        "def threads(name):\n"
        "    return ThreadPoolExecutor(2, thread_name_prefix=name)\n"
        "def broken():\n"
        "    raise OSError('no cluster here')\n"
    )
    up = ("up", "--detach", "--port", "0", "--engine")
    broken = program(*up, f"{tmp_path}/engines.py:broken")
    assert broken.returncode == 1
    assert "no cluster here" in broken.stderr
    options = ("--engine-options", '{"name": "mine"}')
    told = program.json(*up, f"{tmp_path}/engines.py:threads", *options)
    with client_of(told) as client:
        function = client.register_function(thread_name)
        task = client.run(endpoint_id=told["endpoint_id"], function_id=function)
        assert client.wait([task], timeout=30)[task]["result"].startswith("mine")


def test_a_killed_service_is_taken_over(program: Program) -> None:
    """What it leaves behind stops nobody: `status` and `up` say so, and its users stay."""
    process, told = program.up()
    os.kill(told["pid"], signal.SIGKILL)
    _, errors = process.communicate(timeout=_SOON_S)
    assert process.returncode == 1
    assert "was killed by signal 9" in errors
    status = program("status")
    assert status.returncode == 3
    assert f"(process {told['pid']}) was killed" in status.stdout
    assert program("down").returncode == 0
    process, again = program.up()
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=_SOON_S)
    assert f"(process {told['pid']}) was killed" in errors
    assert again["users"] == told["users"]


def test_a_lock_with_the_number_of_another_process(program: Program) -> None:
    """Is no lock, when nobody holds it: numbers are used again after a restart of the machine."""
    program.folder.mkdir(parents=True)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        (program.folder / "service.lock").write_text(f"{other.pid}\n")
        (program.folder / "service.json").write_text(
            f'{{"pid": {other.pid}, "started_at": 0, "url": "http://127.0.0.1:1"}}'
        )
        assert program.json("status")["killed_pid"] == other.pid
        assert program.json("down") == {"stopped": False, "pid": None}
        assert other.poll() is None
        _, told = program.up()
        assert told["pid"] != other.pid
        other.kill()


def test_a_lock_that_a_process_of_another_kind_holds(program: Program) -> None:
    """It is not killed: its number may be that of a process in a container."""
    program.folder.mkdir(parents=True)
    with folder_lock.acquire(program.folder):
        (program.folder / "service.lock").write_text("1\n")
        done = program("down")
    assert done.returncode == 1
    assert "process 1," in done.stderr
    assert "stop it there" in done.stderr


def test_a_service_that_does_not_answer(program: Program) -> None:
    """`status` says so, and does not wait for ever."""
    _, told = program.up()
    os.kill(told["pid"], signal.SIGSTOP)
    done = program("status")
    os.kill(told["pid"], signal.SIGCONT)
    assert done.returncode == 1
    assert "does not answer" in done.stderr


def test_a_service_of_a_program_is_found(program: Program) -> None:
    """It has a state folder like any other."""
    with LocalService(workers=1, state_dir=program.folder) as service:
        status = program.json("status")
        assert (status["state"], status["url"]) == ("running", service.url)
        assert status["endpoint"]["status"] == "online"
        assert status["endpoint"]["details"]["total_workers"] == 1
    assert program.json("status")["state"] == "absent"


def test_tokens_are_for_the_owner_only(program: Program) -> None:
    """No other user of the machine can read what the service says of itself."""
    program.up()
    secret = [path for path in program.folder.rglob("*") if path.name.startswith(("ser", "sta"))]
    assert program.folder / "service.json" in secret
    for path in [program.folder, *(p for p in secret if p.suffix not in (".log", ".lock"))]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_the_log(program: Program) -> None:
    """Its end, as text and as JSON, and what is added to it while somebody looks."""
    missing = program("logs")
    assert missing.returncode == 1
    assert "`gcompute local up`" in missing.stderr
    process, told = program.up()
    said = program.json("logs")
    assert said["path"] == str(program.folder / "service.log")
    assert said["lines"][-1].endswith(f"ready at {told['url']}")
    assert program("logs", "--lines", "1").stdout == said["lines"][-1] + "\n"
    follower = program.start("logs", "--follow", "--lines", "1")
    assert follower.stdout is not None
    assert follower.stdout.readline().endswith(f"ready at {told['url']}\n")
    process.send_signal(signal.SIGINT)
    assert follower.stdout.readline().endswith("stopping\n")
    follower.send_signal(signal.SIGINT)
    assert follower.wait(_SOON_S) == 130


def speak(text: str, times: int) -> None:
    """Write to where the log is."""
    import sys

    for _ in range(times):
        print(text, file=sys.stderr)


def test_a_log_that_becomes_long(program: Program) -> None:
    """It begins anew; `logs` has what was before, and goes on with what comes."""
    told = program.json("up", "--detach", "--port", "0", "--workers", "1")
    follower = program.start("logs", "--follow", "--lines", "0")
    newest, older = program.folder / "service.log", program.folder / "service.log.1"
    with client_of(told) as client:
        function = client.register_function(speak)

        def say(text: str, times: int) -> None:
            task = client.run(text, times, endpoint_id=told["endpoint_id"], function_id=function)
            client.wait([task], timeout=30)

        say("x" * 1023, MOST_BYTES // 1024)
        eventually(lambda: "begins anew" in newest.read_text())
        say("more", 1)
    assert newest.stat().st_size < 10_000
    assert older.stat().st_size > MOST_BYTES
    lines = program.json("logs", "--lines", "1000")["lines"]
    assert len(lines) == 1000
    assert lines[0] == "x" * 1023
    assert lines[-1] == "more"
    assert follower.stdout is not None
    assert any(line == "more\n" for line in follower.stdout)


def test_a_folder_that_cannot_be_made(program: Program, tmp_path: Path) -> None:
    """The message names it."""
    file = tmp_path / "file"
    file.touch()
    done = program("up", "--port", "0", "--state", str(file / "state"))
    assert done.returncode == 1
    assert str(file / "state") in done.stderr
    assert "Traceback" not in done.stderr


def test_a_stop_loses_no_task(program: Program, tmp_path: Path) -> None:
    """Those that wait run after the next start, and the one that ran and did not end runs again."""
    started, released = tmp_path / "started", tmp_path / "released"
    up = ("up", "--detach", "--port", "0", "--workers", "1")
    told = program.json(*up)
    with client_of(told) as client:
        function = client.register_function(wait_for)
        running, waiting = (
            client.run(
                str(started), str(released), endpoint_id=told["endpoint_id"], function_id=function
            )
            for _ in range(2)
        )
        eventually(started.exists)
    assert program("down").returncode == 0
    released.touch()
    with client_of(program.json(*up)) as client:
        outcomes = client.wait([running, waiting], timeout=30)
    assert [outcomes[task].get("result") for task in (running, waiting)] == 2 * ["released"]


def client_of(told: dict[str, Any]) -> Client:
    """Make a client of the first user of a service."""
    token = next(iter(told["users"].values()))["token"]
    return Client(base_url=told["url"], authorizer=globus_sdk.AccessTokenAuthorizer(token))


def wait_for(started: str, released: str) -> str:
    """Say that the task runs, and wait until it may end."""
    import pathlib
    import time

    pathlib.Path(started).touch()
    while not pathlib.Path(released).exists():
        time.sleep(0.02)
    return "released"


def thread_name() -> str:
    """Tell which thread runs this."""
    import threading

    return threading.current_thread().name
