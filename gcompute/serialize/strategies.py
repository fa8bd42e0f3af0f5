"""The strategies of the wire, each with the identifier that endpoints know it by.

Source: ``docs/wire.md#serialized-buffers``. Loading a text of any strategy but JSON runs code
that its sender chose.

``dill`` is imported when it is first needed, which keeps ``import gcompute`` light.
"""

from __future__ import annotations

import json
import re
from abc import ABC
from collections.abc import Callable
from typing import Any

from gcompute.errors import DeserializationError, SerializationError

from .base import ComboSerializationStrategy, SerializationStrategy
from .base64_lines import from_base64, to_base64
from .pickling import dumps, loads
from .sources import needs_its_module, source_by_dill, source_by_inspect


def _function_from_source(name: str, source: str) -> Callable[..., Any]:
    """Run a function's source, as endpoints do, and give the object of that name."""
    namespace: dict[str, Any] = {}
    exec(source, namespace)  # noqa: S102 - the format's definition
    function: Callable[..., Any] = namespace[name]
    return function


class DillDataBase64(SerializationStrategy):
    """Data by dill; the default."""

    identifier = "00\n"
    for_code = False

    def serialize(self, data: Any) -> str:
        """Pickle with dill, in base64."""
        return self.identifier + to_base64(dumps(data))

    def deserialize(self, payload: str) -> Any:
        """Unpickle with dill."""
        return loads(from_base64(self.chomp(payload)))


class JSONData(SerializationStrategy):
    """Data as JSON: safe to load, the same in every Python; tuples come back as lists."""

    identifier = "11\n"
    for_code = False
    survives_versions = True

    def serialize(self, data: Any) -> str:
        """Write JSON."""
        return self.identifier + json.dumps(data)

    def deserialize(self, payload: str) -> Any:
        """Read JSON."""
        return json.loads(self.chomp(payload))


class DillCode(SerializationStrategy):
    """A function by dill, bytecode included; the default.

    The endpoint needs the same minor version of Python.
    """

    identifier = "01\n"
    for_code = True

    def serialize(self, data: Any) -> str:
        """Pickle with dill, in base64."""
        return self.identifier + to_base64(dumps(data))

    def deserialize(self, payload: str) -> Any:
        """Unpickle with dill."""
        return loads(from_base64(self.chomp(payload)))


class PickleCode(SerializationStrategy):
    """A function by pickle; only for reading what was registered long ago."""

    identifier = "02\n"
    for_code = True

    def serialize(self, data: Any) -> str:
        """Refuse: nothing new is written this way."""
        raise SerializationError("PickleCode can only be read; use DillCode to send a function")

    def deserialize(self, payload: str) -> Any:
        """Unpickle."""
        return loads(from_base64(self.chomp(payload)))


class DillCodeTextInspect(SerializationStrategy):
    """A function's name and source (by inspect) in a pickle; superseded by
    :class:`PureSourceTextInspect`."""

    identifier = "03\n"
    for_code = True
    survives_versions = True

    def serialize(self, data: Any) -> str:
        """Pickle ``(name, source)``, in base64."""
        return self.identifier + to_base64(dumps(source_by_inspect(data)))

    def deserialize(self, payload: str) -> Any:
        """Run the source."""
        return _function_from_source(*loads(from_base64(self.chomp(payload))))


class DillCodeSource(SerializationStrategy):
    """A function's name and source (by dill) in a pickle; superseded by :class:`PureSourceDill`."""

    identifier = "04\n"
    for_code = True
    survives_versions = True

    def serialize(self, data: Any) -> str:
        """Pickle ``(name, source)``, in base64."""
        return self.identifier + to_base64(dumps(source_by_dill(data)))

    def deserialize(self, payload: str) -> Any:
        """Run the source."""
        return _function_from_source(*loads(from_base64(self.chomp(payload))))


def _function_from_named_source(payload: str) -> Callable[..., Any]:
    name, colon, source = payload.partition(":")
    if not colon:
        raise DeserializationError("a source text starts with the function's name and a colon")
    return _function_from_source(name, source)


class PureSourceTextInspect(SerializationStrategy):
    """A function's source, by :func:`inspect.getsource`: survives another Python version."""

    identifier = "st\n"
    for_code = True
    survives_versions = True

    def serialize(self, data: Any) -> str:
        """Write ``name:source``."""
        return self.identifier + ":".join(source_by_inspect(data))

    def deserialize(self, payload: str) -> Any:
        """Run the source."""
        return _function_from_named_source(self.chomp(payload))


class PureSourceDill(SerializationStrategy):
    """A function's source, by ``dill.source.getsource``, with its indentation removed."""

    identifier = "sd\n"
    for_code = True
    survives_versions = True

    def serialize(self, data: Any) -> str:
        """Write ``name:source``."""
        return self.identifier + ":".join(source_by_dill(data))

    def deserialize(self, payload: str) -> Any:
        """Run the source."""
        return _function_from_named_source(self.chomp(payload))


class _CodeCombination(ComboSerializationStrategy, ABC):
    def candidates(self, data: Any) -> tuple[type[SerializationStrategy], ...]:
        """Leave out the source where only its reference finds what the function uses."""
        return (DillCode,) if needs_its_module(data) else self.strategies


class CombinedCode(_CodeCombination):
    """Every way to send a function, joined by colons; superseded by :class:`AllCodeStrategies`.

    Sources contain colons themselves, so only what stands between the known identifiers can
    be told apart; the base64 texts, which come first, always can.
    """

    identifier = "10\n"
    for_code = True
    survives_versions = True
    strategies = (
        DillCodeSource,
        DillCode,
        DillCodeTextInspect,
        PureSourceDill,
        PureSourceTextInspect,
    )

    def deserialize(self, payload: str, variation: int = 0) -> Any:
        """Load the first text that loads, or one of them.

        Args:
            payload: what :meth:`serialize` gave.
            variation: which text to load, counted from 1; 0 for the first that loads.

        Raises:
            DeserializationError: none loads, or there is no such text.
        """
        if not variation:
            return super().deserialize(payload)
        buffers = self.split(self.chomp(payload))
        if not 0 < variation <= len(buffers):
            raise DeserializationError(
                f"text {variation} is asked for, of {len(buffers)} that there are"
            )
        return super().deserialize(self.identifier + self.join([buffers[variation - 1]]))

    def join(self, buffers: list[str]) -> str:
        """Write ``identifier:payload`` pairs, joined by colons."""
        return ":".join(f"{b[:3]}:{b[3:]}" for b in buffers)

    def split(self, joined: str) -> list[str]:
        """Cut before each known identifier that stands between colons."""
        known = "|".join(re.escape(cls.identifier) for cls in self.strategies)
        pieces = re.split(rf"(?:^|:)({known}):", joined)[1:]
        return [head + body for head, body in zip(pieces[::2], pieces[1::2], strict=True)]


class AllCodeStrategies(_CodeCombination):
    """A function as source and as bytecode: the endpoint takes the first that loads."""

    identifier = "12\n"
    for_code = True
    survives_versions = True
    strategies = (PureSourceTextInspect, PureSourceDill, DillCode)


class AllDataStrategies(ComboSerializationStrategy):
    """Data as JSON and by dill: the reader takes the first that loads."""

    identifier = "13\n"
    for_code = False
    survives_versions = True
    strategies = (JSONData, DillDataBase64)


DEFAULT_STRATEGY_CODE: SerializationStrategy = DillCode()
DEFAULT_STRATEGY_DATA: SerializationStrategy = DillDataBase64()
