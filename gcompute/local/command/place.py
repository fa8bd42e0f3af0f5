"""Which service a command is about: the folder that is named, and what runs on it."""

from __future__ import annotations

import argparse
import shlex
from dataclasses import dataclass
from pathlib import Path

from gcompute.environment import local_state_dir
from gcompute.local.announcement import Absent, Busy, Running, find
from gcompute.local.service_process import LocalServiceFailed


@dataclass(frozen=True, slots=True)
class Place:
    """A state folder, as somebody named it."""

    folder: Path
    #: Whether it is the one that is meant where none is named.
    default: bool

    @classmethod
    def of(cls, arguments: argparse.Namespace) -> Place:
        """Give the folder that the arguments name."""
        if arguments.state is None:
            return cls(local_state_dir(), True)
        return cls(arguments.state, False)

    def command(self, name: str) -> str:
        """Spell a command about this place, as to be typed."""
        state = "" if self.default else f" --state {shlex.quote(str(self.folder))}"
        return f"gcompute local {name}{state}"

    def look(self) -> Running | Busy | Absent:
        """Tell what runs here.

        Raises:
            LocalServiceFailed: the folder cannot be looked into.
        """
        try:
            return find(self.folder)
        except OSError as error:
            raise LocalServiceFailed(
                f"the state folder {self.folder} cannot be read ({error.strerror}): "
                "pass one of your own as --state"
            ) from error

    def running(self) -> Running:
        """Give the service that runs here.

        Raises:
            LocalServiceFailed: none does.
        """
        found = self.look()
        if isinstance(found, Running):
            return found
        if isinstance(found, Busy):
            raise LocalServiceFailed(
                f"the local service on {self.folder} ({found.holder}) is starting or stopping: "
                "try again in a moment"
            )
        raise LocalServiceFailed(
            f"no local service runs on {self.folder}: `{self.command('up')}` starts one"
        )
