"""Records against a local service, with an official agent that does the work.

::

    official ──HTTP──► HttpFront ──► service ◄──► official agent
             ──AMQP──► AmqpProxy ──► broker

The front answers in the service's place where a scenario asks for that, and makes the official
client go by the proxy, which does to it what brokers do.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx

import gcompute
from gcompute.local import LocalService, User
from gcompute.protocol import COMPUTE_SCOPE
from tests.support.amqp_proxy import AmqpProxy
from tests.support.http_front import HttpFront, Reply, Request
from tests.support.official_agent import running_agent
from tools.recording.conductor import Conductor
from tools.recording.scenario import ADA, BOB, LATE, STRANGER, by_endpoint
from tools.recording.scenarios.operations import SUBSCRIPTION
from tools.recording.scrubbing import SERVICE, identities

ROOT = Path(__file__).parents[2]

#: A group that both users are in.
GROUP = "60000000-0000-4000-8000-000000000006"

#: One task at a time, so that results come in the order of the tasks.
_ENGINE = "engine: {type: ThreadPoolEngine, max_workers: 1}\n"
#: What the agent of a high-assurance endpoint is told beside that, and its registration says.
_ASSURED = "high_assurance: true\n"
_ASSURING = {"high_assurance": True, "subscription_id": SUBSCRIPTION}
#: How long a token of a login is good, in seconds.
_TOKEN_LIFETIME_S = 1.0
_OFFICIAL_ADDRESS = "http://localhost:5000"
_ACCESS = "/v2/get_amqp_result_connection_url"


def record_locally(names: Sequence[str], target: Path, python: str, folder: Path) -> list[str]:
    """Record scenarios; give the names of those that failed.

    Args:
        names: the scenarios.
        target: where recordings go.
        python: the interpreter that has the official SDK.
        folder: for what is written meanwhile; empty.
    """
    failed: list[str] = []
    for assured, part in by_endpoint(names):
        home = folder / ("assured" if assured else "plain")
        (home / "agent").mkdir(parents=True)
        with _service(home, assured=assured) as (service, endpoint_id):
            failed += asyncio.run(_conduct(service, endpoint_id, part, target, python, home))
    return failed


@contextmanager
def _service(folder: Path, *, assured: bool) -> Iterator[tuple[LocalService, str]]:
    """Run a service of ada and bob and the agent of an endpoint of hers; give it and the id."""
    users = [User(ADA, groups=[GROUP]), User(BOB, groups=[GROUP])]
    config, registered = (_ASSURED + _ENGINE, _ASSURING) if assured else (_ENGINE, {})
    with (
        LocalService(
            0, users=users, state_dir=folder / "service", token_lifetime=_TOKEN_LIFETIME_S
        ) as service,
        running_agent(service, config, folder / "agent", **registered) as endpoint_id,
    ):
        yield service, endpoint_id


async def _conduct(
    service: LocalService,
    endpoint_id: str,
    names: Sequence[str],
    target: Path,
    python: str,
    folder: Path,
) -> list[str]:
    async with (
        AmqpProxy(urlsplit(f"//{service.broker.rpartition('//')[2]}").port or 0) as proxy,
        HttpFront(service.url, lambda request, reply: _by_proxy(request, reply, proxy)) as front,
    ):
        given = {
            "endpoint_id": endpoint_id,
            "tokens": await _tokens(service),
            "identities": {user: service.identity_of(user) for user in service.users},
            "amqp_port": proxy.port,
        }
        order = {
            "scenarios": list(names),
            "folder": str(target),
            "given": given,
            "scrub": _scrub(service, given, folder),
            "made_by": made_by(),
            "pace": None,
        }
        conductor = Conductor(service.url, service.token, front, proxy)
        return await conductor.conduct(order, python, _environment(front, folder))


def _by_proxy(request: Request, reply: Reply, proxy: AmqpProxy) -> Reply:
    """Have the client take its results by the proxy."""
    if request.path != _ACCESS or reply.status != 200:
        return reply
    content = reply.json()
    content["connection_url"] = proxy.grant(content["connection_url"])
    return Reply(reply.status, reply.headers, json.dumps(content).encode())


async def _tokens(service: LocalService) -> dict[str, str]:
    """Give a token for each user: those of the service, one of nobody, and one that was good."""
    tokens = {user: service.token_of(user) for user in service.users}
    return tokens | {STRANGER: "canary-token-of-nobody", LATE: await _expired_token(service)}


async def _expired_token(service: LocalService) -> str:
    """Log in, and let the token grow old."""
    variables = service.environment(client_credentials=True)
    login = {"grant_type": "client_credentials", "scope": COMPUTE_SCOPE}
    credentials = (
        variables["GLOBUS_COMPUTE_CLIENT_ID"],
        variables["GLOBUS_COMPUTE_CLIENT_SECRET"],
    )
    async with httpx.AsyncClient(base_url=service.url, trust_env=False) as http:
        answer = await http.post("/v2/oauth2/token", data=login, auth=credentials)
        token = str(answer.raise_for_status().json()["access_token"])
        headers = {"authorization": f"Bearer {token}"}
        while (await http.get("/v2/authenticate", headers=headers)).is_success:  # noqa: ASYNC110
            await asyncio.sleep(_TOKEN_LIFETIME_S / 10)
    return token


def _scrub(service: LocalService, given: dict[str, Any], folder: Path) -> dict[str, str]:
    """Say what of this machine and service is not to be written, and what is instead."""
    known = {token: f"token-of-{user}" for user, token in given["tokens"].items()}
    return (
        known
        | identities(given["identities"])
        | {
            _OFFICIAL_ADDRESS: SERVICE,
            service.url: SERVICE,
            str(folder): "/recorder",
            str(ROOT): "/project",
            socket.gethostname(): "host.example.org",
            socket.getfqdn(): "host.example.org",
            platform.platform(): "Linux-6.1.0-x86_64-with-glibc2.36",
            platform.release(): "6.1.0",
        }
    )


def made_by() -> dict[str, str]:
    """Say what the recording is made with, beside the client."""
    commit = _git("rev-parse", "--short=12", "HEAD")
    changed = " with changes" if _git("status", "--porcelain", "gcompute", "openapi") else ""
    return {
        "agent": "globus-compute-endpoint 4.19.0, ThreadPoolEngine",
        "service": f"local service of gcompute {gcompute.__version__}, commit {commit}{changed}, "
        f"embedded broker, Python {platform.python_version()}",
        "command": "make record",
    }


def _git(*arguments: str) -> str:
    command = ["git", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.strip()


def _environment(front: HttpFront, folder: Path) -> dict[str, str]:
    return {
        "USER": "canary-user",
        "LOGNAME": "canary-user",
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder),
        "GLOBUS_COMPUTE_USER_DIR": str(folder / "client"),
        "GLOBUS_SDK_ENVIRONMENT": "local",
        "HTTP_PROXY": front.url,
        "PYTHONPATH": str(ROOT),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
