"""Making a text fit to be shown to strangers.

Two nets: the secrets that are known, since this process holds them, are cut out wherever they
stand; what looks like a secret is cut out as well, since logs and error texts hold others. Cutting
too much is the lesser evil. Beside secrets: the home folder becomes ``~``, the user's name goes,
and of an e-mail address so much stays that its owner recognizes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

CUT = "<redacted>"

#: Shorter ones would cut ordinary words.
_SHORTEST_SECRET = 6
_SHORTEST_NAME = 3
#: Names that tell nothing about anybody.
_COMMON_NAMES = frozenset({"root", "user", "ubuntu", "admin", "nobody", "runner", "jovyan"})

#: What looks like a secret, in the order in which it is looked for.
_LOOKS: tuple[tuple[re.Pattern[str], str], ...] = (
    # Credentials in a URL: user and password, or a lone token.
    (re.compile(r"://[^\s/:@'\"<>]{0,100}:[^\s'\"<>]{0,300}@"), f"://{CUT}@"),
    (re.compile(r"://[^\s/@'\"<>]{1,300}@"), f"://{CUT}@"),
    (re.compile(r"\b(Bearer|Basic)\s+[\w.~+/=-]{6,}", re.IGNORECASE), rf"\1 {CUT}"),
    # A field that is named like a secret: in a query, JSON, YAML, a repr, a header.
    (
        re.compile(
            r"(?<![\w-])([\w-]{0,60}(?:token|secret|passw(?:or)?d|authorization|api[_-]?key|credential)s?"
            r"[\"']?\s*[:=]\s*[\"']?)[^\s\"',;&}]+",
            re.IGNORECASE,
        ),
        rf"\1{CUT}",
    ),
    # The code of a login.
    (re.compile(r"\b(code=)[^\s\"',;&}]+"), rf"\1{CUT}"),
    # JSON Web Tokens.
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), CUT),
    # Opaque tokens: long, of digits, small and capital letters. UUIDs and hashes are none.
    (
        re.compile(
            r"(?<![\w-])(?=[\w-]*\d)(?=[\w-]*[a-z])(?=[\w-]*[A-Z])[A-Za-z0-9_-]{32,}(?![\w-])"
        ),
        CUT,
    ),
)
_EMAIL = re.compile(r"\b([\w%+])[\w.%+-]{0,64}@((?:[\w-]{1,63}\.)+\w{2,})")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SOMEBODYS_HOME = re.compile(r"(/(?:home|Users)/)[^/\s'\":,]+")


class Redactor:
    """Cuts out what strangers must not see.

    Secrets may be added at any time, from any thread; what is redacted afterwards lacks them.

    Args:
        home: the home folder, where there is one.
        user: the name of the user, where it is known.
    """

    def __init__(self, *, home: Path | None = None, user: str = "") -> None:
        self._home = _home_pattern(home)
        tells = len(user) >= _SHORTEST_NAME and user not in _COMMON_NAMES
        self._user = re.compile(rf"(?<![\w]){re.escape(user)}(?![\w])") if tells else None
        self._secrets: set[str] = set()
        #: What stands for something that is to be recognized, but not to be read.
        self._masks: dict[str, str] = {}

    def add(self, *secrets: str | None) -> None:
        """Add secrets that this process holds; an empty one is none."""
        for secret in secrets:
            if secret and len(secret) >= _SHORTEST_SECRET:
                self._secrets |= {secret, quote(secret, safe="")}

    def mask(self, text: str, shown: str) -> None:
        """Have something shown otherwise."""
        self._masks[text] = shown

    def text(self, text: str) -> str:
        """Redact a text; control characters, which a terminal would obey, become ``?``."""
        text = _CONTROL.sub("?", text)
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, CUT)
        for whole, shown in self._masks.items():
            text = text.replace(whole, shown)
        for look, instead in _LOOKS:
            text = look.sub(instead, text)
        text = _EMAIL.sub(r"\1***@\2", text)
        if self._home is not None:
            text = self._home.sub("~", text)
        text = _SOMEBODYS_HOME.sub(r"\1<user>", text)
        return self._user.sub("<user>", text) if self._user is not None else text

    def value(self, value: Any) -> Any:
        """Redact every text in a value that JSON has; what JSON has not becomes text."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {self.text(str(key)): self._entry(key, entry) for key, entry in value.items()}
        if isinstance(value, list | tuple):
            return [self.value(entry) for entry in value]
        return self.text(str(value))

    def _entry(self, key: Any, entry: Any) -> Any:
        """Redact an entry of a mapping, by the look of key and text together."""
        if isinstance(entry, str) and CUT in self.text(f"{key}={entry or '-'}"):
            return self.text(entry) if CUT in self.text(entry) else CUT
        return self.value(entry)


def _home_pattern(home: Path | None) -> re.Pattern[str] | None:
    if home is None or home == Path(home.anchor):
        return None
    forms = {str(home), str(home.resolve())}
    return re.compile("(?:" + "|".join(map(re.escape, sorted(forms))) + r")(?![\w.-])")
