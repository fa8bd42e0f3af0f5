"""Plays the matrix and prints it as a table: ``make interop``.

Words choose cells: ``python -m tests.matrix official parsl`` plays those with the official client
and the official agent's Parsl engine. Ends with 1 if a scenario failed, with 2 if no cell has
all the words.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from pathlib import Path

from tests.matrix.cells import BROKERS, CELLS, CLIENTS, WORKERS, Cell
from tests.matrix.playing import Outcome, agent_log, failures, play
from tests.matrix.table import HEAD, reasons, row, troubles
from tests.support.rabbitmq import running_rabbitmq


def main(arguments: Sequence[str]) -> int:
    """Play the chosen cells."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description="Play the matrix.")
    known = (*CLIENTS, *BROKERS, *WORKERS)
    parser.add_argument("words", nargs="*", metavar="WORD", help=f"one of {', '.join(known)}")
    words = set(parser.parse_args(arguments).words)
    if unknown := words - set(known):
        parser.error(f"no cell is {', '.join(sorted(unknown))}: words are {', '.join(known)}")
    cells = [cell for cell in CELLS if words <= {cell.client, cell.broker, cell.worker}]
    if not cells:
        print(f"no cell has all of {', '.join(sorted(words))}", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="gcompute-matrix-") as name:
        return _play(cells, Path(name))


def _play(cells: Sequence[Cell], folder: Path) -> int:
    node = folder / "rabbitmq"
    node.mkdir()
    played: list[tuple[Cell, Sequence[Outcome]]] = []
    logs = []
    print(HEAD, flush=True)
    with running_rabbitmq(node) as rabbitmq:
        for cell in cells:
            home = folder / str(cell)
            started_at = time.monotonic()
            try:
                outcomes = play(cell, home, rabbitmq.url() if cell.broker == "rabbitmq" else None)
            except Exception:
                # The other cells are worth playing all the same.
                outcomes = [Outcome("the cell", "failed", traceback.format_exc(), 0.0)]
            played.append((cell, outcomes))
            print(row(cell, outcomes, time.monotonic() - started_at), flush=True)
            if failures(outcomes) and (log := agent_log(home)):
                logs.append(f"== {cell}: {log}")
    for text in (*reasons(played), *troubles(played), *logs):
        print(f"\n{text}")
    return 1 if troubles(played) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
