"""What scripts say when they end."""

from __future__ import annotations

#: In what an executor says at an exit that waits for its tasks longer than some seconds.
_NOTICE = "before the interpreter exits"


def complaints(errors: str) -> str:
    """Give what a script said on standard error, but for the notice that it waits for its tasks.

    A slow machine brings that about, and nothing is wrong then.
    """
    return "".join(line for line in errors.splitlines(keepends=True) if _NOTICE not in line)
