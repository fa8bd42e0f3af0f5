"""Checks of the environment variables: which are set, and never what a secret one holds."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from urllib.parse import urlsplit
from urllib.request import getproxies

from gcompute.diagnosis.outcome import Outcome, ok, problem, warning

_ID = "GLOBUS_COMPUTE_CLIENT_ID"
_SECRET = "GLOBUS_COMPUTE_CLIENT_SECRET"

#: Whose values are shown, as they are addresses, names and numbers.
_SHOWN = (
    "GLOBUS_SDK_ENVIRONMENT",
    "GLOBUS_SDK_SERVICE_URL_AUTH",
    "GLOBUS_SDK_SERVICE_URL_COMPUTE",
    "GLOBUS_COMPUTE_USER_DIR",
    "GLOBUS_SDK_HTTP_TIMEOUT",
    "GLOBUS_SDK_VERIFY_SSL",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
)
_PREFIXES = ("GLOBUS_", "FUNCX_", "GCOMPUTE_")


def secrets_in(variables: Mapping[str, str]) -> list[str]:
    """Give the values that a report must not have."""
    named = [value for name, value in variables.items() if _is_secret(name)]
    return [*named, *passwords_in(*getproxies().values())]


def passwords_in(*urls: str) -> list[str]:
    """Give the passwords of addresses."""
    found = []
    for url in urls:
        with contextlib.suppress(ValueError):  # no address: the check that needs it says so
            found.append(urlsplit(url if "://" in url else f"http://{url}").password or "")
    return found


def check_variables(variables: Mapping[str, str] | None = None) -> Outcome:
    """Name those of Globus and of TLS that are set.

    Args:
        variables: the environment; default this process's.
    """
    here = os.environ if variables is None else variables
    names = sorted({n for n in here if n in _SHOWN or n.startswith(_PREFIXES)} | {_ID, _SECRET})
    are_set = {name: bool(here.get(name)) for name in names}
    shown = [_shown(name, here[name]) for name in names if are_set[name]]
    found = "\n".join([f"{len(shown)} set", *shown]) if shown else "none set"
    if are_set[_SECRET] and not are_set[_ID]:
        return problem(found, f"Set {_ID} as well: client credentials need both.", are_set=are_set)
    old = [name for name in names if name.startswith("FUNCX_") and are_set[name]]
    if old:
        return warning(
            found,
            f"Unset {', '.join(old)}: nothing reads them any more. Their successors start with "
            "GLOBUS_COMPUTE_.",
            are_set=are_set,
        )
    return ok(found, are_set=are_set)


def check_proxies() -> Outcome:
    """Name the proxies of this process's environment."""
    proxies = getproxies()
    if not proxies:
        return ok("none", proxies={})
    lines = [f"{scheme} {where}" for scheme, where in sorted(proxies.items())]
    return ok(
        "\n".join(["HTTP goes through these; the result queues (AMQP) do not", *lines]),
        proxies=proxies,
    )


def _shown(name: str, value: str) -> str:
    # No colon or equals sign here: after a name like these a redactor would cut what follows.
    return f"{name} is {value}" if name in _SHOWN else f"{name} is set"


def _is_secret(name: str) -> bool:
    return name.startswith(_PREFIXES) and any(
        part in name for part in ("SECRET", "TOKEN", "PASSWORD", "KEY")
    )
