"""Which variables point programs at a local service."""

from __future__ import annotations

from pathlib import Path

import pytest

from gcompute.local.command.exports import exports

ACCESS = {"client_id": "id", "client_secret": "secret", "token": "token", "id": "user"}
OFFICIAL, OTHER = "http://127.0.0.1:5000", "http://127.0.0.1:4711"


def about_proxies(url: str, **proxies: str) -> dict[str, str]:
    """Give the variables about proxies."""
    variables = exports(url, ACCESS, "endpoint", Path("/user"), proxies)
    return {name: value for name, value in variables.items() if "proxy" in name.lower()}


def test_everybody_is_pointed_at_the_service() -> None:
    """Its address, its logins, and a folder of their own for what they keep."""
    assert exports(OFFICIAL, ACCESS, "endpoint", Path("/user"), {}) == {
        "GLOBUS_SDK_ENVIRONMENT": "local",
        "GLOBUS_SDK_SERVICE_URL_AUTH": f"{OFFICIAL}/",
        "GLOBUS_SDK_SERVICE_URL_COMPUTE": OFFICIAL,
        "GLOBUS_COMPUTE_CLIENT_ID": "id",
        "GLOBUS_COMPUTE_CLIENT_SECRET": "secret",
        "GLOBUS_COMPUTE_USER_DIR": "/user",
        "GCOMPUTE_LOCAL_TOKEN": "token",
        "GCOMPUTE_LOCAL_ENDPOINT": "endpoint",
    }


def test_a_service_without_an_endpoint() -> None:
    """Names none."""
    assert "GCOMPUTE_LOCAL_ENDPOINT" not in exports(OFFICIAL, ACCESS, None, Path("/user"), {})


def test_a_broker_with_tls() -> None:
    """Its certificate is named, and nothing where it has none."""
    with_tls = exports(OFFICIAL, ACCESS, None, Path("/user"), {}, "/state/broker.pem")
    without = exports(OFFICIAL, ACCESS, None, Path("/user"), {})
    assert with_tls == without | {"SSL_CERT_FILE": "/state/broker.pem"}


@pytest.mark.parametrize("name", ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"])
def test_a_site_with_a_proxy(name: str) -> None:
    """Requests to this machine go past it, and others as before."""
    here = "localhost,127.0.0.1"
    assert about_proxies(OFFICIAL, **{name: "http://proxy"}) == {"no_proxy": here, "NO_PROXY": here}
    kept = about_proxies(OFFICIAL, **{name: "http://proxy", "NO_PROXY": ".site, localhost"})
    assert kept["no_proxy"] == ".site,localhost,127.0.0.1"


def test_a_site_without_a_proxy() -> None:
    """Needs nothing."""
    assert about_proxies(OFFICIAL, no_proxy="x") == {}


def test_another_port() -> None:
    """The service is the proxy for the address that the official SDK knows."""
    assert about_proxies(OTHER) == {"http_proxy": OTHER}
    assert about_proxies(OTHER, HTTP_PROXY="http://proxy") == {"http_proxy": OTHER}


@pytest.mark.parametrize(
    ("listed", "kept"),
    [
        ("localhost,127.0.0.1", ""),
        ("*", ""),
        (".site, localhost:5000 ,other", ".site,other"),
        (".site", ".site"),
    ],
)
def test_another_port_where_this_machine_needs_no_proxy(listed: str, kept: str) -> None:
    """It needs one now: in both spellings, as an empty one in small letters counts as none."""
    expected = {"http_proxy": OTHER, "no_proxy": kept, "NO_PROXY": kept}
    assert about_proxies(OTHER, NO_PROXY=listed) == expected
    assert about_proxies(OTHER, no_proxy=listed, NO_PROXY="other") == expected
