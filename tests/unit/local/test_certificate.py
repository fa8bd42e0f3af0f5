"""The broker's certificate: made once, for this machine, and good in strict eyes."""

from __future__ import annotations

import ipaddress
import os
import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from gcompute.local import certificate
from gcompute.local.certificate import certificate_file, server_context


def _shake_hands(path: Path, name: str, *, strict: bool = False) -> None:
    """Let a client that knows the certificate meet a server that shows it."""
    context = ssl.create_default_context(cafile=str(path))
    if strict:
        context.verify_flags |= ssl.VERIFY_X509_STRICT
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(to_client, to_server, server_hostname=name)
    server = server_context(path).wrap_bio(to_server, to_client, server_side=True)
    waiting: list[Callable[[], None]] = [client.do_handshake, server.do_handshake]
    while waiting:
        step = waiting.pop(0)
        try:
            step()
        except ssl.SSLWantReadError:
            waiting.append(step)


@pytest.mark.parametrize("name", ["localhost", "127.0.0.1", "::1"])
def test_it_is_for_this_machine(tmp_path: Path, name: str) -> None:
    """By each of its names, and as strictly as Python 3.13 looks."""
    _shake_hands(certificate_file(tmp_path), name, strict=True)


def test_it_is_for_no_other_machine(tmp_path: Path) -> None:
    """A client that asks for another name refuses it."""
    with pytest.raises(ssl.SSLCertVerificationError):
        _shake_hands(certificate_file(tmp_path), "compute.api.globus.org")


def test_it_is_made_once(tmp_path: Path) -> None:
    """Who knows it from before a restart still does."""
    before = certificate_file(tmp_path).read_bytes()
    assert certificate_file(tmp_path).read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["broker.key", "broker.pem"]


def test_its_key_is_the_owners_alone(tmp_path: Path) -> None:
    """Whatever the umask."""
    before = os.umask(0)
    try:
        path = certificate_file(tmp_path)
    finally:
        os.umask(before)
    assert path.with_suffix(".key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("spoil", ["broker.key", "broker.pem"])
def test_one_that_is_spoilt_is_made_anew(tmp_path: Path, spoil: str) -> None:
    """Cut short, or of another key."""
    path = certificate_file(tmp_path)
    before = path.read_bytes()
    (tmp_path / spoil).write_bytes((tmp_path / spoil).read_bytes()[:100])
    assert certificate_file(tmp_path).read_bytes() != before
    _shake_hands(path, "localhost")


def test_one_that_is_about_to_end_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before clients refuse it."""
    with monkeypatch.context() as patched:
        patched.setattr(certificate, "_LIFE", timedelta(days=29))
        path = certificate_file(tmp_path)
    certificate_file(tmp_path)
    ends = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    assert ends - datetime.now(UTC) > timedelta(days=300)


def test_it_names_addresses_as_addresses(tmp_path: Path) -> None:
    """A DNS name of `127.0.0.1` would be refused."""
    parsed = x509.load_pem_x509_certificate(certificate_file(tmp_path).read_bytes())
    names = parsed.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert ipaddress.ip_address("127.0.0.1") in names.get_values_for_type(x509.IPAddress)
