"""The command line of the benchmarks; see ``python -m benchmarks --help``."""

from __future__ import annotations

import argparse
import json
import signal
import sys
import time
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks import machine, plot, sides
from benchmarks.figures import Row
from benchmarks.setting import WORKERS, Benchmark, Setting
from benchmarks.sides import BenchmarkFailed
from benchmarks.suite import BENCHMARKS, scaling
from benchmarks.table import render


def main(arguments: Sequence[str] | None = None) -> int:
    """Run benchmarks and print their tables.

    Returns:
        The exit code: 1 if a measurement could not be made. A target that is missed is printed
        and changes nothing: timing depends on the machine.
    """
    options = parse(arguments)
    started = time.monotonic()
    official, ours = sides.official(options.official), sides.ours(options.ours)
    report: dict[str, Any] = {**machine.facts(), "load before": machine.load()}
    try:
        report |= {f"{side.name} packages": side.versions() for side in (official, ours)}
    except BenchmarkFailed as failure:
        print(f"nothing could be measured: {failure}", file=sys.stderr)
        return 1
    measured: dict[str, list[Row]] = {}
    with Setting(official, ours) as setting:
        for benchmark in options.benchmarks:
            rows = _measure(benchmark, setting)
            if rows is not None:
                measured[benchmark.name] = rows
        if "broker" in setting.started:
            report["broker"] = machine.broker_version(setting.broker_url)
        if "stack" in setting.started:
            report["workers"] = str(WORKERS)
    report |= {"load after": machine.load(), "took": f"{time.monotonic() - started:.0f} s"}
    _print_facts(report)
    if options.plot is not None and scaling.NAME in measured:
        plot.write(options.plot, scaling.sizes(measured[scaling.NAME]), report)
    if options.json is not None:
        report["benchmarks"] = {n: [row.to_json() for row in rows] for n, rows in measured.items()}
        options.json.write_text(json.dumps(report, indent=1) + "\n")
    failed = [b.name for b in options.benchmarks if b.name not in measured]
    if failed:
        print(f"could not be measured: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line.

    Returns:
        ``official`` and ``ours`` (interpreters), ``json`` and ``plot`` (``Path`` or ``None``),
        ``benchmarks``.
    """
    listed = "\n".join(f"  {benchmark.name:8} {benchmark.measures}" for benchmark in BENCHMARKS)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure this client beside the official SDK.",
        epilog=f"benchmarks, all but {scaling.NAME} by default:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--official",
        required=True,
        metavar="PYTHON",
        help="interpreter of an environment with the official SDK",
    )
    parser.add_argument(
        "--ours",
        default=sys.executable,
        metavar="PYTHON",
        help="interpreter of an environment with this client; default the one that runs this. "
        "What else is installed there counts: httpx imports click and rich where they are",
    )
    parser.add_argument(
        "--plot",
        type=Path,
        metavar="FOLDER",
        help=f"draw the scaling curve there: runs {scaling.NAME}, and what else is named",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every repetition there")
    parser.add_argument("names", nargs="*", metavar="NAME", help="run only these")
    options = parser.parse_args(arguments)
    unknown = set(options.names) - {benchmark.name for benchmark in BENCHMARKS}
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    chosen = set(options.names)
    if options.plot is not None:
        chosen.add(scaling.NAME)
    # The curve takes minutes, and the other benchmarks have what is asked of each size.
    chosen = chosen or {benchmark.name for benchmark in BENCHMARKS} - {scaling.NAME}
    options.benchmarks = [b for b in BENCHMARKS if b.name in chosen]
    return options


def _measure(benchmark: Benchmark, setting: Setting) -> list[Row] | None:
    """Run one benchmark and print its table; ``None`` if it failed, which is printed too."""
    print(f"\n## {benchmark.name}: {benchmark.measures}\n", flush=True)
    try:
        rows = list(benchmark.run(setting))
    except BenchmarkFailed as failure:
        print(f"FAILED: {failure}", flush=True)
        return None
    except Exception:
        print(f"FAILED:\n{traceback.format_exc()}", flush=True)
        return None
    print(f"{render(rows)}\n\n{benchmark.method}", flush=True)
    return rows


def _print_facts(report: dict[str, Any]) -> None:
    print("\n## measured on\n")
    for name, fact in report.items():
        text = ", ".join(f"{k} {v}" for k, v in fact.items()) if isinstance(fact, dict) else fact
        print(f"- {name}: {text}")
    print(
        "\nours/official compares the two columns before it, measured in turn, on the same service "
        "where one is\nneeded; read it rather than the absolute values. n is the number of "
        "repetitions behind a value.",
        flush=True,
    )


if __name__ == "__main__":
    # Leaves by way of the contexts that stop what was started, as Ctrl-C does.
    signal.signal(signal.SIGTERM, lambda _number, _frame: sys.exit(128 + signal.SIGTERM))
    sys.exit(main())
