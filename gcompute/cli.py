"""The program ``gcompute``: finds the command, runs it, and ends as programs of a shell do.

Each command is a module with ``add_to``, which adds its parser and says by
``set_defaults(run=...)`` what to call; it gets the parsed arguments, and gives the exit status. It
imports what it needs when it runs, so that ``gcompute --help`` is quick.

Exit status: that of the command; 1 for an error, which is one message and no traceback; 2 for
wrong arguments; 130 after Ctrl-C; 141 when who reads the output has gone, as ``head`` does.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from gcompute import __version__
from gcompute.errors import ComputeError

#: The commands, in the order in which the help shows them.
COMMANDS = ("gcompute.local.command", "gcompute.diagnosis.command")

# As shells report death by SIGINT and SIGPIPE: 128 and the number of the signal.
_INTERRUPTED = 130
_NO_READER = 141


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; give its exit status.

    Args:
        arguments: the command line without the program's name; default that of the process.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Rather an escape in the output than no output, where the locale is a plain one.
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        status = _run(arguments)
        _flush()
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BrokenPipeError:
        _forget_output()
        return _NO_READER
    return status


def _run(arguments: Sequence[str] | None) -> int:
    parser = _parser()
    try:
        parsed = parser.parse_args(arguments)
    except SystemExit as end:  # of --help, --version, and wrong arguments
        return end.code if isinstance(end.code, int) else 1
    if parsed.run is None:
        parser.print_help(sys.stderr)
        return 2
    try:
        status: int = parsed.run(parsed)
    except ComputeError as error:
        print(f"gcompute: {error}", file=sys.stderr)
        return 1
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="gcompute", description="Run Python functions on Globus Compute endpoints."
    )
    parser.add_argument("--version", action="version", version=f"gcompute {__version__}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name in COMMANDS:
        import_module(name).add_to(commands)
    return parser


def _flush() -> None:
    """Write what is buffered now, when a failure can still be told by the exit status."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _forget_output() -> None:
    """Have Python's own flush at exit go nowhere: it would complain about the broken pipe."""
    if sys.stdout is not None:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
