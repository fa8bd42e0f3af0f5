"""Recorded operations of ``globus_sdk``, played with our service clients and bindings."""

from __future__ import annotations

from contextlib import ExitStack
from typing import cast

import pytest

from tests.recordings.deliberate import amended, check, difference
from tests.recordings.operation_stages import (
    AsyncBindingStage,
    BindingStage,
    OperationStage,
    ServiceClientStage,
)
from tests.recordings.playing import names_of, played, recording, unplayed
from tools.recording.scenario import Stage


@pytest.mark.parametrize("stage", [ServiceClientStage, BindingStage, AsyncBindingStage])
@pytest.mark.parametrize("name", names_of("operations"))
def test_ours_asks_and_sees_the_same(name: str, stage: type[OperationStage]) -> None:
    """Every request is one that ``globus_sdk`` made, and the answers are read alike."""
    recorded = recording(name)
    by = difference(stage, recorded.scenario.name)
    with played(recorded.path, lambda tree: amended(tree, by)) as cassette, ExitStack() as closing:
        on = stage(recorded.given, closing)
        recorded.scenario.play(cast(Stage, on))
        check(on, recorded.scenario.name, recorded.seen, unplayed(cassette))
