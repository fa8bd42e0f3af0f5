"""Checks of the way to a web service, layer by layer: name, connection, encryption.

Where a proxy is before the service, it is the proxy that is looked at: name and connection are
all that this machine sees of the way.
"""

from __future__ import annotations

import contextlib
import os
import socket
import ssl
import time
from collections.abc import Iterator
from datetime import UTC, datetime

from gcompute.diagnosis.facts import Route
from gcompute.diagnosis.outcome import Outcome, ok, problem, warning
from gcompute.errors import ServiceUnreachable

#: Days before the end of a certificate from which on it is worth a warning.
_EXPIRY_DAYS = 7.0


def check_dns(route: Route) -> Outcome:
    """Look the name up."""
    try:
        answers = socket.getaddrinfo(route.host, route.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        return problem(
            f"{_place(route)}: {error_text(error)}",
            "Check the name, the DNS server of this machine (/etc/resolv.conf), and that it may "
            "ask for names outside this site; where a proxy is needed, set HTTPS_PROXY.",
            host=route.host,
        )
    addresses = list(dict.fromkeys(str(answer[4][0]) for answer in answers))
    return ok(f"{_place(route)} is {', '.join(addresses)}", host=route.host, addresses=addresses)


def check_tcp(route: Route, patience_s: float) -> Outcome:
    """Connect."""
    try:
        with _connected(route, patience_s) as connection:
            peer = str(connection.getpeername()[0])
    except OSError as error:
        return problem(
            f"{_place(route)} port {route.port}: {error_text(error)}",
            "Check that the service is up at this address, and that a firewall lets this machine "
            "out to it; where a proxy is needed, set HTTPS_PROXY.",
            host=route.host,
            port=route.port,
        )
    return ok(f"{_place(route)} port {route.port} is open", address=peer, port=route.port)


def check_tls(route: Route, patience_s: float) -> Outcome:
    """Shake hands, with the certificates that HTTP requests trust."""
    if not route.tls:
        return ok("not used: the address is http")
    if route.proxied:
        return ok("within the proxy's tunnel, so tried with HTTP")
    import httpx

    from gcompute.http.certificates import trusted

    try:
        context = trusted(httpx.URL(scheme="https", host=route.host))
        with (
            _connected(route, patience_s) as connection,
            context.wrap_socket(connection, server_hostname=route.host) as encrypted,
        ):
            protocol, certificate = encrypted.version(), encrypted.getpeercert() or {}
    except ServiceUnreachable as error:
        return problem(str(error), "Correct what the variable names, or unset it.")
    except ssl.SSLCertVerificationError as error:
        return problem(
            f"{route.host}: certificate not accepted: {error.verify_message}",
            "Where this site inspects TLS, set SSL_CERT_FILE and, for logins, REQUESTS_CA_BUNDLE "
            "to a file with its certificate; otherwise check the address and this machine's "
            "clock.",
            verify_code=error.verify_code,
        )
    except OSError as error:
        return problem(
            f"{route.host}: {error_text(error)}",
            "Something between here and the service breaks encryption, or it speaks none on this "
            "port: check the address, and ask the administrator of this network.",
        )
    return _expiry(f"{route.host} speaks {protocol}", str(certificate.get("notAfter", "")))


def _expiry(found: str, not_after: str) -> Outcome:
    if not not_after:
        return ok(found)
    ends = ssl.cert_time_to_seconds(not_after)
    day = datetime.fromtimestamp(ends, UTC).date().isoformat()
    found = f"{found}, its certificate ends on {day}"
    if ends - time.time() < _EXPIRY_DAYS * 86_400:
        return warning(found, "Tell who runs the service to renew it.", certificate_ends=day)
    return ok(found, certificate_ends=day)


def error_text(error: Exception) -> str:
    """Say what an error of the network is, without numbers and Python's names."""
    if isinstance(error, TimeoutError):
        return "no answer in time, as when a firewall swallows what is sent"
    # OpenSSL's name for it, which Python gives to errors that come from there.
    reason: str | None = getattr(error, "reason", None) if isinstance(error, ssl.SSLError) else None
    if reason:
        return reason.replace("_", " ").lower()
    named = isinstance(error, OSError) and not isinstance(error, socket.gaierror | ssl.SSLError)
    number = getattr(error, "errno", None)
    if named and number:
        return os.strerror(number)  # asyncio has words of its own
    return getattr(error, "strerror", None) or str(error) or type(error).__name__


@contextlib.contextmanager
def _connected(route: Route, patience_s: float) -> Iterator[socket.socket]:
    with socket.create_connection((route.host, route.port), timeout=patience_s) as connection:
        yield connection


def _place(route: Route) -> str:
    return f"proxy {route.host}" if route.proxied else route.host
