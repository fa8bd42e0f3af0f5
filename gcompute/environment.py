"""What the environment variables say; the only module that reads them.

Source: ``docs/wire.md#addresses-and-identity``.
"""

from __future__ import annotations

import os
from pathlib import Path

_PRODUCTION = "https://compute.api.globus.org"
_SERVICES = {
    "production": _PRODUCTION,
    "preview": "https://compute.api.preview.globus.org",
    "local": "http://localhost:5000",
    **{
        name: f"https://compute.api.{name}.globuscs.info"
        for name in ("sandbox", "test", "integration", "staging")
    },
}


#: What ``globus_sdk`` takes for yes and no, and nothing at all.
_NO_PATHS = {"", "y", "yes", "t", "true", "on", "1", "n", "no", "f", "false", "off", "0"}


def globus_environment() -> str:
    """Name the Globus environment: ``GLOBUS_SDK_ENVIRONMENT``, else ``production``."""
    return os.environ.get("GLOBUS_SDK_ENVIRONMENT") or "production"


def service_url(environment: str | None = None) -> str:
    """Give the address of the web service in an environment.

    ``GLOBUS_SDK_SERVICE_URL_COMPUTE`` names another one, in the way in which ``globus_sdk`` lets
    the address of each Globus service be named, unless an environment is asked for.

    Raises:
        ValueError: there is no such environment.
    """
    named = os.environ.get("GLOBUS_SDK_SERVICE_URL_COMPUTE")
    if named and environment is None:
        return named
    name = environment or globus_environment()
    try:
        return _SERVICES[name]
    except KeyError:
        raise ValueError(
            f"unknown environment {name!r}: expected one of {', '.join(_SERVICES)}; for a service "
            "at another address use base_url"
        ) from None


def client_credentials() -> tuple[str | None, str | None]:
    """Give ``GLOBUS_COMPUTE_CLIENT_ID`` and ``GLOBUS_COMPUTE_CLIENT_SECRET``.

    Raises:
        ValueError: there is a secret, but no id that it belongs to.
    """
    client_id = os.environ.get("GLOBUS_COMPUTE_CLIENT_ID") or None
    if os.environ.get("GLOBUS_COMPUTE_CLIENT_SECRET") and not client_id:
        # The secret is in no variable here, which a traceback could show.
        raise ValueError(
            "GLOBUS_COMPUTE_CLIENT_SECRET is set, GLOBUS_COMPUTE_CLIENT_ID is not: client "
            "credentials need both"
        )
    return client_id, os.environ.get("GLOBUS_COMPUTE_CLIENT_SECRET") or None


def client_settings() -> tuple[str, ...]:
    """Give all that decides what ``Client()`` talks to, and as whom.

    Raises:
        ValueError: it contradicts itself.
    """
    client_id, secret = client_credentials()
    folder = os.environ.get("GLOBUS_COMPUTE_USER_DIR") or ""
    return globus_environment(), service_url(), client_id or "", secret or "", folder


def user_dir() -> Path:
    """Give the folder for tokens, making it with mode 0700 where it is missing."""
    named = os.environ.get("GLOBUS_COMPUTE_USER_DIR")
    folder = Path(named).expanduser() if named else Path.home() / ".globus_compute"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def local_state_dir() -> Path:
    """Give the folder in which ``gcompute local`` keeps its service where none is named.

    It is not in :func:`user_dir`, as each folder in there can be an endpoint of the official
    agent, and as ``gcompute local env`` names another :func:`user_dir`.
    """
    named = os.environ.get("XDG_STATE_HOME", "")
    # One that is not absolute is to be ignored. Source: XDG Base Directory Specification.
    base = Path(named) if named.startswith("/") else Path.home() / ".local" / "state"
    return base / "gcompute" / "local"


def proxies() -> dict[str, str]:
    """Give the variables that name proxies and what needs none, in either spelling."""
    names = ("http_proxy", "all_proxy", "no_proxy")
    spelled = [spelling for name in names for spelling in (name, name.upper())]
    return {name: os.environ[name] for name in spelled if name in os.environ}


def proxy_for(scheme: str, host: str) -> str | None:
    """Name the variable that sends requests to a host through a proxy, if one does."""
    from urllib.request import proxy_bypass  # heavy, and httpx has it where requests are sent

    names = (f"{scheme}_proxy", "all_proxy")
    spelled = (spelling for name in names for spelling in (name, name.upper()))
    named = next((name for name in spelled if os.environ.get(name)), None)
    return None if named is None or proxy_bypass(host) else named


def certificates() -> tuple[str, str] | None:
    """Give the variable that names the certificates to trust, and what it names.

    The first two are Python's own, the next that of ``globus_sdk``, which may also say yes or no
    and then names none; the others are those of ``requests``.
    """
    names = (
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "GLOBUS_SDK_VERIFY_SSL",
        "REQUESTS_CA_BUNDLE",
        "CURL_CA_BUNDLE",
    )
    named = ((name, os.environ.get(name, "")) for name in names)
    return next(((name, path) for name, path in named if path.lower() not in _NO_PATHS), None)
