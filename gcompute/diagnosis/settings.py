"""Checks of what this client would use: addresses, and the folder for tokens."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from gcompute import environment
from gcompute.diagnosis.facts import Facts, Route, Subject
from gcompute.diagnosis.outcome import Outcome, ok, problem, refused, warning

_PORTS = {"http": 80, "https": 443}


def check_addresses(subject: Subject, facts: Facts) -> Outcome:
    """Find the addresses of the service and of Globus Auth."""
    from gcompute.http.operations import service_url

    name = subject.environment or environment.globus_environment()
    try:
        url = subject.base_url or environment.service_url(subject.environment)
        service_url(url)
        auth_url = subject.auth_url or _globus_auth_url(name)
        facts.service, facts.auth = route_to(url), route_to(auth_url)
    except (ValueError, LookupError) as error:
        return refused(
            error,
            "Correct GLOBUS_SDK_ENVIRONMENT, GLOBUS_SDK_SERVICE_URL_COMPUTE, the address that was "
            "given (--base-url), or the variables of proxies: one of them is wrong.",
        )
    found = f"environment {name}, service {facts.service.url}, Globus Auth {facts.auth.url}"
    details = {"environment": name, "service": facts.service.url, "globus_auth": facts.auth.url}
    if not facts.service.tls and not _is_loopback(facts.service.name):
        return warning(f"{found}; tokens go there unencrypted", "Use an https address.", **details)
    return ok(found, **details)


def route_to(url: str) -> Route:
    """Find out what is connected to for a web address: it, or a proxy of the environment."""
    parts = urlsplit(url)
    host, scheme = parts.hostname or "", parts.scheme
    tls = scheme == "https"
    plain = url.rstrip("/")
    proxies = getproxies()
    proxy = proxies.get(scheme) or proxies.get("all")
    if proxy is None or proxy_bypass(host):
        return Route(plain, host, parts.port or _PORTS[scheme], tls)
    before = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    port = before.port or _PORTS.get(before.scheme, 1080)
    return Route(plain, before.hostname or "", port, tls, proxied=True)


def check_user_dir(folder: Path | None = None) -> Outcome:
    """Look at the folder for tokens; it is not made.

    Args:
        folder: the folder; default the one of this process's environment.
    """
    folder = folder or user_dir()
    try:
        status = folder.stat()
    except FileNotFoundError:
        return ok(f"{folder} does not exist yet; the first login makes it", exists=False)
    except OSError as error:
        return refused(error, f"Make {folder} readable, or set GLOBUS_COMPUTE_USER_DIR.")
    details = {"folder": str(folder), "exists": True, "mode": f"{stat.S_IMODE(status.st_mode):04o}"}
    if not folder.is_dir():
        return problem(f"{folder} is no folder", "Remove it, or set GLOBUS_COMPUTE_USER_DIR.")
    found = f"{folder}, mode {details['mode']}"
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        return problem(
            f"{found}: tokens cannot be kept there",
            "Make it yours and writable, or set GLOBUS_COMPUTE_USER_DIR to another folder.",
            **details,
        )
    tokens = folder / "storage.db"
    bare = [path for path in (folder, tokens) if path.exists() and path.stat().st_mode & 0o077]
    if bare:
        return warning(
            f"{found}: others on this machine may get at {', '.join(path.name for path in bare)}",
            "Run: " + "; ".join(f"chmod go-rwx '{path}'" for path in bare),
            **details,
        )
    return ok(found, **details)


def user_dir() -> Path:
    """Give the folder for tokens without making it, unlike :func:`environment.user_dir`."""
    named = os.environ.get("GLOBUS_COMPUTE_USER_DIR")
    return Path(named).expanduser() if named else Path.home() / ".globus_compute"


def _globus_auth_url(name: str) -> str:
    """Give the address that ``globus_sdk`` uses for Globus Auth."""
    import globus_sdk

    try:
        client = globus_sdk.AuthClient(environment="production" if name == "local" else name)
    except globus_sdk.GlobusSDKUsageError as error:
        raise ValueError(str(error)) from error
    try:
        return client.base_url
    finally:
        client.close()


def _is_loopback(host: str) -> bool:
    return host in ("localhost", "::1") or host.startswith("127.")
