"""An agent from its start to its end, broken connections included."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import time
from pathlib import Path

from tests.scenarios.agent.conftest import Attach, OnBroker
from tests.scenarios.agent.endpoint import AgentProcess, Endpoint, appeared
from tests.support.event_loop import in_event_loop


def touch_and_wait_for(started: str, go: str) -> str:
    """Say that it runs, then wait for a file."""
    import pathlib
    import time

    pathlib.Path(started).touch()
    while not pathlib.Path(go).exists():
        time.sleep(0.01)
    return "done"


def is_running(pid: int) -> bool:
    """Say whether a process runs; one that has ended and was not waited for does not."""
    state = Path(f"/proc/{pid}/stat")
    return state.exists() and ") Z " not in state.read_text()


@in_event_loop
async def test_results_survive_a_broken_connection(attach: Attach, tmp_path: Path) -> None:
    """A task that ends while the broker is away is answered when it is back, and runs once."""
    started, go = tmp_path / "started", tmp_path / "go"
    async with attach(workers=1) as running:
        endpoint = running.endpoint
        busy = endpoint.submit(touch_and_wait_for, str(started), str(go))
        await appeared(started)
        waiting = [endpoint.submit(abs, -n) for n in range(5)]
        await running.proxy.stop()
        go.touch()
        await running.proxy.start()
        assert await endpoint.value(busy) == "done"
        assert [await endpoint.value(task_id) for task_id in waiting] == list(range(5))
        await endpoint.until(lambda: len(endpoint.reports) >= 2)


@in_event_loop
async def test_many_results_survive_many_broken_connections(attach: Attach) -> None:
    """Connections that break under load lose no result; a task may only be answered twice."""
    async with attach() as running:
        endpoint = running.endpoint
        asked = {endpoint.submit(abs, -n): n for n in range(300)}
        for enough in (20, 100):
            await endpoint.until(lambda enough=enough: len(endpoint.results) >= enough)  # type: ignore[misc]
            running.proxy.cut()
        await endpoint.until(lambda: {r.task_id for r in endpoint.results} >= set(asked))
        for task_id, n in list(asked.items())[::29]:
            assert await endpoint.value(task_id) == n


@in_event_loop
async def test_an_orderly_stop_hands_back_what_was_not_started(
    attach: Attach, tmp_path: Path
) -> None:
    """The running task ends and is answered; the others are in the queue again."""
    started, go = tmp_path / "started", tmp_path / "go"
    async with attach(workers=1, grace=30) as running:
        endpoint = running.endpoint
        busy = endpoint.submit(touch_and_wait_for, str(started), str(go))
        for n in range(5):
            endpoint.submit(abs, n)
        await appeared(started)
        running.agent.signal(signal.SIGTERM)
        queued = 0
        async with asyncio.timeout(30):
            while queued < 5:
                queued = (await endpoint.link.topology.declare_queue(endpoint.task_queue)).messages
        go.touch()
        assert await endpoint.value(busy) == "done"
        status, output = await running.agent.rest()
        assert (status, output) == (0, b"")
        assert len(endpoint.results) == 1
        await endpoint.until(lambda: not endpoint.reports[-1].global_state["active"])
        assert endpoint.reports[-1].global_state["heartbeat_period"] == 0


@in_event_loop
async def test_a_task_that_outlasts_the_stop_is_answered_and_ended(
    attach: Attach, tmp_path: Path
) -> None:
    """Nobody waits for a result that will never come, and the agent does not hang."""
    started = tmp_path / "started"
    async with attach(workers=1, grace=0.1) as running:
        endpoint = running.endpoint
        stuck = endpoint.submit(touch_and_wait_for, str(started), str(tmp_path / "never"))
        await appeared(started)
        running.agent.close_stdin()
        code, _ = await endpoint.failure(stuck)
        assert code == "EndpointStopped"
        assert (await running.agent.rest())[0] == 0


@in_event_loop
async def test_a_task_that_is_run_again_is_ended_without_an_answer(
    attach: Attach, tmp_path: Path
) -> None:
    """As a failure would be its last word. What had ended is answered all the same."""
    started = tmp_path / "started"
    async with attach(workers=2, grace=0.1, fails_unfinished=False) as running:
        endpoint = running.endpoint
        stuck = endpoint.submit(touch_and_wait_for, str(started), str(tmp_path / "never"))
        await appeared(started)
        ended = endpoint.submit(abs, -1)
        assert await endpoint.value(ended) == 1
        running.agent.signal(signal.SIGTERM)
        assert (await running.agent.rest())[0] == 0
        # The last report comes after all results.
        await endpoint.until(lambda: not endpoint.reports[-1].global_state["active"])
        assert stuck not in {result.task_id for result in endpoint.results}


@in_event_loop
async def test_threads_and_children_left_behind_do_not_hold_up_the_stop(attach: Attach) -> None:
    """A thread that never ends and a sleeping child are ended with their worker."""

    def leave_things_running() -> int:
        import subprocess
        import threading

        threading.Thread(target=threading.Event().wait).start()
        return subprocess.Popen(["sleep", "600"]).pid  # noqa: S607

    async with attach() as running:
        endpoint = running.endpoint
        child = await endpoint.value(endpoint.submit(leave_things_running))
        began = time.monotonic()
        running.agent.close_stdin()
        assert (await running.agent.rest())[0] == 0
        assert time.monotonic() - began < 10
        assert not is_running(child)


@in_event_loop
async def test_status_reports_say_how_busy_the_endpoint_is(attach: Attach, tmp_path: Path) -> None:
    """The first comes at once, more follow, and they count workers and tasks."""
    started, go = tmp_path / "started", tmp_path / "go"
    async with attach(workers=1, heartbeat_period=0.1) as running:
        endpoint = running.endpoint
        await endpoint.until(lambda: bool(endpoint.reports))
        first = endpoint.reports[0].global_state
        assert first["active"] is True
        assert (first["heartbeat_period"], first["hostname"]) == (0.1, "here")
        assert (first["total_workers"], first["idle_workers"]) == (1, 1)
        busy = endpoint.submit(touch_and_wait_for, str(started), str(go))
        waits = endpoint.submit(abs, 1)
        await endpoint.until(lambda: endpoint.reports[-1].global_state["outstanding_tasks"] == 2)
        state = endpoint.reports[-1].global_state
        assert (state["pending_tasks"], state["idle_workers"]) == (1, 0)
        seen = {
            (task_id, transition.state)
            for report in endpoint.reports
            for task_id, transitions in report.task_statuses.items()
            for transition in transitions
        }
        assert {(busy, "running"), (waits, "waiting-for-launch")} <= seen
        go.touch()
        await endpoint.value(waits)


@in_event_loop
async def test_a_registration_without_publish_arguments(attach: Attach) -> None:
    """Exchange and queue of the registration are enough to publish."""
    async with attach(bare=True) as running:
        assert await running.endpoint.value(running.endpoint.submit(abs, -3)) == 3


@in_event_loop
async def test_a_second_agent_is_turned_away(attach: Attach) -> None:
    """The task queue is consumed exclusively; the second says so and ends."""
    async with attach() as running:
        endpoint = running.endpoint
        line = json.dumps({"config": {"workers": 1}, "amqp_creds": endpoint.registration()})
        second = await AgentProcess.start(line, running.agent.log_path.with_name("second"))
        try:
            answer = await second.first_answer()
            assert answer["ready"] is False
            assert (await second.rest())[0] == 1
        finally:
            await second.end()
        assert await endpoint.value(endpoint.submit(abs, -1)) == 1


@in_event_loop
async def test_wrong_credentials_and_missing_queues_end_the_start(
    on_broker: OnBroker, tmp_path: Path
) -> None:
    """The agent says what is wrong, on one line, and exits with 1."""
    async with on_broker() as url:
        refused = Endpoint(url, url.replace("tests:tests@", "tests:wrong@")).registration()
        missing = Endpoint(url, url).registration()
        for credentials, why in ((refused, "does not accept the user"), (missing, "no ")):
            line = json.dumps({"config": {"workers": 1}, "amqp_creds": credentials})
            agent = await AgentProcess.start(line, tmp_path / "log")
            try:
                answer = await agent.first_answer()
                assert answer["ready"] is False
                assert why in answer["error"]
                assert "wrong" not in agent.log()
                assert (await agent.rest())[0] == 1
            finally:
                await agent.end()


@in_event_loop
async def test_a_stop_is_heard_while_the_broker_is_not_there(tmp_path: Path) -> None:
    """An agent that cannot reach its broker still ends when its parent does."""
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        url = f"amqp://tests:tests@127.0.0.1:{nobody.getsockname()[1]}/%2F"
        line = json.dumps(
            {"config": {"workers": 1}, "amqp_creds": Endpoint(url, url).registration()}
        )
        agent = await AgentProcess.start(line, tmp_path / "log")
        agent.close_stdin()
        assert (await agent.rest())[0] == 0


@in_event_loop
async def test_a_first_line_that_is_no_registration(tmp_path: Path) -> None:
    """The agent names what is missing and exits with 1."""
    agent = await AgentProcess.start('{"config": {}}', tmp_path / "log")
    try:
        answer = await agent.first_answer()
        assert answer == {"ready": False, "error": "the registration has no 'amqp_creds'"}
        assert (await agent.rest())[0] == 1
    finally:
        await agent.end()
