"""Names of parametrized tests that are the same in every process, as pytest-xdist needs them."""

from __future__ import annotations

import re


def stable(value: object) -> str:
    """Describe a value, without the address at which it is."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))
