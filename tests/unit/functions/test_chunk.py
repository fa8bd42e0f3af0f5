"""Several calls of a function in one task."""

from __future__ import annotations

from gcompute.functions.chunk import run_chunk


def reciprocal(x: float) -> float:
    """Fail for zero."""
    return 1 / x


def test_results_are_in_order() -> None:
    """One a call, with all its arguments."""
    assert run_chunk(pow, [(2, 3), (3, 2)]) == [[8, 9], None]
    assert run_chunk(pow, []) == [[], None]


def test_a_failure_leaves_the_results_before_it() -> None:
    """Its text shows the user's own frames, and the calls behind it are not made."""
    made = []

    def failing(x: float) -> float:
        made.append(x)
        return reciprocal(x)

    results, error = run_chunk(failing, [(1,), (0,), (2,)])
    assert results == [1]
    assert made == [1, 0]
    assert error.startswith("Traceback")
    assert "in reciprocal" in error
    assert error.endswith("ZeroDivisionError: division by zero\n")
    assert "run_chunk" not in error


def test_a_call_that_cannot_be_made_is_such_a_failure() -> None:
    """There are no frames of the user's then."""
    results, error = run_chunk(reciprocal, [(1, 2)])
    assert results == []
    assert "TypeError" in error
