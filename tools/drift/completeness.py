"""Whether the recordings are those that the recorder wrote, all of them.

The other comparisons see what a recording says; one that is missing says nothing, and another may
happen to say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tools.drift.findings import Difference
from tools.recording import scenarios  # noqa: F401  # registers them
from tools.recording.checksums import NAME, checksums, listed
from tools.recording.scenario import SCENARIOS


def missing_recordings(folder: Path) -> Iterator[Difference]:
    """Name each scenario without a recording, and each file that is not as the recorder wrote it.

    Args:
        folder: of the recordings; those of the hosted service are in one of its own below.
    """
    for name in SCENARIOS:
        if not (folder / f"{name}.yaml").exists():
            yield Difference(f"{name}: is a scenario without a recording")
    there = checksums(folder)
    told = listed(folder) if (folder / NAME).exists() else {}
    for name in sorted(there.keys() | told.keys()):
        if name not in there:
            yield Difference(f"{name}: is missing", f"{NAME} lists it")
        elif name not in told:
            yield Difference(f"{name}: was not written by the recorder", f"{NAME} does not list it")
        elif there[name] != told[name]:
            yield Difference(f"{name}: was changed after it was recorded", NAME)
