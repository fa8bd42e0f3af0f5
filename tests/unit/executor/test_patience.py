"""How long a request is tried again, by what went wrong and who has answered before."""

from __future__ import annotations

import pytest

from gcompute.backoff import Backoff
from gcompute.errors import ComputeError, RateLimited, ServiceFailed, ServiceUnreachable
from gcompute.executor.patience import Patience

REFUSED = ServiceUnreachable("connection refused", sent=False)
BROKEN_OFF = ServiceUnreachable("the answer broke off", sent=True)
FAILED = ServiceFailed(http_status=502, message="bad gateway")


def attempts(error: ComputeError, *, service_known: bool) -> int:
    """Count how often a request is sent that fails in the same way, once a second, up to 20."""
    patience = Patience(service_known=service_known, backoff=Backoff(draw=lambda: 0.0))
    for number in range(1, 20):
        if patience.after(error, float(number)) is None:
            return number
    return 20


@pytest.mark.parametrize(
    ("error", "service_known", "expected"),
    [
        (REFUSED, True, 20),
        (REFUSED, False, 1),
        (BROKEN_OFF, True, 20),
        (BROKEN_OFF, False, 4),
        (FAILED, True, 4),
        (FAILED, False, 4),
        (RateLimited(http_status=429, message="slow down"), False, 20),
        (ComputeError("no"), True, 1),
    ],
    ids=lambda value: getattr(value, "message", None) or str(value),
)
def test_how_often_a_request_is_sent(
    error: ComputeError, service_known: bool, expected: int
) -> None:
    """Whoever has answered is waited for; whoever never did gets a few attempts at most."""
    assert attempts(error, service_known=service_known) == expected


def test_even_a_known_service_is_given_up_in_the_end() -> None:
    """After ten minutes."""
    patience = Patience(service_known=True)
    assert patience.after(REFUSED, 0.0) is not None
    assert patience.after(REFUSED, 601.0) is None


def test_waits_grow_and_keep_to_what_the_service_asks_for() -> None:
    """Half a second, doubled each time, up to fifteen; longer where the service says so."""
    patience = Patience(service_known=True, backoff=Backoff(first_s=0.5, limit_s=15.0, draw=_most))
    waits = [patience.after(REFUSED, 0.0) for _ in range(7)]
    assert waits == pytest.approx([0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0])
    slow_down = RateLimited(http_status=429)
    slow_down.retry_after_s = 40.0
    assert patience.after(slow_down, 0.0) == 40.0


def _most() -> float:
    return 1.0
