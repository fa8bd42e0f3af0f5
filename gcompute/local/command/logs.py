"""``gcompute local logs``: prints the end of a service's log, and what is added to it."""

from __future__ import annotations

import argparse
import json
import os
import time
from collections import deque
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import TextIO

from gcompute.local import LocalServiceFailed
from gcompute.local.log_file import log_path, older_log_path

from .place import Place

#: How often a log that is followed is looked at, in seconds.
_LOOK_S = 0.25


def run(arguments: argparse.Namespace) -> int:
    """Print the log; give the exit status."""
    place = Place.of(arguments)
    path = log_path(place.folder)
    try:
        log = path.open(errors="replace")
    except OSError as error:
        raise LocalServiceFailed(
            f"there is no log of a local service in {place.folder} ({error.strerror}): "
            f"`{place.command('up')}` starts one"
        ) from error
    with log:
        last = deque(chain(_older(place.folder), log), maxlen=arguments.lines)
        if arguments.json:
            lines = [line.rstrip("\n") for line in last]
            print(json.dumps({"path": str(path), "lines": lines}))
            return 0
        print("".join(last), end="", flush=True)
        if arguments.follow:
            _follow(log)
    return 0


def _older(folder: Path) -> Iterator[str]:
    """Give the lines of the log before this one."""
    try:
        with older_log_path(folder).open(errors="replace") as older:
            yield from older
    except FileNotFoundError:
        return


def _follow(log: TextIO) -> None:
    """Print what is added, until Ctrl-C."""
    while True:
        if os.fstat(log.fileno()).st_size < log.buffer.tell():
            # It was too long, and began anew.
            log.seek(0)
        while added := log.read(65536):
            print(added, end="", flush=True)
        time.sleep(_LOOK_S)
