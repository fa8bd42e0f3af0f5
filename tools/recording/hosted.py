"""Records against a service that is there: the hosted one, by a token and an endpoint.

Who records is told by the environment. What was registered is deleted at the end, whatever
happened before. Then the answers are compared with those of the local service, field by field.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import signal
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import globus_sdk

from gcompute import Client
from gcompute.environment import service_url
from gcompute.errors import ComputeError, NotFound
from gcompute.login import Login
from tools.recording.comparison import compared
from tools.recording.conductor import Conductor
from tools.recording.pace import Pace
from tools.recording.scenario import ADA, BOB, SCENARIOS, STRANGER, by_endpoint
from tools.recording.scrubbing import SERVICE, identities

ROOT = Path(__file__).parents[2]

#: Requests in seconds: less than the service accepts, as they do not come as evenly as they go.
_PACE = (16, 10.0)
_POLL_S = 2.5
#: The file that has when requests went.
_WENT = "went"


@dataclass(frozen=True)
class Recorder:
    """Who records, and where.

    Attributes:
        url: of the service.
        tokens: of the users that there are.
        endpoint_id: one that is online.
        assured_endpoint_id: a high-assurance one that is; ``None`` where there is none.
        pace: which all requests keep to, whoever sends them.
    """

    url: str
    tokens: dict[str, str]
    endpoint_id: str
    assured_endpoint_id: str | None
    pace: Pace

    @classmethod
    def of_environment(cls, folder: Path) -> Recorder:
        """Read the environment.

        Args:
            folder: for what the recorder's processes share.

        Raises:
            SystemExit: it does not name an endpoint.
        """
        endpoint_id = os.environ.get("GCOMPUTE_RECORD_ENDPOINT")
        if not endpoint_id:
            raise SystemExit("GCOMPUTE_RECORD_ENDPOINT must be the id of an endpoint of yours")
        token = os.environ.get("GCOMPUTE_RECORD_TOKEN")
        if not token:
            token = str(Login().authorize().header).removeprefix("Bearer ")
        tokens = {ADA: token, STRANGER: "canary-token-of-nobody"}
        other = os.environ.get("GCOMPUTE_RECORD_OTHER_TOKEN")
        tokens |= {BOB: other} if other else {}
        assured = os.environ.get("GCOMPUTE_RECORD_HA_ENDPOINT") or None
        pace = Pace(*_PACE, folder / _WENT)
        return cls(service_url(), tokens, endpoint_id, assured, pace)

    def client(self, user: str) -> Client:
        """Make a client for what is not recorded; before each call its user waits for `pace`."""
        authorizer = globus_sdk.AccessTokenAuthorizer(self.tokens[user])
        return Client(
            authorizer=authorizer,
            base_url=self.url,
            do_version_check=False,
            request_limit=None,
        )


def record_hosted(names: Sequence[str], target: Path, python: str, folder: Path) -> list[str]:
    """Record scenarios; give the names of those that failed.

    Args:
        names: the scenarios; those that need what this service has not are left out.
        target: where recordings go.
        python: the interpreter that has the official SDK.
        folder: for what is written meanwhile; empty.
    """
    recorder = Recorder.of_environment(folder)
    chosen = [name for name in names if _possible(name, recorder)]
    orders = _orders(recorder, chosen, target, folder)
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GCOMPUTE_")},
        "HOME": str(folder),
        "GLOBUS_COMPUTE_USER_DIR": str(folder / "client"),
        "PYTHONPATH": str(ROOT),
    }
    with _interruptible():
        try:
            return asyncio.run(_conduct(recorder, orders, python, environment))
        finally:
            clean_up(recorder, folder / "registered.jsonl")


@contextmanager
def _interruptible() -> Iterator[None]:
    """Take a request to end for a Ctrl-C, so that what was registered is deleted all the same."""

    def interrupt(_signal: int, _frame: object) -> None:
        raise KeyboardInterrupt

    before = {each: signal.signal(each, interrupt) for each in (signal.SIGTERM, signal.SIGHUP)}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


async def _conduct(
    recorder: Recorder, orders: list[dict[str, Any]], python: str, environment: dict[str, str]
) -> list[str]:
    failed: list[str] = []
    for order in orders:
        conductor = Conductor(
            recorder.url, recorder.tokens[ADA], interval_s=_POLL_S, pace=recorder.pace
        )
        failed += await conductor.conduct(order, python, environment)
    return failed


def _possible(name: str, recorder: Recorder) -> bool:
    """Tell whether a scenario can play; say why where it cannot."""
    there = {"agent", "offline"}
    there |= {"users"} if BOB in recorder.tokens else set()
    there |= {"assured"} if recorder.assured_endpoint_id else set()
    missing = sorted(SCENARIOS[name].needs - there)
    if missing:
        print(f"{name} left out: there is no {', '.join(missing)}")
    return not missing


def _orders(
    recorder: Recorder, names: Sequence[str], target: Path, folder: Path
) -> list[dict[str, Any]]:
    """Find out who the users are and what the endpoints are made of, and say what to play."""
    identity = {}
    for user in recorder.tokens.keys() - {STRANGER}:
        with recorder.client(user) as client:
            identity[user] = _identity(client, recorder.pace)
    orders = []
    for assured, part in by_endpoint(names):
        endpoint_id = recorder.assured_endpoint_id if assured else recorder.endpoint_id
        given = {
            "endpoint_id": endpoint_id,
            "tokens": recorder.tokens,
            "identities": identity,
            "amqp_port": None,
        }
        order = {
            "scenarios": part,
            "folder": str(target),
            "given": given,
            "scrub": _scrub(recorder, identity, folder),
            "made_by": _made_by(recorder, str(endpoint_id)),
            "pace": (*_PACE, str(folder / _WENT)),
        }
        orders.append(order)
    return orders


def _made_by(recorder: Recorder, endpoint_id: str) -> dict[str, str]:
    with recorder.client(ADA) as client:
        recorder.pace.wait()
        agent = client.get_endpoint_metadata(endpoint_id).get("endpoint_version")
    return {
        "agent": f"globus-compute-endpoint {agent}",
        "service": f"{urlsplit(recorder.url).hostname}, Python {platform.python_version()} here",
        "command": "make record SERVICE=hosted",
    }


def _identity(client: Client, pace: Pace) -> str:
    """Find out who somebody is: the owner of what he registers."""
    pace.wait()
    registered = client.register_endpoint("gcompute-recorder", None)
    try:
        pace.wait()
        mine = client.get_endpoints(role="owner")
        return next(str(e["owner"]) for e in mine if e["uuid"] == registered["endpoint_id"])
    finally:
        pace.wait()
        client.delete_endpoint(registered["endpoint_id"])


def _scrub(recorder: Recorder, users: dict[str, str], folder: Path) -> dict[str, str]:
    tokens = {token: f"token-of-{user}" for user, token in recorder.tokens.items()}
    return (
        tokens
        | identities(users)
        | {
            recorder.url: SERVICE,
            str(folder): "/recorder",
            str(ROOT): "/project",
            socket.gethostname(): "host.example.org",
            platform.platform(): "Linux-6.1.0-x86_64-with-glibc2.36",
        }
    )


def clean_up(recorder: Recorder, registered: Path) -> None:
    """Delete what was registered and is still there; say how much, and what could not be."""
    notes = (
        [json.loads(line) for line in registered.read_text().splitlines()]
        if registered.exists()
        else []
    )
    deleted = 0
    for user in {note["user"] for note in notes}:
        with recorder.client(user) as client:
            for note in notes:
                if note["user"] == user:
                    recorder.pace.wait()
                    deleted += _deleted(client, note["kind"], note["id"])
    print(f"{deleted} functions and endpoints deleted that scenarios had left")


def _deleted(client: Client, kind: str, identifier: str) -> bool:
    delete = {"functions": client.delete_function, "endpoints": client.delete_endpoint}[kind]
    try:
        delete(identifier)
    except NotFound:
        return False
    except ComputeError as error:
        print(f"{kind} {identifier} could not be deleted: {error}", file=sys.stderr)
        return False
    return True


def print_differences(names: Sequence[str], target: Path, local: Path) -> int:
    """Print where recordings differ from those of the local service; give the number of places."""
    count = 0
    for name in names:
        here, there = local / f"{name}.yaml", target / f"{name}.yaml"
        if here.exists() and there.exists():
            for place, mine, theirs in compared(here, there):
                count += 1
                print(f"{name} {place}: local has {mine!r}, hosted has {theirs!r}")
    print(f"{count} differences between hosted and local recordings")
    return count
