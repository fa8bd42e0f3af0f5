"""The scenarios; importing this package registers them all."""

from tools.recording.scenarios import client, executor, operations, refusals

__all__ = ["client", "executor", "operations", "refusals"]
