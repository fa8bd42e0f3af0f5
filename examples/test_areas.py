"""Tests of a program that uses Globus Compute, run with `pytest examples/test_areas.py`.

The fixtures come with gcompute: the tests need no account, no network and no set-up.
"""

from __future__ import annotations

import pytest

from gcompute import Client, Executor, TaskExecutionFailed
from gcompute.local import LocalService


def total_area(executor: Executor, radii: list[float]) -> float:
    """Add up areas of circles: the program that is tested."""

    def area(radius: float) -> float:
        import math

        if radius < 0:
            raise ValueError(f"a circle has no radius of {radius}")
        return math.pi * radius**2

    return sum(executor.map(area, radii))


def test_areas_are_added_up(compute_executor: Executor) -> None:
    """The functions run in worker processes of a real endpoint."""
    assert total_area(compute_executor, [1, 2]) == pytest.approx(15.708, abs=0.001)


def test_an_impossible_circle(compute_executor: Executor) -> None:
    """What a function raises at the endpoint arrives here."""
    with pytest.raises(TaskExecutionFailed, match="no radius of -1"):
        total_area(compute_executor, [1, -1])


@pytest.mark.gcompute(engine="concurrent.futures:ThreadPoolExecutor", workers=4)
def test_areas_on_another_engine(compute_executor: Executor) -> None:
    """The marker chooses what the endpoint runs on; tests that choose the same share it."""
    assert total_area(compute_executor, []) == 0


def test_the_endpoint_is_there(compute_client: Client, compute_service: LocalService) -> None:
    """Below the executor there is the client, and the service itself."""
    status = compute_client.get_endpoint_status(compute_service.endpoint_id)
    assert status["status"] == "online"
