"""Plays scenarios with the official SDK and records them: ``python -m tools.recording.official``.

The first line of standard input is the order: which scenarios, what they are given, what is to be
scrubbed and what made all this. What goes wrong in a scenario is told, and the next one plays.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import platform
import sys
import time
import traceback
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import vcr

from tools.recording import scenarios  # noqa: F401  # registers them
from tools.recording.cassette_format import CassetteFormat
from tools.recording.frames import Event, recorded_frames, unacknowledged
from tools.recording.official_stage import OfficialStage, ask
from tools.recording.pace import Pace
from tools.recording.scenario import SCENARIOS, Scenario
from tools.recording.scrubbing import Scrubber
from tools.recording.sending import watched_requests

_SETTLE_S = 10.0


def main() -> None:
    """Play what the order says."""
    order = json.loads(sys.stdin.readline())
    count, window_s, file = order["pace"] or (0, 0.0, "")
    pace = Pace(count, window_s, Path(file)) if count else None
    users = {token: user for user, token in order["given"]["tokens"].items()}
    with watched_requests(pace, Path.home() / "registered.jsonl", users):
        play(order)


def play(order: dict[str, Any]) -> None:
    """Play the scenarios of an order."""
    for name in order["scenarios"]:
        ask(do="begin", scenario=name)
        try:
            record(SCENARIOS[name], order)
        except Exception:
            ask(do="failed", scenario=name, reason=traceback.format_exc())
        else:
            ask(do="recorded", scenario=name)


def record(scenario: Scenario, order: dict[str, Any]) -> None:
    """Play one scenario and write its recording; one that fails leaves none."""
    given, scrub = order["given"], Scrubber(order["scrub"])
    path = Path(order["folder"], scenario.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    for suffix in (".yaml", ".amqp.jsonl"):
        # vcrpy would add to what is there.
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    kept = {name: given[name] for name in ("endpoint_id", "identities")}

    def head() -> dict[str, Any]:
        return {"head": _head(scenario, order["made_by"]), "given": kept, "seen": stage.seen}

    recorder = vcr.VCR(record_mode="all", decode_compressed_response=True)
    recorder.register_serializer("recording", CassetteFormat(head, scrub))
    with (
        recorder.use_cassette(f"{path}.yaml", serializer="recording", record_on_exception=False),
        recorded_frames() as frames,
        ExitStack() as closing,
    ):
        stage = OfficialStage(given, closing, lambda: settle(frames))
        scenario.play(stage)
        settle(frames)
    if frames:
        lines = [json.dumps(scrub(event), ensure_ascii=False) for event in frames]
        Path(f"{path}.amqp.jsonl").write_text("\n".join(lines) + "\n", "utf-8")


def settle(frames: list[Event]) -> int:
    """Wait until the official SDK has acknowledged what it was delivered; it does so in its time.

    Returns:
        How many acknowledgements there were.

    Raises:
        TimeoutError: it does not.
    """
    deadline = time.monotonic() + _SETTLE_S
    while unacknowledged(frames):
        if time.monotonic() > deadline:
            raise TimeoutError(f"deliveries were not acknowledged within {_SETTLE_S:g} s")
        time.sleep(_SETTLE_S / 100)
    return sum(event.get("method") == "Basic.Ack" for event in frames)


def _head(scenario: Scenario, made_by: dict[str, str]) -> dict[str, str]:
    version = importlib.metadata.version
    return {
        "scenario": scenario.name,
        "proves": scenario.proves,
        "client": (
            f"globus-compute-sdk {version('globus-compute-sdk')}, globus-sdk "
            f"{version('globus-sdk')}, dill {version('dill')}, pika {version('pika')}, "
            f"Python {platform.python_version()}"
        ),
        **made_by,
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
    }


if __name__ == "__main__":
    main()
