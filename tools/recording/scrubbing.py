"""What must not be in a recording, and what stands there instead.

Known secrets and names (tokens, identities, hosts, folders) are replaced wherever they stand;
what is made afresh (passwords of the broker) is found by its shape. A stand-in says what it stands
for, so that a token that is sent for another user is seen.

Pure. Texts within base64 are out of reach here: scenarios let workers send nothing of their
machine, `serialization` moves what its samples name, and a test looks into every pickle.
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


_ADDRESS = re.compile(r"(?<![\d.])(?:\d{1,3}\.){3}\d{1,3}(?![\d.])")
#: A folder of a person or machine: tracebacks of endpoints that are elsewhere have such.
_FOLDER = re.compile(r"(?<![\w.:/-])/(?:home|root|Users|tmp|var|work|opt)/[^\s\"'<>,;:()\\]*")
_MAIL = re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]+")

#: Fields that tell of a machine or its user, and what stands there.
_FIELDS = {
    "hostname": "host.example.org",
    "ip_address": "192.0.2.1",
    "local_user": "somebody",
    "node": "host.example.org",
    "release": "6.1.0",
}
_IDENTITY = re.compile(r"([a-f])\1{7}-0000-4000-8000-00000000000\d")


def identities(users: Mapping[str, str]) -> dict[str, str]:
    """Give stand-ins for the identities of users, by what they are in truth."""
    return {
        identity: f"{letter * 8}-0000-4000-8000-00000000000{number}"
        for number, (letter, identity) in enumerate(zip("abcdef", users.values()), 1)  # noqa: B905
    }


class Scrubber:
    """Replaces what must not be written.

    Args:
        known: what is known to be secret or of this machine, to its stand-in.
    """

    def __init__(self, known: Mapping[str, str]) -> None:
        # The longest first: one may be part of another.
        self._known = sorted(known.items(), key=lambda pair: -len(pair[0]))
        self._identities = {name for name, instead in known.items() if _IDENTITY.fullmatch(instead)}

    def __call__(self, value: Any) -> Any:
        """Give a value as it may be written; mappings and lists through and through."""
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, Mapping):
            return {self(key): self._field(key, each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self(each) for each in value if not self._is_of_others(each)]
        return value

    def _field(self, name: str, value: Any) -> Any:
        return _FIELDS[name] if name in _FIELDS and isinstance(value, str) else self(value)

    def _is_of_others(self, entry: Any) -> bool:
        """Tell whether an entry of a list of endpoints is a stranger's."""
        owner = entry.get("owner") if isinstance(entry, Mapping) else None
        return isinstance(owner, str) and owner not in self._identities

    def _text(self, text: str) -> str:
        if len(text) > LONGEST_TEXT:
            return shortened(text)
        for known, instead in self._known:
            text = text.replace(known, instead)
        text = _FOLDER.sub("/somewhere", text)
        text = _ADDRESS.sub("192.0.2.1", _MAIL.sub("somebody@example.org", text))
        return _PREFIX.sub("service", _BROKER_URL.sub(BROKER, text))


def shortened(text: str) -> str:
    """Give a long text by its length and digest."""
    if len(text) <= LONGEST_TEXT:
        return text
    import hashlib

    return f"<{len(text)} characters, sha256 {hashlib.sha256(text.encode()).hexdigest()}>"
