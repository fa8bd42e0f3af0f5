"""A local service whose broker speaks TLS: who knows its certificate connects, others do not."""

from __future__ import annotations

import os
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pika
import pytest
from pika.exceptions import AMQPConnectionError

from gcompute.local import LocalService, LocalServiceFailed
from tests.support.official import official_environment, official_python
from tests.support.official_agent import running_agent


@pytest.fixture(scope="module")
def secured() -> Iterator[LocalService]:
    """A service with TLS and one worker."""
    with LocalService(workers=1, tls=True) as running:
        yield running


@pytest.fixture
def trusting(secured: LocalService, monkeypatch: pytest.MonkeyPatch) -> LocalService:
    """The same in a process that knows its certificate."""
    for name, value in secured.environment().items():
        monkeypatch.setenv(name, value)
    return secured


def _double(number: int) -> int:
    return 2 * number


def test_tasks_and_results_travel_over_tls(trusting: LocalService) -> None:
    """Agent and executor both connect by `amqps`."""
    with trusting.client() as client:
        url = client.get_result_amqp_url()["connection_url"]
    assert urlsplit(url).scheme == "amqps"
    with trusting.executor() as executor:
        assert [executor.submit(_double, n).result(60) for n in range(3)] == [0, 2, 4]


def test_who_does_not_know_the_certificate_is_told(
    secured: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An executor that could never connect is not made."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    with pytest.raises(LocalServiceFailed, match=r"service\.environment\(\)"):
        secured.executor()


def test_the_certificate_is_what_clients_check(
    trusting: LocalService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With it pika connects, without it pika refuses, and without TLS there is no answer."""
    with trusting.client() as client:
        url = client.get_result_amqp_url()["connection_url"]
    pika.BlockingConnection(pika.URLParameters(url)).close()
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)
    with pytest.raises(ssl.SSLCertVerificationError):
        pika.BlockingConnection(pika.URLParameters(url))
    plain = pika.URLParameters(url.replace("amqps://", "amqp://"))
    plain.socket_timeout = plain.stack_timeout = 5
    with pytest.raises(AMQPConnectionError):
        pika.BlockingConnection(plain)


#: Runs two tasks on the endpoint that it is given, by the official SDK.
_OFFICIAL_SCRIPT = """
import sys
from globus_compute_sdk import Executor
with Executor(endpoint_id=sys.argv[1]) as executor:
    print([executor.submit(pow, 2, n).result(60) for n in (3, 4)])
"""


def test_official_programs_work_over_tls(secured: LocalService, tmp_path: Path) -> None:
    """SDK and agent, unchanged, need nothing but the environment."""
    with running_agent(secured, "threads", tmp_path) as endpoint_id:
        done = subprocess.run(
            [official_python(), "-c", _OFFICIAL_SCRIPT, endpoint_id],
            env=official_environment(secured, tmp_path),
            capture_output=True,
            text=True,
            timeout=120,
        )
    assert done.stdout.splitlines()[-1:] == ["[8, 16]"], done.stderr


def test_nothing_about_refused_clients_is_an_error_in_the_log(secured: LocalService) -> None:
    """Who breaks off a handshake has his reasons."""
    log = (secured.state_dir / "service.log").read_text()
    assert "Traceback" not in log
    assert "ERROR" not in log


def test_the_certificate_outlives_a_restart(tmp_path: Path) -> None:
    """Clients that know it go on with the service that comes back."""
    found = []
    for _ in range(2):
        with LocalService(workers=0, tls=True, state_dir=tmp_path) as running:
            found.append(Path(running.environment()["SSL_CERT_FILE"]).read_bytes())
    assert found[0] == found[1]


def test_tls_is_for_the_embedded_broker() -> None:
    """A RabbitMQ has it where its URL says so."""
    with pytest.raises(ValueError, match="amqps://"):
        LocalService(tls=True, broker="amqp://guest:guest@localhost:5672/")
