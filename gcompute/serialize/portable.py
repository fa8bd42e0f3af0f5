"""Strategies for an endpoint with another Python: nothing that they write contains bytecode.

Bytecode belongs to one minor version of Python. Another one refuses it, crashes on it, or runs
it wrongly, so what could only go as bytecode is refused here, before it is sent. What they
write is read by the official strategies whose identifiers it has.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from gcompute.errors import SerializationError

from .base64_lines import to_base64
from .packing import pack_buffers
from .pickling import BytecodeRefused, dumps
from .sources import needs_its_module
from .strategies import (
    AllCodeStrategies,
    DillCode,
    DillDataBase64,
    PureSourceDill,
    PureSourceTextInspect,
)


class PortableCode(AllCodeStrategies):
    """A function by reference where a module or the official package has it, else as source."""

    def serialize(self, data: Any) -> str:
        """Write the ways that work, the reference first.

        Raises:
            SerializationError: there is only bytecode; the text says why there is no source.
        """
        buffers = []
        with suppress(BytecodeRefused):
            buffers.append(DillCode.identifier + to_base64(dumps(data, bytecode=False)))
        if not (buffers and needs_its_module(data)):
            buffers += self._sources(data, needed=not buffers)
        return self.identifier + pack_buffers(buffers)

    def _sources(self, data: Any, *, needed: bool) -> list[str]:
        failures: list[Exception] = []
        for strategy in (PureSourceTextInspect(), PureSourceDill()):
            try:
                return [strategy.serialize(data)]
            except Exception as error:
                failures.append(error)
        if needed:
            raise SerializationError(
                "the endpoint's Python cannot run bytecode of this one, and there is no source "
                f"to send: {getattr(failures[0], 'reason', failures[0])}"
            ) from ExceptionGroup("what each strategy says", failures)
        return []


class PortableData(DillDataBase64):
    """Data by dill, without functions and classes of the user's script."""

    survives_versions = True

    def serialize(self, data: Any) -> str:
        """Pickle, in base64.

        Raises:
            SerializationError: the value carries bytecode.
        """
        try:
            return self.identifier + to_base64(dumps(data, bytecode=False))
        except BytecodeRefused as error:
            raise SerializationError(
                f"{error.reason}, which the endpoint's Python cannot run; pass plain data, or "
                "put the class or function into a module that is installed there"
            ) from error
