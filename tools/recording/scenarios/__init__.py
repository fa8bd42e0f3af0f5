"""The scenarios; importing this package registers them all."""

from tools.recording.scenarios import client

__all__ = ["client"]
