"""Errors that keep no values.

The error of a future lives as long as the future does. A trace keeps its frames, these keep those
that called them, and all keep what was being loaded, sent or serialized: that may be large, and
often the future itself is in there, in a circle that only the garbage collector finds. So the
frames go. What a reader needs of them, their lines, stays as a note, for errors that are not ours:
of ours the message says all.
"""

from __future__ import annotations

import traceback

from gcompute.errors import ComputeError

#: Lines of a trace that are kept: the last ones, where it happened.
_LINES = 8


def without_values(error: BaseException) -> None:
    """Take the frames from an error that was caught, and from its causes."""
    left: list[BaseException | None] = [error]
    seen: set[int] = set()
    while left:
        one = left.pop()
        if one is None or id(one) in seen:
            continue
        seen.add(id(one))
        if one.__traceback__ is not None and not isinstance(one, ComputeError):
            lines = traceback.format_tb(one.__traceback__, limit=-_LINES)
            one.add_note("Traceback (most recent call last):\n" + "".join(lines).rstrip())
        one.__traceback__ = None
        left += [one.__cause__, one.__context__]
