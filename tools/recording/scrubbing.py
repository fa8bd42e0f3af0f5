"""What must not be in a recording, and what stands there instead.

Known secrets and names (tokens, identities, hosts, folders) are replaced wherever they stand;
what is made afresh (passwords of the broker) is found by its shape. A stand-in says what it stands
for, so that a token that is sent for another user is seen.

Pure. Texts within base64 are out of reach: scenarios let workers send nothing of their machine,
and a test looks into every pickle of the recordings.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

#: The address of the service in every recording.
SERVICE = "https://compute.example.org"
#: Where results come from, in every recording.
BROKER = "amqps://user:password@amqp.example.org:5671/%2F"

#: Texts longer than this are recorded by their length and digest.
LONGEST_TEXT = 20_000

_BROKER_URL = re.compile(r"amqps?://[^\s\"'@/]+@[^\s\"'/]+(?:/[\w%.~-]*)?")
#: What the local service puts before all names at its broker, as others may use it as well.
_PREFIX = re.compile(r"\bgcompute-[0-9a-f]{12}\b")


class Scrubber:
    """Replaces what must not be written.

    Args:
        known: what is known to be secret or of this machine, to its stand-in.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        # The longest first: one may be part of another.
        self._known = sorted(known.items(), key=lambda pair: -len(pair[0]))

    def __call__(self, value: Any) -> Any:
        """Give a value as it may be written; mappings and lists through and through."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {self(key): self(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self(each) for each in value]
        return value

    def _text(self, text: str) -> str:
        text = _PREFIX.sub("service", _BROKER_URL.sub(BROKER, text))
        for known, instead in self._known:
            text = text.replace(known, instead)
        return shortened(text)


def shortened(text: str) -> str:
    """Give a long text by its length and digest."""
    if len(text) <= LONGEST_TEXT:
        return text
    import hashlib

    return f"<{len(text)} characters, sha256 {hashlib.sha256(text.encode()).hexdigest()}>"
