"""``gcompute local status``: tells whether a service runs, and how its endpoint is."""

from __future__ import annotations

import argparse
import json
import shutil
import time
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlsplit

from gcompute.local import LocalServiceFailed
from gcompute.local.announcement import Absent, Busy, Running

from .place import Place

_ANSWER_S = 3.0
#: With less room than this on its disk a service is about to refuse requests; a write-ahead log
#: alone takes 4 MiB.
_LITTLE_BYTES = 16 * 1024 * 1024
#: The exit status where no service runs; as for services of a system.
_NOT_RUNNING = 3


def run(arguments: argparse.Namespace) -> int:
    """Print the status; give the exit status."""
    place = Place.of(arguments)
    found = place.look()
    if isinstance(found, Running):
        endpoint = _endpoint(found, place)
        report, text = _running(found, endpoint), _text(found, endpoint)
        status = 0
    elif isinstance(found, Busy):
        report = {"state": "busy", "pid": found.holder.pid}
        text = f"The service on {place.folder} ({found.holder}) is starting or stopping."
        status = 0
    else:
        report, text = {"state": "absent", "killed_pid": found.killed_pid}, _absent(found, place)
        status = _NOT_RUNNING
    print(json.dumps({**report, "state_dir": str(place.folder)}) if arguments.json else text)
    return status


def _endpoint(found: Running, place: Place) -> Mapping[str, Any] | None:
    """Ask the service for the state of its endpoint; ``None`` if it has none.

    Raises:
        LocalServiceFailed: it does not answer.
    """
    told = found.announcement
    owner = next(iter(told["users"].values()))
    endpoint_id = told["endpoint_id"]
    path = "/v2/version" if endpoint_id is None else f"/v2/endpoints/{endpoint_id}/status"
    address = urlsplit(told["url"])
    connection = HTTPConnection(address.hostname or "", address.port, timeout=_ANSWER_S)
    try:
        connection.request("GET", path, headers={"Authorization": f"Bearer {owner['token']}"})
        answer = connection.getresponse()
        body = json.loads(answer.read())
    except (OSError, HTTPException, ValueError) as error:
        raise LocalServiceFailed(
            f"the service at {told['url']} (process {found.pid}) does not answer ({error}): "
            f"see `{place.command('logs')}`; `{place.command('down')}` stops it"
        ) from error
    finally:
        connection.close()
    if answer.status != 200:
        raise LocalServiceFailed(
            f"the service at {told['url']} (process {found.pid}) answers {answer.status}: "
            f"{body.get('reason')}"
        )
    return None if endpoint_id is None else dict(body)


def _running(found: Running, endpoint: Mapping[str, Any] | None) -> dict[str, Any]:
    told = found.announcement
    return {
        "state": "running",
        "url": told["url"],
        "pid": found.pid,
        "started_at": found.started_at,
        "users": list(told["users"]),
        "broker": told["broker"],
        "endpoint_id": told["endpoint_id"],
        "endpoint": endpoint,
        "free_bytes": shutil.disk_usage(told["state_dir"]).free,
    }


def _text(found: Running, endpoint: Mapping[str, Any] | None) -> str:
    told = found.announcement
    lines = [
        f"A compute service runs at {told['url']} "
        f"(process {found.pid}, for {_duration(time.time() - found.started_at)})"
    ]
    if endpoint is not None:
        details = endpoint["details"]
        lines.append(
            f"  endpoint  {told['endpoint_id']}: {endpoint['status']}, "
            f"{details['idle_workers']} of {details['total_workers']} workers idle, "
            f"{details['outstanding_tasks']} tasks"
        )
    if len(told["users"]) > 1:
        lines.append(f"  users     {', '.join(told['users'])}")
    lines += [f"  broker    {told['broker']}", f"  state     {told['state_dir']}"]
    free = shutil.disk_usage(told["state_dir"]).free
    if free < _LITTLE_BYTES:
        lines.append(
            f"  disk      {free // 1024} KiB free: what cannot be kept is refused; make room"
        )
    return "\n".join(lines)


def _absent(found: Absent, place: Place) -> str:
    if found.killed_pid is None:
        return f"No local service runs on {place.folder}."
    return (
        f"No local service runs on {place.folder}: the last one (process {found.killed_pid}) was "
        f"killed. `{place.command('up')}` goes on with its tasks and results."
    )


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
