"""Whether anybody can be asked to log in, and where to show him what."""

from __future__ import annotations

import sys
from typing import TextIO


def can_prompt() -> bool:
    """Tell whether a person sits before this process, at a terminal or a notebook."""
    return in_notebook() or (
        _is_terminal(sys.stdin) and (_is_terminal(sys.stdout) or _is_terminal(sys.stderr))
    )


def in_notebook() -> bool:
    """Tell whether this process is the kernel of a notebook."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


def _is_terminal(stream: TextIO | None) -> bool:
    # None where Python was started without the stream, ValueError where it was closed.
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False


def shown() -> TextIO:
    """Give the stream that the person sees."""
    return sys.stdout if in_notebook() or _is_terminal(sys.stdout) else sys.stderr
