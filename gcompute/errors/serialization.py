"""Values that do not become text, and texts that do not become values."""

from __future__ import annotations

from gcompute.errors.base import ComputeError


class SerdeError(ComputeError):
    """Serializing or deserializing failed; ``reason`` says why."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SerializationError(SerdeError):
    """A function, an argument or a result cannot be turned into text."""

    def __str__(self) -> str:
        return f"Serialization failed: {self.reason}"


class DeserializationError(SerdeError):
    """A text from the wire cannot be turned into a value here."""

    def __str__(self) -> str:
        return f"Deserialization failed: {self.reason}"
