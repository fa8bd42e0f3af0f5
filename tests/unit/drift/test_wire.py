"""What a newer SDK says otherwise is named once, with the first scenario that shows it."""

from pathlib import Path
from typing import Any

from tools.drift.findings import Part
from tools.drift.newest import NewestUnavailable
from tools.drift.wire import Recorded, compare_scenarios, compare_wire
from tools.recording.cassette_format import dump


def recorded(body: dict[str, Any], python: str = "3.11.7") -> Recorded:
    """Make a recording of one request."""
    request = {
        "method": "POST",
        "uri": "https://compute.example.org/v3/functions",
        "headers": {},
        "json": body,
    }
    head = {"client": f"globus-compute-sdk 4.19.0, Python {python}"}
    return Recorded({"head": head, "interactions": [{"request": request}]}, [])


def compared(before: dict[str, Recorded], now: dict[str, Recorded]) -> Part:
    """Compare recordings."""
    part = Part("wire", "", "")
    compare_scenarios(part, before, now)
    return part


def test_the_same() -> None:
    """Nothing differs, and how much was compared is told."""
    part = compared({"client/a": recorded({"x": 1})}, {"client/a": recorded({"x": 1})})
    assert part.differences == []
    assert part.compared == ["3 facts of 1 scenarios"]


def test_what_is_said_otherwise() -> None:
    """A field more, less, and of another value; told once for all scenarios."""
    before = {name: recorded({"x": 1, "y": 1}) for name in ("client/a", "client/b")}
    now = {name: recorded({"x": 2, "z": 1}) for name in ("client/a", "client/b")}
    assert [str(each) for each in compared(before, now).differences] == [
        "POST /v3/functions: body.x = 1: is said no more (client/a)",
        "POST /v3/functions: body.x = 2: is new (client/a)",
        "POST /v3/functions: body.y = 1: is said no more (client/a)",
        "POST /v3/functions: body.z = 1: is new (client/a)",
    ]


def test_long_lines_are_cut() -> None:
    """A function's meaning fills no report."""
    part = compared({"a": recorded({"x": "1"})}, {"a": recorded({"x": "2" * 5000})})
    assert max(len(each.what) for each in part.differences) < 300


def test_scenarios_that_are_missing() -> None:
    """One that the newest SDK cannot play, and one without a recording."""
    part = compared({"client/a": recorded({})}, {"client/b": recorded({})})
    assert [each.what for each in part.differences] == [
        "client/a: cannot be recorded any more",
        "client/b: is a scenario without a recording",
    ]


def test_another_python() -> None:
    """Bytecode of two versions cannot be compared; it is told, and is no difference."""
    part = compared({"a": recorded({})}, {"a": recorded({}, python="3.12.1")})
    assert part.differences == []
    (line,) = part.not_compared
    assert line.startswith("a: recorded with Python 3.11, and now with 3.12")


def test_without_the_newest(tmp_path: Path) -> None:
    """Where it cannot be installed, nothing is compared, and it says why."""

    def newest() -> str:
        raise NewestUnavailable("pip cannot install it")

    (tmp_path / "client").mkdir()
    written = dump({"head": {}, "interactions": []})
    (tmp_path / "client" / "a.yaml").write_text(written, "utf-8")
    part = compare_wire(tmp_path, newest)
    assert (part.differences, part.not_compared) == ([], ["pip cannot install it"])
