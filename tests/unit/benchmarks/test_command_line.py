"""Which benchmarks a command line asks for."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.__main__ import parse
from benchmarks.suite import BENCHMARKS


def test_all_by_default() -> None:
    """Without names, every benchmark but the long one runs, in the order of the suite."""
    options = parse(["--official", "python"])
    assert options.benchmarks == [b for b in BENCHMARKS if b.name != "scaling"]
    assert options.json is None


def test_named() -> None:
    """Names choose benchmarks; the suite's order stays."""
    options = parse(["--official", "python", "--json", "out.json", "floor", "import"])
    assert [benchmark.name for benchmark in options.benchmarks] == ["import", "floor"]
    assert options.json == Path("out.json")


def test_plot() -> None:
    """The curve that is drawn is measured, too, whatever else was named."""
    options = parse(["--official", "python", "--plot", "docs", "floor"])
    assert options.plot == Path("docs")
    assert [benchmark.name for benchmark in options.benchmarks] == ["scaling", "floor"]
    alone = parse(["--official", "python", "--plot", "docs"]).benchmarks
    assert [benchmark.name for benchmark in alone] == ["scaling"]


def test_unknown_name(capsys: pytest.CaptureFixture[str]) -> None:
    """A name that is none ends with the usage and says which."""
    with pytest.raises(SystemExit) as ended:
        parse(["--official", "python", "flor"])
    assert ended.value.code == 2
    assert "no such benchmark: flor" in capsys.readouterr().err


def test_names_are_unique() -> None:
    """A name stands for one benchmark."""
    names = [benchmark.name for benchmark in BENCHMARKS]
    assert len(names) == len(set(names))
