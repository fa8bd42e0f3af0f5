"""Records: ``python -m tools.recording --python INTERPRETER [NAME ...]``; see ``make record``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.support.official import official_python
from tools.recording import scenarios  # noqa: F401  # registers them
from tools.recording.checksums import write_checksums
from tools.recording.local import record_locally
from tools.recording.scenario import SCENARIOS
from tools.recording.serialization import record_serialization

CASSETTES = Path(__file__).parents[2] / "cassettes"


def main() -> int:
    """Record, and say how it went; give the exit status."""
    parser = argparse.ArgumentParser(prog="make record", description=__doc__)
    parser.add_argument("names", nargs="*", help="words of scenarios' names; default all")
    parser.add_argument(
        "--python", required=True, type=Path, help="interpreter with the official SDK"
    )
    parser.add_argument("--folder", type=Path, default=CASSETTES, help="where recordings go")
    arguments = parser.parse_args()
    chosen = [n for n in SCENARIOS if not arguments.names or any(w in n for w in arguments.names)]
    with tempfile.TemporaryDirectory(prefix="canary-folder-") as folder:
        failed = chosen and record_locally(
            chosen, arguments.folder.absolute(), str(arguments.python.absolute()), Path(folder)
        )
        if not arguments.names or "serialization" in arguments.names:
            scripts = Path(folder, "scripts")
            scripts.mkdir()
            count = record_serialization(arguments.folder, official_python(), scripts)
            print(f"serialization: {count} samples recorded")
    write_checksums(arguments.folder)
    print(f"{len(chosen) - len(failed)} of {len(chosen)} scenarios recorded in {arguments.folder}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
