"""A report as text, JSON and object."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from gcompute import __version__
from gcompute.diagnosis import Check, Report, State

NOON = datetime(2030, 1, 2, 12, 0, tzinfo=UTC)

FINE = Check("versions", State.OK, "all good\nand more", "", {"python": "3.11.2"}, 0.0123)
OLD = Check("clock", State.WARNING, "40 s behind", "Set it.", {}, 0.0)
BROKEN = Check("service TCP", State.PROBLEM, "refused", "Check it.", {"port": 1}, 1.5)
LEFT_OUT = Check("service TLS", State.SKIPPED, "not tried", "Solve first: service TCP.", {}, 0.0)


def test_text_is_plain() -> None:
    """A line a check, details indented, next steps marked; no colours, no line ends to come."""
    assert str(Report([FINE, OLD, BROKEN, LEFT_OUT], NOON)) == (
        f"gcompute {__version__}, diagnosis of 2030-01-02 12:00:00 UTC: 1 problem, 1 warning\n"
        "\n"
        "ok       versions: all good (12 ms)\n"
        "    and more\n"
        "warning  clock: 40 s behind\n"
        "    -> Set it.\n"
        "problem  service TCP: refused (1500 ms)\n"
        "    -> Check it.\n"
        "skipped  service TLS: not tried\n"
        "    -> Solve first: service TCP."
    )


def test_a_terminal_has_colours() -> None:
    """Around the states, and nothing else."""
    text = Report([FINE, BROKEN], NOON).text(colour=True)
    assert "\x1b[32mok      \x1b[0m versions" in text
    assert "\x1b[31;1mproblem \x1b[0m service TCP" in text
    assert text.count("\x1b") == 4


@pytest.mark.parametrize(
    ("checks", "summary"),
    [
        ([FINE, LEFT_OUT], "no problems"),
        ([OLD, OLD], "2 warnings"),
        ([BROKEN, BROKEN, OLD], "2 problems, 1 warning"),
    ],
)
def test_the_first_line_sums_up(checks: list[Check], summary: str) -> None:
    """Whoever reads only that knows."""
    assert str(Report(checks, NOON)).splitlines()[0].endswith(f": {summary}")


def test_programs_ask_the_object() -> None:
    """For problems, warnings, and a check by its name."""
    report = Report([FINE, OLD, BROKEN], NOON)
    assert report.problems == [BROKEN]
    assert report.warnings == [OLD]
    assert not report.ok
    assert Report([FINE, OLD], NOON).ok
    assert report["clock"] is OLD
    with pytest.raises(KeyError, match="nothing"):
        report["nothing"]


def test_json_has_it_all() -> None:
    """Names, states, what was found, and how long it took."""
    document = json.loads(Report([FINE, BROKEN], NOON).to_json())
    assert document["made_at"] == "2030-01-02T12:00:00+00:00"
    assert document["gcompute"] == __version__
    assert (document["ok"], document["problems"]) == (False, ["service TCP"])
    assert document["warnings"] == []
    assert document["checks"][0] == {
        "name": "versions",
        "state": "ok",
        "found": "all good\nand more",
        "next_step": "",
        "details": {"python": "3.11.2"},
        "seconds": 0.0123,
    }
