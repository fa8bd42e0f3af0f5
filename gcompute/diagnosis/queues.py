"""Checks of the way to the result queues: access to them, the ports, and a whole connection.

Source: ``docs/wire.md#amqp-0-9-1``.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Sequence
from urllib.parse import urlsplit
from urllib.request import getproxies

from gcompute.diagnosis.facts import Facts, Subject
from gcompute.diagnosis.network import error_text
from gcompute.diagnosis.outcome import Outcome, ok, problem, refused, skipped, warning
from gcompute.errors import AuthenticationFailed, ComputeError

#: Ports that the hosted service offers, its default first.
_PORTS = (443, 5671, 5672)
_DEFAULT_PORTS = {"amqp": 5672, "amqps": 5671}


def known_host(service_host: str) -> str | None:
    """Give the well-known host of the result queues of a hosted service.

    ``compute.api.globus.org`` has ``compute.amqps.globus.org``, and so in each environment.
    """
    hosted = service_host.endswith((".globus.org", ".globuscs.info"))
    if not hosted or not service_host.startswith("compute.api."):
        return None
    return service_host.replace("compute.api.", "compute.amqps.", 1)


def check_access(subject: Subject, facts: Facts) -> Outcome:
    """Ask the service for access to the result queues: it accepts the token, or does not."""
    from gcompute.diagnosis.endpoint import client_of

    try:
        with client_of(facts) as client:
            access = client.get_result_amqp_url()
        parts = urlsplit(access["connection_url"])
        port = parts.port
    except (ComputeError, KeyError, ValueError) as error:
        facts.token_refused = isinstance(error, AuthenticationFailed)
        return refused(error)
    facts.redactor.add(parts.password, access["connection_url"])
    facts.access = access
    return ok(
        f"granted, at {parts.hostname} port {port or _DEFAULT_PORTS.get(parts.scheme)}",
        host=parts.hostname,
        port=port,
    )


def check_ports(subject: Subject, facts: Facts) -> Outcome:
    """Try the ports of the result queues: connect, and shake hands where they speak TLS."""
    place = _place(subject, facts)
    if place is None:
        return skipped(
            "only who has access to the result queues learns their host",
            "Solve first: result queue access.",
        )
    host, ports, tls = place
    failures = asyncio.run(_try_all(host, ports, tls, subject.patience_s))
    said = [f"{port} {failures[port] or 'open'}" for port in ports]
    found = f"{host}{' (TLS)' if tls else ''}: {'; '.join(said)}"
    details = {"host": host, "ports": {str(port): failures[port] or "open" for port in ports}}
    usable = [port for port in ports if not failures[port]]
    if not usable:
        return problem(found, _no_port(ports), **details)
    facts.amqp_port = usable[0]
    if usable[0] != ports[0]:
        step = f"Use an open one: gcompute.Executor(..., amqp_port={usable[0]})."
        return warning(found, step, **details)
    return ok(found, **details)


def check_connection(subject: Subject, facts: Facts) -> Outcome:
    """Connect to the result queues as the Executor does, and disconnect; nothing is consumed."""
    import pika
    from pika.adapters.utils.connection_workflow import AMQPConnectorException
    from pika.exceptions import AMQPError, ProbableAccessDeniedError, ProbableAuthenticationError

    parameters = pika.URLParameters(facts.access["connection_url"])
    parameters.port = facts.amqp_port
    parameters.connection_attempts = 1
    parameters.socket_timeout = parameters.stack_timeout = subject.patience_s
    parameters.blocked_connection_timeout = subject.patience_s
    parameters.client_properties = {"connection_name": "gcompute diagnosis"}
    try:
        connection = pika.BlockingConnection(parameters)
        connection.channel()
        connection.close()
    except (ProbableAuthenticationError, ProbableAccessDeniedError) as error:
        return problem(
            f"{type(error).__name__}: the broker refuses the credentials that the service gave",
            "Try again in a minute; if it stays, tell the support of Globus.",
        )
    except (AMQPError, AMQPConnectorException, OSError) as error:
        return problem(
            f"{type(error).__name__}: {error}",
            "The port is open, but AMQP does not pass: a firewall may inspect what it lets "
            "through. Ask the administrator of this network to let AMQP over TLS pass.",
        )
    return ok(f"opened on port {facts.amqp_port}, and closed", port=facts.amqp_port)


def _place(subject: Subject, facts: Facts) -> tuple[str, tuple[int, ...], bool] | None:
    """Give the host, the ports to try with the default first, and whether they speak TLS."""
    if facts.access:
        parts = urlsplit(facts.access["connection_url"])
        port = parts.port or _DEFAULT_PORTS.get(parts.scheme, _PORTS[0])
        others = [other for other in _PORTS if other != port] if port in _PORTS else []
        return parts.hostname or "", (port, *others), parts.scheme == "amqps"
    host = subject.amqp_host
    if host is None and facts.service is not None:
        host = known_host(facts.service.name)
    return None if host is None else (host, _PORTS, True)


async def _try_all(host: str, ports: Sequence[int], tls: bool, patience_s: float) -> dict[int, str]:
    """Try ports at once; give the failure of each, empty for an open one."""
    failures = await asyncio.gather(*(_try(host, port, tls, patience_s) for port in ports))
    return dict(zip(ports, failures, strict=True))


async def _try(host: str, port: int, tls: bool, patience_s: float) -> str:
    context = ssl.create_default_context() if tls else None  # as pika makes it
    try:
        async with asyncio.timeout(patience_s):
            _, writer = await asyncio.open_connection(host, port, ssl=context)
    except (OSError, UnicodeError) as error:
        return f"not usable ({error_text(error)})"
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
    return ""


def _no_port(ports: Sequence[int]) -> str:
    numbers = ", ".join(map(str, sorted(ports)))
    step = (
        f"Ask the administrator of this network to let this machine out to TCP port {numbers} of "
        "that host; one is enough."
    )
    if getproxies():
        step += " The proxies of the environment do not help: AMQP does not use them."
    return f"{step} Until then, gcompute.Client.get_result and get_batch_result need only HTTP."
