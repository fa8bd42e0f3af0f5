"""What of a run becomes a curve."""

from __future__ import annotations

from benchmarks.figures import Row
from benchmarks.plot import curves


def test_a_curve_a_column() -> None:
    """Each column is drawn where it was measured, by its summary; without any, it is left out."""
    points = [
        (1, Row("1", "us", {"official": [500.0], "ours": [3.0, 5.0, 4.0]})),
        (10, Row("10", "us", {"ours": [2.0]})),
    ]
    assert curves(points) == {"official": [(1, 500.0)], "ours": [(1, 4.0), (10, 2.0)]}
