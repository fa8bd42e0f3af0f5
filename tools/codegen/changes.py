"""What a change between two documents is, and in which direction data flows where it happened.

The direction decides what breaks. Callers write requests and read answers, so a request that
asks for more breaks them and an answer that promises less does; the opposite never does.
"""

from dataclasses import dataclass
from enum import StrEnum


class Direction(StrEnum):
    """Who writes the values that a schema describes."""

    #: The caller writes them: it breaks when less is accepted.
    REQUEST = "request"
    #: The caller reads them: it breaks when something new or something less may come.
    ANSWER = "answer"


@dataclass(frozen=True, kw_only=True)
class Change:
    """One thing that callers of the generated package could notice."""

    #: `GET /path`, or a model's name and a field's path within it.
    where: str
    what: str
    #: Whether code that worked with the old document can fail with the new one.
    breaks: bool
