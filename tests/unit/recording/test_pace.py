"""The pace of a recorder's processes."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

from tools.recording import pace
from tools.recording.pace import Pace


def test_so_many_go_at_once_and_the_next_one_waits(tmp_path: Path) -> None:
    """Until the first of them is a window old; whoever shares the file shares the budget."""
    clock = mock.Mock()
    clock.monotonic.side_effect = [100.0, 101.0, 102.0, 110.0, 110.5, 111.0]
    with mock.patch.object(pace, "time", clock):
        one, other = (Pace(2, 10.0, tmp_path / "went") for _ in range(2))
        for each in (one, other, one, other):
            each.wait()
    waited = [call.args[0] for call in clock.sleep.call_args_list]
    assert waited == [8.0, 0.5]
