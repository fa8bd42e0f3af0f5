"""Times as the API writes them."""

from __future__ import annotations

from datetime import UTC, datetime


def iso_time(unix_time_s: float) -> str:
    """Write a Unix time in seconds as ISO 8601 in UTC."""
    return datetime.fromtimestamp(unix_time_s, UTC).isoformat(timespec="microseconds")
