"""The command ``gcompute diagnose``."""

from __future__ import annotations

import argparse
import os
import sys
import uuid

DESCRIPTION = """\
Find out what stands between this machine and a task's result: versions, login, the way to the
service and to the result queues, an endpoint, logs. Nobody is prompted, no task is sent. The
report has no secrets, so that it can be shown to those who are to help.
"""


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of the program."""
    parser = commands.add_parser(
        "diagnose",
        help="find out what stands between this machine and a task's result",
        description=DESCRIPTION,
        epilog="Exit status: 0 without problems, 1 with.",
    )
    parser.add_argument("--endpoint", metavar="ID", type=_uuid, help="look at this endpoint, too")
    parser.add_argument(
        "--environment", metavar="NAME", help="Globus environment (default: the variable's)"
    )
    parser.add_argument("--base-url", metavar="URL", help="address of the service")
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument(
        "--timeout", metavar="S", type=_seconds, default=5.0, help="seconds a check (default: 5)"
    )
    parser.add_argument(
        "--no-login", dest="login", action="store_false", help="use no tokens, also where there are"
    )
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Diagnose, and print the report."""
    from gcompute.diagnosis.api import diagnose

    report = diagnose(
        arguments.endpoint,
        environment=arguments.environment,
        base_url=arguments.base_url,
        login=arguments.login,
        timeout_s=arguments.timeout,
    )
    print(report.to_json() if arguments.json else report.text(colour=_shows_colour()))
    return 0 if report.ok else 1


def _shows_colour() -> bool:
    """Tell whether output goes to a terminal whose user wants colours (no-color.org)."""
    plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return not plain and sys.stdout is not None and sys.stdout.isatty()


def _uuid(text: str) -> uuid.UUID:
    try:
        return uuid.UUID(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no UUID (as 4b116d3c-1703-4f8f-9f6f-39921e5864df)"
        ) from None


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 3600:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds from 0 to 3600")
    return seconds
