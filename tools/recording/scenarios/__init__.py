"""The scenarios; importing this package registers them all."""

from tools.recording.scenarios import client, operations, refusals

__all__ = ["client", "operations", "refusals"]
