"""The report of `make drift`.

    python -m tools.drift                  compare everything
    python -m tools.drift contract         compare one part, or several
    python -m tools.drift --strict         count what could not be compared as drift

Exit status: 0 when every difference has a reason and every reason a difference; 1 when not; 2 when
the comparison itself went wrong. Without the package index, the newest SDK is not compared: at home
that is no drift, in a scheduled run it is, by `--strict`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from tools.codegen.errors import CodegenError
from tools.drift.completeness import missing_recordings
from tools.drift.contract import compare_contract
from tools.drift.exchanges import WrongRecording, read_recordings
from tools.drift.explained import FILE, WrongExplanations, load_explanations
from tools.drift.findings import Part, Verdict, exit_status, report, summary
from tools.drift.installed import InstalledUnreadable
from tools.drift.newest import install_newest
from tools.drift.recordings import compare_recordings
from tools.drift.sdk import SDK, compare_sdk
from tools.drift.wire import compare_wire
from tools.openapi.document import load_compute, load_contract, load_deviations

ROOT = Path(__file__).parents[2]


def main(argv: Sequence[str] | None = None) -> int:
    """Compare, print the report, and return the exit status."""
    options = _options(argv)
    newest = cache(lambda: install_newest(SDK, options.newest))
    parts: dict[str, Callable[[], Part]] = {
        "contract": lambda: compare_contract(load_contract(), load_compute(), load_deviations()),
        "recordings": lambda: _recordings(options.cassettes),
        "sdk": lambda: compare_sdk(options.recorded, newest, read_recordings(options.cassettes)),
        "wire": lambda: compare_wire(options.cassettes, newest, options.scenarios),
    }
    if unknown := sorted(set(options.parts) - parts.keys()):
        known = ", ".join(parts)
        print(f"drift: no such part: {', '.join(unknown)}; the parts are {known}", file=sys.stderr)
        return 2
    try:
        explanations = load_explanations(tuple(parts), options.explained)
        verdicts: list[Verdict] = []
        for name, compare in parts.items():
            if name in (options.parts or parts):
                verdicts.append(explanations.judge(compare()))
                # Recording anew takes minutes: each part is told when it is known.
                print("\n".join(report(verdicts[-1])), end="\n\n", flush=True)
    except (WrongExplanations, WrongRecording, InstalledUnreadable, CodegenError) as error:
        print(f"drift: {error}", file=sys.stderr)
        return 2
    print(summary(verdicts))
    return exit_status(verdicts, strict=options.strict)


def _recordings(folder: Path) -> Part:
    part = compare_recordings(load_compute(), read_recordings(folder))
    part.differences += missing_recordings(folder)
    return part


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make drift", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help="contract, recordings, sdk or wire; default all")
    add("--strict", action="store_true", help="count what could not be compared as drift")
    add(
        "--scenarios",
        nargs="+",
        default=[],
        metavar="WORD",
        help="record only scenarios with these words in their names",
    )
    add("--explained", type=Path, default=FILE, metavar="FILE", help="the reasons")
    add("--cassettes", type=Path, default=ROOT / "cassettes", metavar="FOLDER")
    add(
        "--recorded",
        default=str(ROOT / ".tools" / "official" / "bin" / "python"),
        metavar="PYTHON",
        help="an interpreter with the SDK that was recorded",
    )
    add(
        "--newest",
        type=Path,
        default=ROOT / ".tools" / "newest",
        metavar="FOLDER",
        help="where the newest SDK is installed; made anew",
    )
    return parser.parse_intermixed_args(argv)


if __name__ == "__main__":
    sys.exit(main())
