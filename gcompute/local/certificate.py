"""The certificate of the embedded broker, which signs itself: made once, kept in the state folder.

`broker.pem` is the certificate, which clients need to know (`SSL_CERT_FILE`), `broker.key` the
private key, which only the service's own user can read. It is for this machine: the names
`localhost`, `127.0.0.1` and `::1`. One that is about to end, or cannot be read, is made anew.
"""

from __future__ import annotations

import ipaddress
import os
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_LIFE = timedelta(days=365)
_LEAST_LEFT = timedelta(days=30)
_NAMES: tuple[x509.GeneralName, ...] = (
    x509.DNSName("localhost"),
    x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    x509.IPAddress(ipaddress.ip_address("::1")),
)


def certificate_file(folder: Path) -> Path:
    """Give the place of the certificate, which is made unless there is a good one."""
    path = folder / "broker.pem"
    if not _is_good(path):
        _make(path)
    return path


def server_context(certificate: Path) -> ssl.SSLContext:
    """Give what a server needs to show a certificate of `certificate_file`."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, certificate.with_suffix(".key"))
    return context


def _is_good(path: Path) -> bool:
    try:
        ends = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
        server_context(path)
    except (OSError, ValueError):
        # Not there, cut short, or of another key: ssl.SSLError is an OSError.
        return False
    return ends - datetime.now(UTC) > _LEAST_LEFT


def _make(path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    _write(
        path.with_suffix(".key"),
        0o600,
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        ),
    )
    _write(path, 0o644, _sign(key).public_bytes(serialization.Encoding.PEM))


def _sign(key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    """Make a certificate that is its own authority, as strict checks (Python 3.13) want it."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "gcompute local broker")])
    now = datetime.now(UTC)
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        crl_sign=False,
        encipher_only=False,
        decipher_only=False,
    )
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        # The clock of a container may be a little behind.
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + _LIFE)
        .add_extension(x509.SubjectAlternativeName(_NAMES), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(usage, critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(key, hashes.SHA256())
    )


def _write(path: Path, mode: int, content: bytes) -> None:
    """Write a file that is never there in half, nor with another mode."""
    new = path.with_name(f"{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
    new.replace(path)
