"""The official endpoint agent as a process of its own, attached to a local service.

`running_agent` registers an endpoint, starts the agent's own command line with the answer, and
returns when the service has heard of it. At its end no process of the agent's session is left:
its engine starts processes that are not its children.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from gcompute import Client
from gcompute.local import LocalService
from tests.scenarios.waiting import eventually
from tests.support.official import official_environment
from tests.support.processes import session_members

#: What runs tasks in the official agent, by a short name: its configuration as YAML.
ENGINES = {
    "threads": "engine: {type: ThreadPoolEngine, max_workers: 2}\n",
    "processes": "engine: {type: ProcessPoolEngine, max_workers: 2}\n",
    # One block of two workers on this machine, which starts at once and stays. A heartbeat is also
    # when a manager looks whether its workers are alive.
    "parsl": """
engine:
  type: GlobusComputeEngine
  address: 127.0.0.1
  max_workers_per_node: 2
  heartbeat_period: 2
  job_status_kwargs: {strategy_period: 0.5, max_idletime: 3600}
  provider: {type: LocalProvider, init_blocks: 1, min_blocks: 1, max_blocks: 1}
""",
}

_NAME = "official"
_READY_S = 60.0
_STOP_S = 30.0


@contextmanager
def running_agent(
    service: LocalService, engine: str, folder: Path, **registered: Any
) -> Iterator[str]:
    """Run an official agent for the length of a block; give the endpoint's id.

    Args:
        service: where it attaches; its client may run tasks there.
        engine: the name of one of `ENGINES`, or a configuration with another one, as YAML.
        folder: home of the agent, empty.
        registered: what else its registration says, as ``Client.register_endpoint`` has it.
    """
    environment = official_environment(service, folder)
    home = Path(environment["GLOBUS_COMPUTE_USER_DIR"]) / _NAME
    home.mkdir(parents=True)
    with service.client() as client:
        registration = client.register_endpoint(
            _NAME,
            None,
            metadata={},
            admins=[environment["GLOBUS_COMPUTE_CLIENT_ID"]],
            **registered,
        )
        endpoint_id = str(registration["endpoint_id"])
        given = {
            "ep_info": {},
            "config": f"heartbeat_period: 5\n{ENGINES.get(engine, engine)}",
            "amqp_creds": registration,
        }
        agent = _start(environment, folder, json.dumps(given))
        try:
            _await_ready(agent, client, endpoint_id, home)
            yield endpoint_id
        finally:
            _stop(agent)
            # The one above is closed with a service that was started again meanwhile.
            with service.client() as another:
                another.delete_endpoint(endpoint_id)


def _start(environment: dict[str, str], folder: Path, given: str) -> subprocess.Popen[bytes]:
    with (folder / "agent.out").open("wb") as output:
        agent = subprocess.Popen(
            [
                Path(environment["PATH"].partition(os.pathsep)[0]) / "globus-compute-endpoint",
                "_start-user-endpoint",
                _NAME,
            ],
            env=environment,
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    assert agent.stdin is not None
    agent.stdin.write(given.encode())
    agent.stdin.close()
    return agent


def _await_ready(
    agent: subprocess.Popen[bytes], client: Client, endpoint_id: str, home: Path
) -> None:
    def online() -> bool:
        if agent.poll() is not None:
            said = "\n".join(
                path.read_text(errors="replace")[-3000:]
                for path in (home.parents[1] / "agent.out", home / "endpoint.log")
                if path.exists()
            )
            raise RuntimeError(f"the official agent ended with {agent.returncode}:\n{said}")
        return bool(client.get_endpoint_status(endpoint_id)["status"] == "online")

    eventually(online, within_s=_READY_S)


def _stop(agent: subprocess.Popen[bytes]) -> None:
    """End the agent, and then whatever of its session did not end with it."""
    agent.terminate()
    try:
        agent.wait(_STOP_S)
    except subprocess.TimeoutExpired:
        agent.kill()
        agent.wait()
    for number in session_members(agent.pid):
        try:
            os.kill(number, signal.SIGKILL)
        except ProcessLookupError:
            continue
    eventually(lambda: not session_members(agent.pid))
