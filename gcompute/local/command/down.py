"""``gcompute local down``: stops the service of a folder, whoever started it."""

from __future__ import annotations

import argparse
import json
import os
import signal
from pathlib import Path

from gcompute.local import LocalServiceFailed
from gcompute.local.announcement import Absent, Running
from gcompute.local.folder_lock import wait_until_free

from .place import Place

#: How long an orderly stop may take, one by force, and an end that is under way, in seconds.
_STOP_S = 30.0
_KILL_S = 5.0
_END_S = 2.0
#: What the command line of a service process has in it.
_MODULE = b"gcompute.local.server"


def run(arguments: argparse.Namespace) -> int:
    """Stop the service; give the exit status."""
    place = Place.of(arguments)
    found = place.look()
    if isinstance(found, Absent):
        _say(arguments, f"No local service runs on {place.folder}.", None)
        return 0
    pid = found.pid if isinstance(found, Running) else found.holder.pid
    if pid is None:
        place.running()  # says that it starts
        return 1
    _stop(place, pid)
    where = f" at {found.announcement['url']}" if isinstance(found, Running) else ""
    _say(arguments, f"Stopped the service{where}. Its tasks and results are kept.", pid)
    return 0


def _stop(place: Place, pid: int) -> None:
    if not _is_service(pid):
        # One that just ends has no command line any more.
        if wait_until_free(place.folder, _END_S):
            return
        raise LocalServiceFailed(
            f"process {pid}, which works on {place.folder}, is not on this machine or is in a "
            "container: stop it there"
        )
    for number, patience_s in ((signal.SIGTERM, _STOP_S), (signal.SIGKILL, _KILL_S)):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            # It ended by itself just now.
            pass
        except PermissionError as error:
            raise LocalServiceFailed(f"process {pid} is another user's: he can stop it") from error
        if wait_until_free(place.folder, patience_s):
            return
    raise LocalServiceFailed(f"process {pid} does not end, not even by SIGKILL: look at its disk")


def _is_service(pid: int) -> bool:
    """Tell whether a process can be what it is taken for; where nothing can be known, it is."""
    if not Path("/proc/self/cmdline").exists():
        return True
    try:
        return _MODULE in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def _say(arguments: argparse.Namespace, text: str, stopped_pid: int | None) -> None:
    if arguments.json:
        print(json.dumps({"stopped": stopped_pid is not None, "pid": stopped_pid}))
    else:
        print(text)
