"""Every strategy, over every kind of object, between the two packages in every direction."""

from __future__ import annotations

import pytest

from .catalogue import CODE, DATA, ROWS, Sample
from .exchange import DIRECTIONS, OFFICIAL, OURS, Exchange
from .table import PAGE, measure, page_with, render


@pytest.fixture(scope="module")
def outcomes(between: Exchange) -> dict[tuple[str, Sample], dict[tuple[str, str], str]]:
    """What becomes of each sample by each strategy in each direction."""
    return {
        (strategy, sample): dict(zip(DIRECTIONS, row, strict=True))
        for strategy, sample, row in measure(between)
    }


@pytest.mark.parametrize(("strategy", "sample"), ROWS, ids=lambda v: getattr(v, "name", v))
def test_what_the_official_package_can_we_can(
    outcomes: dict[tuple[str, Sample], dict[tuple[str, str], str]],
    strategy: str,
    sample: Sample,
) -> None:
    """Whatever arrives among its own arrives from us to it, from it to us, and among ours."""
    found = outcomes[strategy, sample]
    if found[OFFICIAL, OFFICIAL] == "yes":
        assert set(found.values()) == {"yes"}
    # What we write is usable wherever it is loaded, or nowhere.
    assert found[OURS, OFFICIAL] == found[OURS, OURS]
    assert found[OURS, OURS] == "yes" or found[OFFICIAL, OFFICIAL] != "yes"


def test_the_defaults_send_all_but_what_no_pickle_can(
    outcomes: dict[tuple[str, Sample], dict[tuple[str, str], str]],
) -> None:
    """Between ours and an official worker, both ways, only these fail by the defaults."""
    failing = {
        sample.name
        for samples, strategy in ((CODE, "DillCode"), (DATA, "DillDataBase64"))
        for sample in samples
        if outcomes[strategy, sample][OURS, OFFICIAL] != "yes"
    }
    assert failing == {"uses_import_of_script", "calls_itself", "generator"}


def test_the_documented_table_is_what_is_measured(between: Exchange) -> None:
    """docs/serialization.md is what ``python -m tests.interop.table`` would write."""
    assert PAGE.read_text("utf-8") == page_with(render(measure(between)))
