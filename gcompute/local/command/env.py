"""``gcompute local env``: prints what points programs at the service of a folder.

The output is for ``eval "$(gcompute local env)"`` in a shell; notes go to standard error.
"""

from __future__ import annotations

import argparse
import json
import shlex
import sys

from gcompute.environment import proxies
from gcompute.local import LocalServiceFailed

from .exports import OFFICIAL_PORT, exports, port_of
from .place import Place


def run(arguments: argparse.Namespace) -> int:
    """Print the variables; give the exit status."""
    place = Place.of(arguments)
    told = place.running().announcement
    name = arguments.user or next(iter(told["users"]))
    if name not in told["users"]:
        raise LocalServiceFailed(
            f"the service has no user {name!r}; it has {', '.join(told['users'])}"
        )
    variables = exports(
        told["url"],
        told["users"][name],
        told["endpoint_id"],
        place.folder / "user",
        proxies(),
        told["ca_file"],
    )
    if arguments.json:
        print(json.dumps(variables))
    else:
        for key, value in variables.items():
            print(f"export {key}={shlex.quote(value)}")
    if told["ca_file"] is not None:
        print(
            "gcompute: SSL_CERT_FILE names the broker's certificate in place of the system's file "
            "of authorities: programs of this shell may refuse https:// addresses elsewhere.",
            file=sys.stderr,
        )
    port = port_of(told["url"])
    if port != OFFICIAL_PORT:
        print(
            f"gcompute: the official SDK and agent look for a local service at port "
            f"{OFFICIAL_PORT} only; this one is at {port}, so http_proxy leads them here. Other "
            "http:// addresses, not https://, are out of reach with these variables.",
            file=sys.stderr,
        )
    return 0
