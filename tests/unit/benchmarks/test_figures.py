"""Medians, percentiles, ratios and targets of a run."""

from __future__ import annotations

import pytest

from benchmarks.figures import Row, Target, percentile


@pytest.mark.parametrize(
    ("percent", "expected"), [(0, 10.0), (50, 25.0), (75, 32.5), (99, 39.7), (100, 40.0)]
)
def test_percentile_between_values(percent: float, expected: float) -> None:
    """A percentile between two values is taken in proportion, whatever their order."""
    assert percentile([40.0, 10.0, 30.0, 20.0], percent) == pytest.approx(expected)


def test_percentile_of_one_value() -> None:
    """Of one value, every percentile is that value."""
    assert percentile([7.0], 99) == 7.0


@pytest.mark.parametrize(("values", "percent"), [([], 50), ([1.0], 101), ([1.0], -1)])
def test_percentile_of_nothing(values: list[float], percent: float) -> None:
    """No values, or a percentile out of range, is an error."""
    with pytest.raises(ValueError, match="no percentile"):
        percentile(values, percent)


def test_ratio_of_medians() -> None:
    """The ratio is ours by the official's, of their medians: outliers do not move it."""
    row = Row("x", "ms", {"official": [9, 10, 900], "ours": [1, 1, 100]})
    assert row.value("official") == 10
    assert row.ratio("official") == pytest.approx(0.1)


def test_ratio_follows_the_summary() -> None:
    """A row of 99th percentiles compares these."""
    row = Row("x", "ms", {"official": [1.0] * 9 + [101.0], "ours": [2.0] * 10}, summary="p99")
    assert row.value("official") == pytest.approx(92.0)
    assert row.ratio("official") == pytest.approx(2 / 92)


def test_sum_of_medians() -> None:
    """Parts that were summarized already are added."""
    row = Row("x", "ms", {"floor": [1.5, 0.25]}, summary="sum of medians")
    assert row.value("floor") == 1.75


@pytest.mark.parametrize(("ours", "met"), [(5.9, True), (6.0, True), (6.1, False)])
def test_target(ours: float, met: bool) -> None:
    """A target is reached by a ratio of at most its value."""
    row = Row("x", "ms", {"official": [10.0], "ours": [ours]}, target=0.6)
    assert [row.meets(target) for target in row.targets] == [met]


@pytest.mark.parametrize(("ours", "met"), [(1.9, True), (2.0, True), (2.1, False)])
def test_limit(ours: float, met: bool) -> None:
    """A limit is kept by ours alone: neither a worse official nor its absence helps."""
    (limit,) = Row("x", "MiB", {}, limit=2).targets
    assert Row("x", "MiB", {"official": [10.0], "ours": [ours]}, limit=2).meets(limit) is met
    assert Row("x", "MiB", {"ours": [ours]}, limit=2).meets(limit) is met
    assert Row("x", "MiB", {"official": [1.0]}, limit=2).meets(limit) is None


@pytest.mark.parametrize("values", [{"ours": [1.0]}, {"official": [0.0], "ours": [1.0]}, {}])
def test_nothing_to_compare(values: dict[str, list[float]]) -> None:
    """Without a number of both sides there is no ratio, and a target is neither met nor missed."""
    row = Row("x", "ms", {c: values[c] for c in ("official", "ours") if c in values}, target=0.6)
    assert row.ratio("official") is None
    assert [row.meets(target) for target in row.targets] == [None]


@pytest.mark.parametrize(("ours", "met"), [(3.9, True), (4.1, False)])
def test_target_of_the_floor(ours: float, met: bool) -> None:
    """What is asked of ours may be in relation to the floor, whatever the official's is."""
    at_most = Target(4, of="floor")
    row = Row("x", "ms", {"official": [1.0], "ours": [ours], "floor": [1.0]}, further=[at_most])
    assert row.ratio("floor") == pytest.approx(ours)
    assert row.meets(at_most) is met


@pytest.mark.parametrize(("ours", "met"), [(89.0, False), (90.0, True), (120.0, True)])
def test_target_at_least(ours: float, met: bool) -> None:
    """Of a rate, more is better: the bound is the least."""
    at_least = Target(0.9, of="floor", least=True)
    row = Row("x", "tasks/s", {"ours": [ours], "floor": [100.0]}, further=[at_least])
    assert row.meets(at_least) is met


def test_all_targets_of_a_row() -> None:
    """A row may have a target of each kind."""
    further = Target(4, of="floor")
    row = Row("x", "ms", {}, target=0.5, limit=3, further=[further])
    assert row.targets == (Target(0.5, of="official"), Target(3, of=None), further)


def test_json_keeps_every_repetition() -> None:
    """The raw numbers are written beside what is said of them."""
    row = Row("x", "ms", {"official": [4.0, 2.0, 3.0], "ours": [1.5]}, target=0.6)
    assert row.to_json() == {
        "measure": "x",
        "unit": "ms",
        "summary": "median",
        "values": {"official": [4.0, 2.0, 3.0], "ours": [1.5]},
        "official": 3.0,
        "ours": 1.5,
        "ours/official": 0.5,
        "ours/floor": None,
        "targets": [{"bound": 0.6, "of": "official", "least": False, "met": True}],
    }
