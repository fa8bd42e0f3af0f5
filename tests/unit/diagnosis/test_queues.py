"""The ports of the result queues: which are open, and what to do where none is."""

from __future__ import annotations

import socket

import pytest

from gcompute.diagnosis import queues
from gcompute.diagnosis.facts import Facts, Route, Subject
from gcompute.diagnosis.outcome import State
from gcompute.diagnosis.redaction import Redactor
from gcompute.environment import service_url
from tests.support.ports import closed_port


def _facts(url: str) -> Facts:
    return Facts(Redactor(), access={"connection_url": url, "queue_prefix": "p."})


@pytest.mark.parametrize(
    ("service", "host"),
    [
        (service_url("production"), "compute.amqps.globus.org"),
        (service_url("preview"), "compute.amqps.preview.globus.org"),
        (service_url("sandbox"), "compute.amqps.sandbox.globuscs.info"),
        (service_url("local"), None),
        ("https://compute.api.example.org", None),
        ("https://auth.globus.org", None),
    ],
)
def test_hosted_services_have_known_hosts(service: str, host: str | None) -> None:
    """For somebody who is not logged in; others have none."""
    assert queues.known_host(Route(service, "", 443, True).name) == host


def test_an_open_port_is_found() -> None:
    """That of the address, when it is none of the hosted service's."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        facts = _facts(f"amqp://u:canary-pw@127.0.0.1:{port}/%2F")
        outcome = queues.check_ports(Subject(), facts)
    assert outcome.state is State.OK
    assert outcome.details["ports"] == {str(port): "open"}
    assert facts.amqp_port == port
    assert "canary" not in f"{outcome}"


def test_no_open_port_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next step is what to ask of whom, and what works meanwhile; proxies do not help."""
    monkeypatch.delenv("https_proxy", raising=False)
    with closed_port() as port:
        facts = _facts(f"amqp://u:p@127.0.0.1:{port}/")
        outcome = queues.check_ports(Subject(), facts)
        monkeypatch.setenv("https_proxy", "http://proxy.example")
        behind_proxy = queues.check_ports(Subject(), facts)
    assert outcome.state is State.PROBLEM
    assert f"{port} not usable (Connection refused)" in outcome.found
    assert "administrator" in outcome.next_step
    assert "get_batch_result" in outcome.next_step
    assert facts.amqp_port is None
    assert "proxies" in behind_proxy.next_step


def test_silence_under_tls_is_a_problem() -> None:
    """A firewall may let connections through, and nothing over them."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        facts = _facts(f"amqps://u:p@127.0.0.1:{listening.getsockname()[1]}/")
        outcome = queues.check_ports(Subject(timeout_s=0.1), facts)
    assert outcome.state is State.PROBLEM
    assert "no answer in time" in outcome.found


@pytest.mark.parametrize(
    ("url", "order"),
    [
        ("amqps://u:p@127.0.0.1:443/", [443, 5671, 5672]),
        ("amqps://u:p@127.0.0.1/", [5671, 443, 5672]),
        ("amqp://u:p@127.0.0.1/", [5672, 443, 5671]),
    ],
)
def test_the_hosted_ports_are_tried_beside_the_default(
    url: str, order: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An open one helps, even if it is not the default: then the next step names it."""
    tried: list[int] = []

    async def refuse_first(host: str, port: int, tls: bool, patience_s: float) -> str:
        tried.append(port)
        return "refused" if port == order[0] else ""

    monkeypatch.setattr(queues, "_try", refuse_first)
    facts = _facts(url)
    outcome = queues.check_ports(Subject(), facts)
    assert tried == order
    assert outcome.state is State.WARNING
    assert f"amqp_port={order[1]}" in outcome.next_step
    assert facts.amqp_port == order[1]


def test_a_known_host_is_tried_without_a_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """Given by argument, or well known; encrypted."""
    tried: list[tuple[str, bool]] = []

    async def note(host: str, port: int, tls: bool, patience_s: float) -> str:
        tried.append((host, tls))
        return ""

    monkeypatch.setattr(queues, "_try", note)
    service = Route(service_url("production"), "", 443, True)
    assert queues.check_ports(Subject(), Facts(Redactor(), service=service)).state is State.OK
    assert queues.check_ports(Subject(amqp_host="other"), Facts(Redactor())).state is State.OK
    assert tried == [("compute.amqps.globus.org", True)] * 3 + [("other", True)] * 3


def test_an_unknown_host_is_not_tried() -> None:
    """A service elsewhere tells its queues' host to those who are logged in."""
    service = Route("http://127.0.0.1:5", "127.0.0.1", 5, False)
    outcome = queues.check_ports(Subject(), Facts(Redactor(), service=service))
    assert outcome.state is State.SKIPPED


def test_something_else_on_the_port_is_a_problem() -> None:
    """The connection is open, and AMQP does not answer."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        facts = _facts(f"amqp://u:canary-pw@127.0.0.1:{port}/")
        facts.amqp_port = port
        outcome = queues.check_connection(Subject(timeout_s=0.2), facts)
    assert outcome.state is State.PROBLEM
    assert "AMQP does not pass" in outcome.next_step
    assert "canary" not in f"{outcome}"
