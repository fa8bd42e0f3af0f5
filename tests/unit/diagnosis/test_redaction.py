"""What a report must not show, and what it must still show."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.diagnosis.redaction import CUT, Redactor

HOME = Path("/home/carla.canary")


@pytest.fixture
def redactor() -> Redactor:
    """Give one for somebody called carla."""
    return Redactor(home=HOME, user="carla")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("amqps://me:pa/ss@host:443/vhost", f"amqps://{CUT}@host:443/vhost"),
        ("https://token@host/path", f"https://{CUT}@host/path"),
        ("Authorization: Bearer abc.def-123", f"Authorization: {CUT} {CUT}"),
        ("sent 'basic Y2FuYXJ5OnNlY3JldA=='", f"sent 'basic {CUT}'"),
        ('{"refresh_token": "canary12"}', f'{{"refresh_token": "{CUT}"}}'),
        ("client_secret=canary&grant_type=x", f"client_secret={CUT}&grant_type=x"),
        ("password: canary", f"password: {CUT}"),
        ("GET /v2/web?code=canary12", f"GET /v2/web?code={CUT}"),
        ("eyJhbGciOi.eyJzdWIi.c2lnbmF0dXJl is a token", f"{CUT} is a token"),
        ("got Ag1bCdEfGhIjKlMnOpQrStUvWxYz0123456789 back", f"got {CUT} back"),
    ],
)
def test_what_looks_like_a_secret_is_cut(redactor: Redactor, text: str, shown: str) -> None:
    """Also one that nobody told about: logs and errors have them."""
    assert redactor.text(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "gcompute 0.1.0, CPython 3.11.2 on Linux-6.1.0-x86_64-with-glibc2.36",
        "https://compute.api.globus.org/v2/version?service=all",
        "http://127.0.0.1:5000 and http://localhost:5000",
        "4b116d3c-1703-4f8f-9f6f-39921e5864df",
        "c30a67fbe22902f0a7a78a778f422833223573d2",
        "GLOBUS_COMPUTE_CLIENT_SECRET is set",
        "TokenValidationError in globus_sdk.globus_app.authorizer_factory",
        "the token has expired; tokens can be renewed",
    ],
)
def test_what_helps_stays(redactor: Redactor, text: str) -> None:
    """Versions, addresses, ids, names of variables and errors."""
    assert redactor.text(text) == text


def test_a_known_secret_is_cut_wherever_it_stands(redactor: Redactor) -> None:
    """In the middle of a word as well, and as it stands in a URL."""
    redactor.add("hush hush!", None, "")
    assert redactor.text("xhush hush!x, hush%20hush%21") == f"x{CUT}x, {CUT}"


def test_a_short_secret_does_not_cut_words(redactor: Redactor) -> None:
    """A password of a letter or two would make the report unreadable."""
    redactor.add("is")
    assert redactor.text("this is it") == "this is it"


def test_the_longer_secret_goes_first(redactor: Redactor) -> None:
    """One that begins like another leaves no rest."""
    redactor.add("canary", "canary-and-more")
    assert redactor.text("canary-and-more") == CUT


@given(st.text(min_size=6, max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_no_known_secret_survives(secret: str, before: str, after: str) -> None:
    """Whatever stands around it."""
    redactor = Redactor()
    redactor.add(secret)
    shown = redactor.text(f"{before}{secret}{after}")
    assert secret not in shown.replace(CUT, "\0")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/carla.canary/.globus_compute", "~/.globus_compute"),
        ("'/home/carla.canary'", "'~'"),
        ("/home/carla.canary2/x", "/home/<user>/x"),
        ("/Users/someone/x", "/Users/<user>/x"),
        ("carla (uid 7), not carlas", "<user> (uid 7), not carlas"),
        ("carla.canary@uni.example is logged in", "c***@uni.example is logged in"),
    ],
)
def test_people_stay_unnamed(redactor: Redactor, text: str, shown: str) -> None:
    """The home folder, user names; of an address enough stays for its owner."""
    assert redactor.text(text) == shown


def test_a_common_name_is_no_name() -> None:
    """Cutting out "root" would tell nothing, and hide much."""
    assert Redactor(home=Path("/"), user="root").text("the root of /tmp") == "the root of /tmp"


def test_masked_texts_are_recognized_and_not_read(redactor: Redactor) -> None:
    """As an identity's id."""
    redactor.mask("300c8ae5-17fd", "300c...")
    assert redactor.text("client 300c8ae5-17fd") == "client 300c..."


def test_a_terminal_is_not_told_what_to_do(redactor: Redactor) -> None:
    """Control characters of a log do not reach it; line ends and tabs do."""
    assert redactor.text("\x1b[2Jgone\r\n\tstays\x9b") == "?[2Jgone?\n\tstays?"


def test_values_are_redacted_at_any_depth(redactor: Redactor) -> None:
    """In keys too, by the look of key and text together; numbers stay numbers."""
    redactor.add("canary-secret")
    value = {
        "canary-secret": [1, 2.5, None, True, ("canary-secret", Path("/home/carla.canary"))],
        "client_secret": "short",
        "authorization": "Bearer canary12",
        "has_token": True,
    }
    assert redactor.value(value) == {
        CUT: [1, 2.5, None, True, [CUT, "~"]],
        "client_secret": CUT,
        "authorization": f"Bearer {CUT}",
        "has_token": True,
    }


@pytest.mark.timeout(30)
def test_redacting_takes_time_in_proportion(redactor: Redactor) -> None:
    """A log line that was made to stop a pattern matcher does not: it would take minutes."""
    long = 50_000
    for text in ("a." * long, "://" * long, "://a:" * long, "aA-" * long, "token" * long):
        assert len(redactor.text(text)) > 0
