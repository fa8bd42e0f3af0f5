"""Checks of names, connections and encryption, on loopback."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from gcompute.diagnosis import network
from gcompute.diagnosis.facts import Route
from gcompute.diagnosis.outcome import State
from tests.support.ports import closed_port

_PATIENCE_S = 10.0


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Something that takes connections, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made


def _route(port: int, *, tls: bool = True, proxied: bool = False) -> Route:
    return Route(f"https://127.0.0.1:{port}", "127.0.0.1", port, tls, proxied)


# -- names and connections ----------------------------------------------------------------------


def test_a_name_is_looked_up() -> None:
    """Each address once."""
    outcome = network.check_dns(_route(1))
    assert (outcome.state, outcome.details["addresses"]) == (State.OK, ["127.0.0.1"])


@pytest.mark.parametrize("host", ["two words", "label-" + "x" * 70 + ".example"])
def test_a_name_that_is_none_is_a_problem(host: str) -> None:
    """Known without asking anybody."""
    outcome = network.check_dns(Route(f"https://{host}", host, 443, True))
    assert outcome.state is State.PROBLEM
    assert "DNS" in outcome.next_step


def test_a_name_that_nobody_knows_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer of the system is told, and a proxy is named as one."""

    def unknown(*_args: object, **_more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    outcome = network.check_dns(_route(1, proxied=True))
    assert outcome.found == "proxy 127.0.0.1: Name or service not known"


def test_an_open_port_is_found(listener: socket.socket) -> None:
    """With the address that answered."""
    outcome = network.check_tcp(_route(listener.getsockname()[1]), _PATIENCE_S)
    assert (outcome.state, outcome.details["address"]) == (State.OK, "127.0.0.1")


def test_a_closed_port_is_a_problem() -> None:
    """The port is named, and what may be in the way."""
    with closed_port() as port:
        outcome = network.check_tcp(_route(port), _PATIENCE_S)
    assert outcome.state is State.PROBLEM
    assert outcome.found == f"127.0.0.1 port {port}: Connection refused"
    assert "firewall" in outcome.next_step


# -- encryption ---------------------------------------------------------------------------------


@contextlib.contextmanager
def _tls_server(certificate: Path) -> Iterator[int]:
    """Shake hands with one client; give the port."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            # The client may not trust us, and hangs up.
            with connection, contextlib.suppress(OSError):
                context.wrap_socket(connection, server_side=True).close()

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        thread.join(_PATIENCE_S)


def _certificate(folder: Path, days: float) -> Path:
    """Make a certificate for loopback that signs itself, and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.mark.parametrize(("days", "state"), [(30, State.OK), (2, State.WARNING)])
def test_a_trusted_certificate_is_fine(
    days: float, state: State, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as it is good for more than a week; TLS's version is told."""
    certificate = _certificate(tmp_path, days)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with _tls_server(certificate) as port:
        outcome = network.check_tls(_route(port), _PATIENCE_S)
    assert outcome.state is state
    assert "speaks TLSv1." in outcome.found
    assert outcome.details["certificate_ends"] in outcome.found


def test_a_certificate_of_strangers_is_a_problem(tmp_path: Path) -> None:
    """As a site's that looks into TLS; the next step is how to trust it."""
    with _tls_server(_certificate(tmp_path, 30)) as port:
        outcome = network.check_tls(_route(port), _PATIENCE_S)
    assert outcome.state is State.PROBLEM
    assert "self-signed certificate" in outcome.found
    assert "SSL_CERT_FILE" in outcome.next_step


def test_silence_is_a_problem(listener: socket.socket) -> None:
    """A firewall may let connections through, and nothing over them."""
    outcome = network.check_tls(_route(listener.getsockname()[1]), 0.05)
    assert outcome.state is State.PROBLEM
    assert "no answer in time" in outcome.found


def test_encryption_is_not_tried_where_there_is_none() -> None:
    """For an http address, or behind a proxy, nothing is connected to."""
    for route in (_route(1, tls=False), _route(1, proxied=True)):
        assert network.check_tls(route, _PATIENCE_S).state is State.OK


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version"), "wrong version"),
        (OSError("plain"), "plain"),
        (OSError(), "OSError"),
    ],
)
def test_errors_are_told_in_words(error: OSError, text: str) -> None:
    """Whatever of them there is."""
    assert text in network.error_text(error)
