"""Which requests are repeated: never one that may run a task twice."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.errors import (
    AuthenticationFailed,
    ComputeAPIError,
    ComputeError,
    NotFound,
    PayloadTooLarge,
    PermissionDenied,
    RateLimited,
    RequestInvalid,
    ServiceFailed,
    ServiceUnreachable,
)
from gcompute.retries import Retries


def _limited(retry_after_s: float | None = None) -> RateLimited:
    error = RateLimited(http_status=429)
    error.retry_after_s = retry_after_s
    return error


def _failed(retry_after_s: float | None = None, status: int = 503) -> ServiceFailed:
    error = ServiceFailed(http_status=status)
    error.retry_after_s = retry_after_s
    return error


REFUSED = ServiceUnreachable("connection refused", sent=False)
BROKEN_OFF = ServiceUnreachable("broke off", sent=True)

ERRORS: list[ComputeError] = [
    REFUSED,
    BROKEN_OFF,
    _limited(),
    _limited(3.0),
    _limited(1000.0),
    _failed(),
    _failed(7.0),
    _failed(status=500),
    NotFound(http_status=404),
    RequestInvalid(http_status=422),
    PermissionDenied(http_status=403),
    PayloadTooLarge(http_status=413),
    AuthenticationFailed(http_status=401),
    ComputeAPIError(http_status=302),
    ComputeError("anything else"),
]


def _waits(error: ComputeError, *, repeatable: bool) -> list[float]:
    """The waits before each repetition of a request that always fails in the same way."""
    retries = Retries(repeatable=repeatable, draw=lambda: 1.0)
    waits = itertools.takewhile(
        lambda wait_s: wait_s is not None, (retries.after(error) for _ in range(50))
    )
    return [wait_s for wait_s in waits if wait_s is not None]


@pytest.mark.parametrize(
    ("error", "reads", "changes"),
    [
        (REFUSED, 2, 2),
        (BROKEN_OFF, 4, 0),
        (_failed(), 4, 0),
        (_failed(1.0), 4, 0),
        (_failed(status=500), 4, 0),
        (_limited(), 4, 4),
        (_limited(1.0), 4, 4),
        (_limited(120.0), 4, 4),
        (_limited(120.5), 0, 0),
        (NotFound(http_status=404), 0, 0),
        (RequestInvalid(http_status=422), 0, 0),
        (PermissionDenied(http_status=403), 0, 0),
        (PayloadTooLarge(http_status=413), 0, 0),
        (AuthenticationFailed(http_status=401), 0, 0),
        (ComputeAPIError(http_status=409), 0, 0),
        (ComputeError("anything else"), 0, 0),
    ],
    ids=lambda value: f"{value!r:.40}" if isinstance(value, Exception) else None,
)
def test_how_often_a_request_is_repeated(error: ComputeError, reads: int, changes: int) -> None:
    """Reads whatever happened on the way; changes only where the service surely took nothing."""
    assert len(_waits(error, repeatable=True)) == reads
    assert len(_waits(error, repeatable=False)) == changes


def test_waits_grow_up_to_a_limit() -> None:
    """Twice as long each time, with the longest draw."""
    assert _waits(_failed(), repeatable=True) == [0.25, 0.5, 1.0, 2.0]


@pytest.mark.parametrize("error", [_limited(30.0), _failed(30.0)], ids=["429", "503"])
def test_the_service_says_how_long_to_wait(error: ComputeError) -> None:
    """``Retry-After`` is the least that is waited."""
    assert _waits(error, repeatable=True) == [30.0] * 4


@given(
    errors=st.lists(st.sampled_from(ERRORS), max_size=30),
    repeatable=st.booleans(),
    draws=st.lists(st.floats(0, 1, exclude_max=True), min_size=1),
)
def test_whatever_happens_an_end_comes(
    errors: list[ComputeError], repeatable: bool, draws: list[float]
) -> None:
    """Any mixture of failures: few repetitions, bounded waits, and no dangerous one."""
    source = itertools.cycle(draws)
    retries = Retries(repeatable=repeatable, draw=lambda: next(source))
    repeats = 0
    for error in errors:
        wait_s = retries.after(error)
        if wait_s is None:
            break
        repeats += 1
        assert 0 <= wait_s <= 120.0
        assert wait_s >= (getattr(error, "retry_after_s", None) or 0.0)
        if not repeatable:
            assert error is REFUSED or isinstance(error, RateLimited)
    assert repeats <= 4
