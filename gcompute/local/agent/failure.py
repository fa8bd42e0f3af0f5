"""The text that tells a user why his function failed. Pure.

An exception goes in, with its traceback, causes and contexts; text as the interpreter would
print it comes out, without the frames that lead from the worker to the function: the first line
that the user sees is his.
"""

from __future__ import annotations

import traceback
from pathlib import Path

import gcompute.serialize

#: Where our own code on the way to the user's lies.
_OWN_FOLDERS = (str(Path(__file__).parent), str(Path(gcompute.serialize.__file__).parent))

#: Characters of an error text; the middle of a longer one is left out.
MAX_TEXT = 256 * 1024


def describe_failure(error: BaseException) -> str:
    """Give an exception's traceback without our own leading frames.

    Never raises, whatever the exception's ``__str__`` does.
    """
    try:
        report = traceback.TracebackException.from_exception(error)
        _trim(report, seen=set())
        text = "".join(report.format())
    except Exception as trouble:
        text = f"{type(error).__name__} (its traceback cannot be shown: {trouble!r})\n"
    return shorten(text)


def shorten(text: str, limit: int = MAX_TEXT) -> str:
    """Leave out the middle of a text over the limit, and say how much is missing."""
    if len(text) <= limit:
        return text
    half = limit // 2
    return f"{text[:half]}\n[... {len(text) - 2 * half} characters left out ...]\n{text[-half:]}"


def _trim(report: traceback.TracebackException, seen: set[int]) -> None:
    if id(report) in seen:
        return
    seen.add(id(report))
    own = 0
    while own < len(report.stack) and report.stack[own].filename.startswith(_OWN_FOLDERS):
        own += 1
    del report.stack[:own]
    for linked in (report.__cause__, report.__context__, *(report.exceptions or ())):
        if linked is not None:
            _trim(linked, seen)
