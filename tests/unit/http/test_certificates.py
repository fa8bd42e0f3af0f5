"""What requests trust, and how often that is read."""

from __future__ import annotations

import ssl
from pathlib import Path

import certifi
import httpx
import pytest

from gcompute import http
from gcompute.errors import ServiceUnreachable
from gcompute.http.certificates import trusted
from tests.unit.http.asking import ASK
from tests.unit.http.test_service import LOGIN

URL = httpx.URL("https://compute.example.org")
VARIABLES = ("SSL_CERT_FILE", "GLOBUS_SDK_VERIFY_SSL", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


@pytest.fixture(autouse=True)
def _nothing_is_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test says what is."""
    for name in (*VARIABLES, "SSL_CERT_DIR", "http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def one_authority(tmp_path: Path) -> Path:
    """The first certificate of the usual file, in a file of its own."""
    end = "-----END CERTIFICATE-----"
    first, *_ = Path(certifi.where()).read_text().partition(end)
    path = tmp_path / "site.pem"
    path.write_text(first + end + "\n")
    return path


def test_the_usual_authorities_are_read_once() -> None:
    """For all clients of a process: that takes longer than a request does."""
    context = trusted(URL)
    assert trusted(httpx.URL("https://elsewhere.example.org")) is context
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert len(context.get_ca_certs()) > 50


@pytest.mark.parametrize("variable", VARIABLES)
def test_a_file_that_a_variable_names_is_trusted(
    variable: str, one_authority: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also those of the official SDK, which sends by ``requests``; and as they are now."""
    usual = trusted(URL)
    monkeypatch.setenv(variable, str(one_authority))
    assert len(trusted(URL).get_ca_certs()) == 1
    monkeypatch.delenv(variable)
    assert trusted(URL) is usual


@pytest.mark.parametrize("word", ["True", "0", "off"])
def test_yes_and_no_name_no_file(word: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which is what ``globus_sdk`` takes beside a file; to trust everybody is not on offer."""
    usual = trusted(URL)
    monkeypatch.setenv("GLOBUS_SDK_VERIFY_SSL", word)
    assert trusted(URL) is usual


def test_a_folder_may_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its certificates are looked up when they are needed."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(tmp_path))
    assert trusted(URL).get_ca_certs() == []


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_file_that_is_not_there_is_named(
    variable: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the variable, and nothing was sent."""
    missing = tmp_path / "missing.pem"
    monkeypatch.setenv(variable, str(missing))
    api = http.ServiceAPI("https://user:hidden@compute.example.org", LOGIN)
    with pytest.raises(ServiceUnreachable, match=f"{variable} names .*{missing}") as caught:
        api.call(ASK)
    assert not caught.value.sent
    assert "hidden" not in str(caught.value) + caught.value.url


def test_a_service_without_tls_reads_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Unless a proxy is on the way, which may speak TLS; and then nobody is believed blindly."""
    plain = httpx.URL("http://localhost:5000")
    context = trusted(plain)
    assert context.get_ca_certs() == []
    assert context.verify_mode is ssl.CERT_REQUIRED
    monkeypatch.setenv("HTTP_PROXY", "https://proxy.example.org")
    assert trusted(plain) is trusted(URL)
