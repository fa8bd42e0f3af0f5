"""Records: ``python -m tools.recording --python INTERPRETER [WORD ...]``; see ``make record``."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from gcompute.errors import ComputeError
from tests.support.official import official_python
from tools.recording import scenarios  # noqa: F401  # registers them
from tools.recording.checksums import write_checksums
from tools.recording.hosted import print_differences, record_hosted
from tools.recording.local import record_locally
from tools.recording.scenario import SCENARIOS
from tools.recording.serialization import record_serialization

CASSETTES = Path(__file__).parents[2] / "cassettes"


def main() -> int:
    """Record, and say how it went; give the exit status."""
    arguments = _arguments()
    if not arguments.python.exists():
        print(f"{arguments.python} is missing: run 'make .tools/recording/.ready'", file=sys.stderr)
        return 2
    words = arguments.words
    chosen = [name for name in SCENARIOS if not words or any(word in name for word in words)]
    serialization = arguments.service == "local" and (not words or "serialization" in words)
    if not chosen and not serialization:
        print(f"no scenario has {' or '.join(words)} in its name", file=sys.stderr)
        return 2
    hosted = arguments.service == "hosted"
    folder: Path = (arguments.folder or (CASSETTES / "hosted" if hosted else CASSETTES)).absolute()
    failed: list[str] = []
    with tempfile.TemporaryDirectory(prefix="canary-folder-") as temporary:
        if chosen:
            record = record_hosted if hosted else record_locally
            try:
                failed = record(chosen, folder, str(arguments.python.absolute()), Path(temporary))
            except ComputeError as error:
                print(f"nothing can be recorded: {error}", file=sys.stderr)
                return 1
            except KeyboardInterrupt:
                print("\ninterrupted: what was recorded until now is kept", file=sys.stderr)
                write_checksums(folder)
                return 130
        if serialization:
            scripts = Path(temporary, "scripts")
            scripts.mkdir()
            count = record_serialization(folder, official_python(), scripts)
            print(f"serialization: {count} samples recorded")
    folder.mkdir(parents=True, exist_ok=True)
    write_checksums(folder)
    if hosted:
        print_differences(chosen, folder, CASSETTES)
    told = f"; these failed: {', '.join(failed)}" if failed else ""
    print(f"{len(chosen)} scenarios asked for, recordings in {folder}{told}")
    return 1 if failed else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make record", description=__doc__)
    parser.add_argument("words", nargs="*", help="words of scenarios' names; default all")
    parser.add_argument("--service", choices=("local", "hosted"), default="local")
    parser.add_argument(
        "--python", required=True, type=Path, help="interpreter with the official SDK and vcrpy"
    )
    parser.add_argument("--folder", type=Path, help="where recordings go; default cassettes/")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
