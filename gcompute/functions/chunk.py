"""Several calls of a function in one task, on a worker.

A function and a list of calls go in; the results of the calls come out, up to the first call
that failed, with the text of its error. The results before a failure are not lost with it.

This module travels to workers as source: it imports nothing but the standard library, and is
written for every Python that an endpoint may have.
"""

from __future__ import annotations

import sys
import traceback
from typing import Any, Callable  # noqa: UP035 - for every Python


def run_chunk(function: Callable[..., Any], calls: list[tuple[Any, ...]]) -> list[Any]:
    """Call a function several times.

    Args:
        function: the function.
        calls: the positional arguments of each call.

    Returns:
        The list of results, and the text of the error that ended it, ``None`` where none did:
        both also where results travel as JSON.
    """
    results = []
    for arguments in calls:
        try:
            results.append(function(*arguments))
        except Exception:
            kind, error, trace = sys.exc_info()
            # The user's own frames, as endpoints show them.
            inner = trace.tb_next if trace is not None and trace.tb_next is not None else trace
            return [results, "".join(traceback.format_exception(kind, error, inner))]
    return [results, None]
