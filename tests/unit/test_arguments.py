"""Arguments with an unknown name."""

from __future__ import annotations

from typing import Any

import pytest

from gcompute import Client, ComputeClientV3, Executor
from gcompute.arguments import unknown_argument


@pytest.mark.parametrize(
    ("called", "name", "meant"),
    [
        (Client, "enviroment", "environment"),
        (Client, "authoriser", "authorizer"),
        (Executor, "endpointid", "endpoint_id"),
        (ComputeClientV3, "baseurl", "base_url"),
    ],
)
def test_a_slip_is_told_what_was_meant(called: Any, name: str, meant: str) -> None:
    """By the names that the signature has."""
    expected = f"{called.__name__} does not know the argument {name!r} (did you mean {meant!r}?)"
    assert unknown_argument(called, name) == expected


@pytest.mark.parametrize("name", ["http_timeout", "unknown"])
def test_nothing_is_guessed_where_nothing_is_near(name: str) -> None:
    """Nor is the name of the catch-all argument."""
    assert unknown_argument(Client, name) == f"Client does not know the argument {name!r}"


def test_clients_say_so() -> None:
    """They go on, as the official ones do."""
    for make in (Client, ComputeClientV3):
        with pytest.warns(UserWarning, match=r"did you mean 'base_url'\?\); it is ignored"):
            make(baseurl="http://127.0.0.1:1")
