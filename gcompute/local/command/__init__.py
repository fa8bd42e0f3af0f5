"""The command ``gcompute local``: a local service for the person at the keyboard.

``up`` starts one, and the others find it by its state folder, whoever started it: a service that
a program keeps with ``LocalService(state_dir=...)`` is found as well.

Exit status: 0 done; 1 an error, which is told on standard error; 2 wrong arguments; 3 from
``status`` where no service runs; 130 after Ctrl-C, except that it is how ``up`` is told to stop.
With ``--json`` standard output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from gcompute.local.user import User

_EXIT_STATUS = "Exit status: 0 done, 1 an error, 2 wrong arguments"


def add_to(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to those of the program."""
    parser = commands.add_parser(
        "local",
        help="run a compute service on this machine",
        description="Run a compute service on this machine: no account, no network.",
    )

    def ask_for_command(_: argparse.Namespace) -> int:
        parser.print_help(sys.stderr)
        return 2

    parser.set_defaults(run=ask_for_command)
    actions = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_up(actions)
    _add(actions, "status", "tell whether a service runs, and how its endpoint is", ", 3 none runs")
    _add(actions, "down", "stop the service; tasks and results are kept")
    env = _add(actions, "env", "print what points programs at the service, as exports of a shell")
    env.add_argument("--user", metavar="NAME", help="whose login (default: the first user's)")
    logs = _add(actions, "logs", "print the end of the service's log")
    logs.add_argument("-f", "--follow", action="store_true", help="go on with what is added")
    logs.add_argument(
        "-n", "--lines", metavar="N", type=_count, default=100, help="so many (default: 100)"
    )


def _add_up(actions: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    up = _add(actions, "up", "start a service; Ctrl-C stops it")
    up.add_argument(
        "-d", "--detach", action="store_true", help="run in the background, until `down`"
    )
    up.add_argument(
        "--port",
        metavar="N",
        type=_port,
        default=5000,
        help="port of the web service (default: 5000, the one that the official SDK looks at); "
        "0 for any free one",
    )
    up.add_argument(
        "--workers",
        metavar="N",
        type=_count,
        help="worker processes of the endpoint (default: 2), or how many tasks an engine has at a "
        "time; 0 for no endpoint",
    )
    up.add_argument(
        "--engine",
        metavar="PATH",
        help="what runs tasks in place of worker processes: package.module:factory or "
        "file.py:factory of a concurrent.futures.Executor",
    )
    up.add_argument(
        "--engine-options",
        metavar="JSON",
        type=_object,
        help="keyword arguments for it, such as '{\"nodes\": 4}'",
    )
    up.add_argument(
        "--tls", action="store_true", help="have the embedded broker speak TLS (amqps://...)"
    )
    up.add_argument(
        "--broker", metavar="URL", help="a RabbitMQ (amqp://...) in place of the embedded broker"
    )
    up.add_argument(
        "--broker-management",
        metavar="URL",
        help="management of that RabbitMQ (http://...), to keep its users apart",
    )
    up.add_argument(
        "--user",
        metavar="NAME[:GROUP,...]",
        action="append",
        type=_user,
        dest="users",
        help="somebody who may use the service, and the UUIDs of the groups that he is in; may be "
        "repeated (default: one user, local)",
    )


def _add(
    actions: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    summary: str,
    more_statuses: str = "",
) -> argparse.ArgumentParser:
    parser = actions.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.",
        epilog=f"{_EXIT_STATUS}{more_statuses}.",
    )
    parser.add_argument(
        "--state",
        metavar="DIR",
        type=_folder,
        help="state folder of the service (default: gcompute/local in $XDG_STATE_HOME, "
        "which is ~/.local/state)",
    )
    parser.add_argument("--json", action="store_true", help="write one JSON object")
    parser.set_defaults(run=_runner(name))
    return parser


def _runner(name: str) -> Callable[[argparse.Namespace], int]:
    def run(arguments: argparse.Namespace) -> int:
        status: int = import_module(f"{__name__}.{name}").run(arguments)
        return status

    return run


def _folder(text: str) -> Path:
    if not text:
        raise argparse.ArgumentTypeError("the name of a folder is needed")
    return Path(text).expanduser().absolute()


def _user(text: str) -> User:
    name, colon, groups = text.partition(":")
    try:
        return User(name, groups.split(",") if colon else ())
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _object(text: str) -> dict[str, Any]:
    try:
        options = json.loads(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no JSON: {error}") from None
    if not isinstance(options, dict):
        raise argparse.ArgumentTypeError(f"{text!r} is no JSON object, such as '{{\"nodes\": 4}}'")
    return options


def _port(text: str) -> int:
    number = _number(text)
    if not 0 <= number <= 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is no port (0 to 65535)")
    return number


def _count(text: str) -> int:
    number = _number(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"{text!r} is no number from 0 on")
    return number


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no number") from None
