"""Recorded scenarios of the official ``Client``, played with ours, blocking and asynchronous."""

from __future__ import annotations

from contextlib import ExitStack
from typing import cast

import pytest

from tests.recordings.deliberate import amended, check, difference
from tests.recordings.playing import names_of, played, recording
from tests.recordings.stages import AsyncStage, BlockingStage, ReplayStage
from tools.recording.scenario import Stage


@pytest.mark.parametrize("stage", [BlockingStage, AsyncStage])
@pytest.mark.parametrize("name", names_of("client"))
def test_ours_asks_and_sees_the_same(name: str, stage: type[ReplayStage]) -> None:
    """Every request is one that the official client made, and what users see is the same."""
    recorded = recording(name)
    by = difference(stage, recorded.scenario.name)
    with played(recorded.path, lambda tree: amended(tree, by)) as playback, ExitStack() as closing:
        on = stage(recorded.given, closing)
        recorded.scenario.play(cast(Stage, on))
        check(on, recorded, playback)
