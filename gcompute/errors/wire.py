"""Two sides that do not understand each other."""

from __future__ import annotations

from gcompute.errors.base import ComputeError


class MalformedMessage(ComputeError):
    """Bytes that are no message of the wire's protocol; the text says what is wrong."""


class VersionMismatch(ComputeError):
    """This client's protocol level is older than the service accepts."""

    def __init__(self, version_message: str) -> None:
        super().__init__(version_message)
        self.version_message = version_message
