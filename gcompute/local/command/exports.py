"""The environment variables that point programs at a local service. Pure.

They are for this package, the official SDK and the official agent, all unchanged. The official
ones know one address of a local service, ``http://localhost:5000``, which
``GLOBUS_SDK_ENVIRONMENT=local`` selects. A service at another port answers for that address as
their HTTP proxy. Tokens and endpoints' folders are kept apart from those of the hosted service.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

#: Where the official SDK looks for a local service. Source: ``docs/wire.md``.
OFFICIAL_PORT = 5000
#: Names of this machine, for lists of what needs no proxy.
_HERE = ("localhost", "127.0.0.1")


def exports(
    url: str,
    access: Mapping[str, str],
    endpoint_id: str | None,
    user_dir: Path,
    proxies: Mapping[str, str],
    ca_file: str | None = None,
) -> dict[str, str]:
    """Give the variables.

    Args:
        url: address of the service.
        access: ``client_id``, ``client_secret`` and ``token`` of a user of it.
        endpoint_id: the endpoint of the service.
        user_dir: folder for the tokens and endpoints of the programs.
        proxies: the variables about proxies that are set already.
        ca_file: the broker's certificate; ``None`` for a broker without TLS.
    """
    variables = {
        "GLOBUS_SDK_ENVIRONMENT": "local",
        # With the slash, as globus_sdk appends to it.
        "GLOBUS_SDK_SERVICE_URL_AUTH": f"{url}/",
        "GLOBUS_SDK_SERVICE_URL_COMPUTE": url,
        "GLOBUS_COMPUTE_CLIENT_ID": access["client_id"],
        "GLOBUS_COMPUTE_CLIENT_SECRET": access["client_secret"],
        "GLOBUS_COMPUTE_USER_DIR": str(user_dir),
        "GCOMPUTE_LOCAL_TOKEN": access["token"],
    }
    if endpoint_id is not None:
        variables["GCOMPUTE_LOCAL_ENDPOINT"] = endpoint_id
    if ca_file is not None:
        variables["SSL_CERT_FILE"] = ca_file
    if port_of(url) == OFFICIAL_PORT:
        return variables | _past_proxies(proxies)
    return variables | _by_proxy(url, proxies)


def port_of(url: str) -> int | None:
    """Give the port of an address."""
    return urlsplit(url).port


def _past_proxies(proxies: Mapping[str, str]) -> dict[str, str]:
    """Keep a site's proxy, which does not know this machine's services, out of the way."""
    if not any(name.lower() in ("http_proxy", "all_proxy") for name in proxies):
        return {}
    excepted = [*_exceptions(proxies), *_HERE]
    return _both("no_proxy", ",".join(dict.fromkeys(excepted)))


def _by_proxy(url: str, proxies: Mapping[str, str]) -> dict[str, str]:
    """Make the service the proxy for the one address that the official SDK knows."""
    # In small letters: it wins where both spellings are there.
    variables = {"http_proxy": url}
    excepted = _exceptions(proxies)
    if excepted:
        kept = [name for name in excepted if name.split(":")[0] not in (*_HERE, "*")]
        variables |= _both("no_proxy", ",".join(kept))
    return variables


def _exceptions(proxies: Mapping[str, str]) -> list[str]:
    listed = proxies.get("no_proxy") or proxies.get("NO_PROXY") or ""
    return [name.strip() for name in listed.split(",") if name.strip()]


def _both(name: str, value: str) -> dict[str, str]:
    """Set a variable in both spellings: an empty one in small letters counts as none."""
    return {name: value, name.upper(): value}
