"""Recorded operations of ``globus_sdk``, played with our service clients and bindings."""

from __future__ import annotations

from contextlib import ExitStack
from typing import cast

import pytest

from tests.recordings.deliberate import DIFFERENCES, amended, check, difference
from tests.recordings.operation_stages import (
    AsyncBindingStage,
    BindingStage,
    DocumentStage,
    OperationStage,
    ServiceClientStage,
)
from tests.recordings.playing import names_of, played, recorded_python, recording
from tools.recording.scenario import Stage

#: They register a function as the official client does: as bytecode alone.
_BYTECODE = {"operations/functions_of_version_2"}


@pytest.mark.parametrize("stage", [ServiceClientStage, BindingStage, AsyncBindingStage])
@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=recorded_python if name in _BYTECODE else ())
        for name in names_of("operations")
    ],
)
def test_ours_asks_and_sees_the_same(name: str, stage: type[OperationStage]) -> None:
    """Every request is one that ``globus_sdk`` made, and the answers are read alike."""
    recorded = recording(name)
    by = difference(stage, recorded.scenario.name)
    with played(recorded.path, lambda tree: amended(tree, by)) as playback, ExitStack() as closing:
        on = stage(recorded.given, closing)
        recorded.scenario.play(cast(Stage, on))
        check(on, recorded, playback)


@pytest.mark.parametrize("name", [name for name, each in DIFFERENCES.items() if each.refused_here])
def test_what_ours_refuses_is_what_the_scenario_says(name: str) -> None:
    """So that these recorded requests are compared as well."""
    recorded = recording(name)
    with played(recorded.path) as playback, ExitStack() as closing:
        on = DocumentStage(recorded.given, closing)
        recorded.scenario.play(cast(Stage, on))
        check(on, recorded, playback)
