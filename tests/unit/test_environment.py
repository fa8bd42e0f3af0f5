"""What the environment variables say."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from gcompute import environment


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "GLOBUS_SDK_ENVIRONMENT",
        "GLOBUS_COMPUTE_CLIENT_ID",
        "GLOBUS_COMPUTE_CLIENT_SECRET",
        "GLOBUS_COMPUTE_USER_DIR",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("name", "url"),
    [
        (None, "https://compute.api.globus.org"),
        ("production", "https://compute.api.globus.org"),
        ("preview", "https://compute.api.preview.globus.org"),
        ("sandbox", "https://compute.api.sandbox.globuscs.info"),
        ("test", "https://compute.api.test.globuscs.info"),
        ("integration", "https://compute.api.integration.globuscs.info"),
        ("staging", "https://compute.api.staging.globuscs.info"),
        ("local", "http://localhost:5000"),
    ],
)
def test_each_environment_has_its_address(
    name: str | None, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By argument and by variable."""
    assert environment.service_url(name) == url
    monkeypatch.setenv("GLOBUS_SDK_ENVIRONMENT", name or "")
    assert environment.service_url() == url


def test_an_argument_wins_over_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is said explicitly counts."""
    monkeypatch.setenv("GLOBUS_SDK_ENVIRONMENT", "preview")
    assert environment.service_url("production") == "https://compute.api.globus.org"


def test_the_address_itself_may_be_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """As globus_sdk lets it be for each service; asking for an environment wins."""
    monkeypatch.setenv("GLOBUS_SDK_SERVICE_URL_COMPUTE", "http://127.0.0.1:5000")
    assert environment.service_url() == "http://127.0.0.1:5000"
    assert environment.service_url("preview") == "https://compute.api.preview.globus.org"


def test_an_unknown_environment_lists_the_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """And says what to do for a service elsewhere."""
    monkeypatch.setenv("GLOBUS_SDK_ENVIRONMENT", "prodution")
    with pytest.raises(ValueError, match=r"'prodution'.*production.*base_url"):
        environment.service_url()


def test_no_credentials_are_none() -> None:
    """Neither is set."""
    assert environment.client_credentials() == (None, None)


def test_both_credentials_are_given(monkeypatch: pytest.MonkeyPatch) -> None:
    """An application logs in by id and secret."""
    monkeypatch.setenv("GLOBUS_COMPUTE_CLIENT_ID", "id")
    monkeypatch.setenv("GLOBUS_COMPUTE_CLIENT_SECRET", "secret")
    assert environment.client_credentials() == ("id", "secret")


def test_an_id_alone_is_another_native_app(monkeypatch: pytest.MonkeyPatch) -> None:
    """It needs no secret."""
    monkeypatch.setenv("GLOBUS_COMPUTE_CLIENT_ID", "id")
    monkeypatch.setenv("GLOBUS_COMPUTE_CLIENT_SECRET", "")
    assert environment.client_credentials() == ("id", None)


def test_a_secret_alone_is_an_error_that_names_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a login is a mistake, found before anything is sent; the secret stays unsaid."""
    monkeypatch.setenv("GLOBUS_COMPUTE_CLIENT_SECRET", "hush")
    with pytest.raises(ValueError, match="GLOBUS_COMPUTE_CLIENT_ID") as caught:
        environment.client_credentials()
    assert "GLOBUS_COMPUTE_CLIENT_SECRET" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_the_user_folder_is_private(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """It is made with mode 0700, where the variable says, once."""
    folder = tmp_path / "deep" / "down"
    monkeypatch.setenv("GLOBUS_COMPUTE_USER_DIR", str(folder))
    assert environment.user_dir() == environment.user_dir() == folder
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_user_folder_is_in_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where the official package keeps its tokens, so that its logins are found."""
    monkeypatch.setenv("HOME", str(tmp_path))
    assert environment.user_dir() == tmp_path / ".globus_compute"


def test_a_tilde_means_the_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A variable from a job script may hold an unexpanded ``~``."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GLOBUS_COMPUTE_USER_DIR", "~/elsewhere")
    assert environment.user_dir() == tmp_path / "elsewhere"


def test_the_folder_of_local_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the XDG specification says: one that is not absolute does not count."""
    monkeypatch.setenv("HOME", "/home/ada")
    default = Path("/home/ada/.local/state/gcompute/local")
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    assert environment.local_state_dir() == default
    for named in ("", "relative"):
        monkeypatch.setenv("XDG_STATE_HOME", named)
        assert environment.local_state_dir() == default
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert environment.local_state_dir() == Path("/state/gcompute/local")


def test_proxies_in_either_spelling(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those that are set, with the names by which they are."""
    for name in ("http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert environment.proxies() == {}
    monkeypatch.setenv("HTTP_PROXY", "http://proxy")
    monkeypatch.setenv("no_proxy", "here")
    assert environment.proxies() == {"HTTP_PROXY": "http://proxy", "no_proxy": "here"}


def test_the_proxy_of_a_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable that names it, unless another one excepts the host."""
    for name in ("http_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert environment.proxy_for("http", "compute.example.org") is None
    monkeypatch.setenv("ALL_PROXY", "http://proxy")
    assert environment.proxy_for("http", "compute.example.org") == "ALL_PROXY"
    monkeypatch.setenv("http_proxy", "http://proxy")
    assert environment.proxy_for("http", "compute.example.org") == "http_proxy"
    assert environment.proxy_for("https", "compute.example.org") == "ALL_PROXY"
    monkeypatch.setenv("no_proxy", "example.org")
    assert environment.proxy_for("http", "compute.example.org") is None
