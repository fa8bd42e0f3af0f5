"""Whether two recordings of a scenario say the same.

Two runs differ in what is made afresh: ids, times, pickles' bytes. Ids become numbers in the order
in which they come, times and what is in their nature lose their value, serialized values are
compared by what they mean. Everything else is compared, answers included.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.recording.cassette_format import load
from tools.recording.differences import differences
from tools.recording.matching import normalized

Json = Any

#: Parts of a recording that are no part of what is compared: by path, with the reason.
IGNORED = {
    "head.client": "the versions of what records may be others",
    "head.agent": "the versions of what records may be others",
    "head.service": "the commit of the service is another one",
    "head.command": "the same scenarios are recorded by several commands",
    "head.date": "time goes on",
    "body_size": "a body is as long as the names of this machine in it, which are scrubbed",
    "task_transitions": "which states of a task are told depends on when its agent reports",
    "task_statuses": "which states of a task are told depends on when its agent reports",
}

#: What each of these has in it is a matter of chance: a time, a busy machine, a broker's name.
_STATES = ("received", "waiting-for-ep", "waiting-for-nodes", "waiting-for-launch", "running")
_ID = re.compile(
    r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])"
)
_TIME = re.compile(
    r"(?<![\d.])1[6-9]\d{8}(?:\d{9}|\.\d+)?(?![\d.])|"
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?"
)


def compared(one: Path, other: Path) -> Iterator[tuple[str, Json, Json]]:
    """Give each place where two recordings of one scenario differ, with what each has there.

    Args:
        one: path of a recording, a ``.yaml``.
        other: path of another; what was recorded over AMQP is beside each.
    """
    yield from differences(_normal(one), _normal(other))


def _normal(path: Path) -> Json:
    tree: Json = load(path.read_text("utf-8"))
    frames = path.with_suffix(".amqp.jsonl")
    if frames.exists():
        tree["frames"] = [json.loads(line) for line in frames.read_text("utf-8").splitlines()]
    return _Normalizing()(tree)


class _Normalizing:
    """Gives the numbers to the ids of one recording."""

    def __init__(self) -> None:
        self._ids: dict[str, str] = {}

    def __call__(self, value: Json, path: str = "") -> Json:
        """Give a part of a recording without what is made afresh."""
        if isinstance(value, dict):
            return {
                self._text(key): self(each, f"{path}.{key}" if path else key)
                for key, each in value.items()
                if key not in IGNORED and f"{path}.{key}" not in IGNORED
            }
        if isinstance(value, list):
            each = [self(one, path) for one in value]
            return sorted(each) if path.endswith(".json.task_ids") else each
        if isinstance(value, str):
            return self._text(value)
        return "a time" if _is_time(value) else value

    def _text(self, text: str) -> Json:
        """Give a text without ids and times, or what it means where it is a serialized value."""
        if text in _STATES:
            return "not finished"
        meant = normalized(text)
        if meant != text:
            return repr(meant)
        # The ids first: the digits at the end of one may look like a time.
        text = _ID.sub(lambda found: self._ids.setdefault(found[0], f"id {len(self._ids)}"), text)
        return _TIME.sub("a time", text)


def _is_time(value: Json) -> bool:
    """Tell whether a number is a time of these years, in seconds or nanoseconds."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return _TIME.fullmatch(str(value)) is not None
