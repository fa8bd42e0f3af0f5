"""``make faults``: every fault on both brokers, for both clients, as one table.

Outages have their full length. Faults that do not disturb each other run side by side. Progress
goes to standard error, the table to standard output. Exit status: 1 where one of our futures did
not end right; what the official client does is only written down.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
import tempfile
from pathlib import Path

from tests.faults.catalogue import FAULTS, Fault
from tests.faults.client import Side
from tests.faults.run import run_all
from tests.faults.stage import BROKERS, BrokerName, ground
from tests.faults.table import Lines, render
from tests.faults.verdict import Verdict
from tests.support.official import official_python


def _tell(fault: Fault, broker: BrokerName, side: Side, verdict: Verdict) -> None:
    """Say how a run went."""
    mark = "ok" if verdict.good else "--"
    print(
        f"{mark} {fault.name}, {broker}, {side.name}: {verdict.right} right"
        f"{verdict.remainder and f', {verdict.remainder}'} ({verdict.seconds:.1f} s)",
        file=sys.stderr,
        flush=True,
    )
    if side.name == "ours" and not verdict.good:
        print(verdict.describe(), file=sys.stderr, flush=True)


def main() -> int:
    """Run what the arguments ask for."""
    parser = argparse.ArgumentParser(prog="make faults", description=__doc__)
    parser.add_argument("names", nargs="*", help="faults to run; all by default")
    parser.add_argument("--broker", choices=BROKERS, action="append")
    parser.add_argument("--side", choices=("ours", "official"), action="append")
    parser.add_argument("--short", action="store_true", help="with short outages")
    parser.add_argument("--at-once", type=int, default=3, help="runs side by side")
    options = parser.parse_args()
    unknown = set(options.names) - {fault.name for fault in FAULTS}
    if unknown:
        parser.error(f"unknown: {', '.join(unknown)}. Known: {', '.join(f.name for f in FAULTS)}")
    # That the answering endpoint loses its broker is part of a fault, and no news.
    logging.getLogger("gcompute.local").setLevel(logging.ERROR)
    faults = [f for f in FAULTS if not options.names or f.name in options.names]
    sides = [
        Side("ours", "gcompute", sys.executable),
        Side("official", "globus_compute_sdk", official_python()),
    ]
    sides = [side for side in sides if not options.side or side.name in options.side]
    lines: Lines = {}
    with tempfile.TemporaryDirectory(prefix="gcompute-faults-") as folder:
        for broker in options.broker or BROKERS:
            place = Path(folder) / broker
            (place / "ground").mkdir(parents=True)
            with ground(broker, place / "ground") as on:
                verdicts = asyncio.run(
                    run_all(
                        faults,
                        on,
                        sides,
                        place,
                        at_once=options.at_once,
                        full=not options.short,
                        tell=_tell,
                    )
                )
            lines |= {(fault, broker): verdicts[fault] for fault in verdicts}
    order: Lines = {
        (f.name, b): lines[f.name, b] for f in faults for b in BROKERS if (f.name, b) in lines
    }
    print(render(order, tuple(side.name for side in sides)))
    return int(any("ours" in v and not v["ours"].good for v in lines.values()))


if __name__ == "__main__":
    sys.exit(main())
