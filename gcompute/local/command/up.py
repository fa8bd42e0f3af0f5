"""``gcompute local up``: starts a service, says where it is, and stays until it ends.

In the foreground this process holds the service, which ends with it: by Ctrl-C, SIGTERM, a closed
terminal, or ``kill -9``. With ``--detach`` the service runs on by itself.
"""

from __future__ import annotations

import argparse
import errno
import json
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from gcompute.local import LocalService, LocalServiceFailed
from gcompute.local.announcement import Absent, Busy, Running

from .place import Place

#: How many ports after a taken one are looked at, to name a free one.
_LOOK_AT = 20


def run(arguments: argparse.Namespace) -> int:
    """Start a service; give the exit status."""
    place = Place.of(arguments)
    try:
        service = _service(arguments, place)
    except ValueError as error:
        print(f"gcompute local up: {error}", file=sys.stderr)
        return 2
    previous = _check_vacant(place)
    _check_port(arguments.port)
    if previous.killed_pid is not None:
        print(
            f"The last service here (process {previous.killed_pid}) was killed; "
            "this one goes on with its tasks and results.",
            file=sys.stderr,
        )
    with _ends_as_by_ctrl_c():
        service.start()
        found = place.running()
        if arguments.detach:
            # First, so that it runs on also where nobody reads to its end what is said.
            service.detach()
            _say(place, arguments, found)
            return 0
        try:
            _say(place, arguments, found)
            return _outcome(service.wait(), place)
        except KeyboardInterrupt:
            _stop(service, found.pid)
    return 0


def _service(arguments: argparse.Namespace, place: Place) -> LocalService:
    """Make the service that the arguments ask for.

    Raises:
        ValueError: they make no sense.
    """
    return LocalService(
        workers=arguments.workers,
        engine=arguments.engine,
        engine_options=arguments.engine_options,
        tls=arguments.tls,
        broker=arguments.broker,
        broker_management=arguments.broker_management,
        users=arguments.users,
        state_dir=place.folder,
        port=arguments.port,
    )


def _check_vacant(place: Place) -> Absent:
    found = place.look()
    if isinstance(found, Running):
        raise LocalServiceFailed(
            f"a local service runs on {place.folder} already, at {found.announcement['url']} "
            f"(process {found.pid}): `{place.command('down')}` stops it; for another one beside "
            "it pass another --state and --port"
        )
    if isinstance(found, Busy):
        raise LocalServiceFailed(
            f"another local service ({found.holder}) is starting or stopping on {place.folder}: "
            "try again in a moment, or pass another --state and --port"
        )
    return found


def _check_port(port: int) -> None:
    """See that the port can be had, before anything is started."""
    trouble = _trouble_with(port)
    if trouble is None:
        return
    if trouble.errno != errno.EADDRINUSE:
        raise LocalServiceFailed(
            f"port {port} cannot be used ({trouble.strerror}): pass another --port"
        )
    nearby = range(port + 1, min(port + 1 + _LOOK_AT, 65536))
    free = next((other for other in nearby if _trouble_with(other) is None), 0)
    message = (
        f"port {port} is taken: something else listens there. Stop it, or pass another port, "
        f"such as --port {free}"
    )
    if port == 5000:
        message += " (`gcompute local env` then leads the official SDK there by http_proxy)"
    raise LocalServiceFailed(message)


def _trouble_with(port: int) -> OSError | None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
            probe.listen(1)
        except OSError as error:
            return error
    return None


def _say(place: Place, arguments: argparse.Namespace, found: Running) -> None:
    if arguments.json:
        told = {"pid": found.pid, "detached": arguments.detach, **found.announcement}
        print(json.dumps(told), flush=True)
    else:
        print("\n".join(_screen(place, arguments, found.announcement)), flush=True)


def _screen(place: Place, arguments: argparse.Namespace, told: Any) -> list[str]:
    """Write what a person wants to know now."""
    lines = [f"A compute service runs at {told['url']}", ""]
    several = len(told["users"]) > 1
    where = "Point" if arguments.detach else "In another terminal, point"
    for name, access in told["users"].items():
        lines.append(f"  token     {access['token']}{f'  ({name})' if several else ''}")
    if told["endpoint_id"] is not None:
        lines.append(f"  endpoint  {told['endpoint_id']}")
    lines += [
        f"  broker    {told['broker']}",
        f"  state     {told['state_dir']}",
        "",
        f"{where} programs at it, those for the official SDK too:",
        f'  eval "$({place.command("env")})"',
    ]
    if told["endpoint_id"] is not None:
        lines += [
            "Then run a function:",
            "  python -c 'import os; from gcompute import Executor; e = Executor(os.environ[\""
            "GCOMPUTE_LOCAL_ENDPOINT\"]); print(e.submit(pow, 2, 10).result()); e.shutdown()'",
        ]
    if arguments.detach:
        lines.append(f"It runs in the background; `{place.command('down')}` stops it.")
    else:
        lines.append("Ctrl-C stops it. Tasks and results are kept for the next time.")
    return lines


def _outcome(status: int, place: Place) -> int:
    """Tell how a service ended that nobody stopped here."""
    if status == 0:
        print("The service was stopped from elsewhere.", file=sys.stderr)
        return 0
    how = f"was killed by signal {-status}" if status < 0 else f"ended with status {status}"
    raise LocalServiceFailed(
        f"the service {how}: `{place.command('logs')}` shows its log, and "
        f"`{place.command('up')}` goes on with its tasks and results"
    )


def _stop(service: LocalService, pid: int) -> None:
    """Stop in order; at a second Ctrl-C at once."""
    try:
        print("Stopping ...", file=sys.stderr, flush=True)
        service.stop()
    except KeyboardInterrupt:
        print("Killed; accepted tasks and results are kept.", file=sys.stderr)
        os.kill(pid, signal.SIGKILL)


@contextmanager
def _ends_as_by_ctrl_c() -> Iterator[None]:
    """Have SIGTERM and a closed terminal do what Ctrl-C does, unless somebody ignores them."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    replaced = {}
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            replaced[number] = signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, before in replaced.items():
            signal.signal(number, before)
