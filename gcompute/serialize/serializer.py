"""One object that serializes functions and data with the strategies it was given.

Source: ``docs/wire.md#serialized-buffers``.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gcompute.errors import DeserializationError, SerdeError, SerializationError

from . import allowlist as _allowlist
from .allowlist import DeserializerAllowlist
from .base import IDENTIFIER_LENGTH, SerializationStrategy, brief
from .callables import with_name
from .finding import Strategylike as Strategylike
from .finding import find_strategy
from .finding import official_path as official_path
from .finding import official_paths as official_paths
from .packing import pack_buffers, unpack_buffers
from .strategies import DEFAULT_STRATEGY_CODE, DEFAULT_STRATEGY_DATA


class ComputeSerializer:
    """Serializes callables with one strategy and data with another; reads all strategies.

    Safe to use from many threads.

    Loading a text runs code that its sender chose, unless it is JSON: a result is a pickle that
    the endpoint wrote, and whoever controls the endpoint can make it run anything here. Where
    that is too much trust, have results sent as JSON and allow nothing else, by
    :meth:`allowing` or ``Client(allowed_deserializers=...)``.

    Args:
        strategy_code: for callables; default :class:`~gcompute.serialize.DillCode`.
        strategy_data: for everything else; default
            :class:`~gcompute.serialize.DillDataBase64`.
        allowed_deserializer_types: the only strategies that may be loaded, at least one for
            code and one for data, or an
            :class:`~gcompute.serialize.AllowlistWildcard` for all of a kind. Without it, all may.

    Attributes:
        code_serializer: the strategy for callables.
        data_serializer: the strategy for everything else.
        allowed_deserializer_types: the classes that may be loaded; empty where all may.

    Raises:
        SerdeError: a strategy is unknown or of the wrong kind, or the allow-list lacks a kind.
    """

    #: Whether an empty ``allowed_deserializer_types`` means that nothing may be loaded.
    _only_allowed = False

    def __init__(
        self,
        strategy_code: Strategylike | None = None,
        strategy_data: Strategylike | None = None,
        *,
        allowed_deserializer_types: DeserializerAllowlist | None = None,
    ) -> None:
        self.code_serializer = (
            DEFAULT_STRATEGY_CODE
            if strategy_code is None
            else find_strategy(strategy_code, for_code=True)
        )
        self.data_serializer = (
            DEFAULT_STRATEGY_DATA
            if strategy_data is None
            else find_strategy(strategy_data, for_code=False)
        )
        self.allowed_deserializer_types = _allowlist.readers_of_both_kinds(
            allowed_deserializer_types
        )

    def allowing(self, types: DeserializerAllowlist) -> ComputeSerializer:
        """Give a serializer that writes as this one, and loads nothing but ``types``.

        For results: unlike the constructor's, the list may name one kind only, and then
        nothing of the other kind is loaded. An empty list allows nothing.

        Raises:
            SerdeError: a strategy is unknown, or is named beside the wildcard of its kind.
        """
        restricted = copy.copy(self)
        restricted.allowed_deserializer_types = _allowlist.readers(types)
        restricted._only_allowed = True
        return restricted

    def serialize(self, data: Any) -> str:
        """Turn a callable or a value into text.

        Raises:
            SerializationError: the strategy cannot handle it; the cause says why.
        """
        kind, strategy = (
            ("callable", self.code_serializer)
            if callable(data)
            else ("value", self.data_serializer)
        )
        try:
            return strategy.serialize(with_name(data) if strategy.for_code else data)
        except Exception as error:
            raise SerializationError(
                f"{type(strategy).__name__} cannot serialize the {kind} {brief(data)}: "
                f"{_reason(error)}"
            ) from error

    def deserialize(self, payload: str) -> Any:
        """Turn a text of any known strategy back into the object.

        Except for JSON, this runs code that the text's sender chose.

        Raises:
            DeserializationError: no known strategy wrote this, it may not be loaded here, or it
                does not load; the cause says why.
        """
        strategy = SerializationStrategy.find(payload[:IDENTIFIER_LENGTH])
        if strategy is None:
            raise DeserializationError(
                f"no known strategy writes texts that start with {payload[:IDENTIFIER_LENGTH]!r}"
            )
        self.assert_deserializer_allowed(strategy)
        try:
            return strategy.deserialize(payload)
        except Exception as error:
            raise DeserializationError(
                f"a text of {type(strategy).__name__} ({len(payload)} characters) does not load "
                f"here: {_reason(error)}"
            ) from error

    def assert_deserializer_allowed(self, strategy: SerializationStrategy) -> None:
        """Refuse a strategy that is not in the allow-list, where there is one.

        Raises:
            DeserializationError: it is not; the text says what is allowed.
        """
        allowed = self.allowed_deserializer_types
        if (allowed or self._only_allowed) and type(strategy) not in allowed:
            _allowlist.refuse(strategy, allowed)

    def pack_arguments(self, args: Sequence[Any], kwargs: dict[str, Any]) -> str:
        """Give a task's payload: the packed ``[args, kwargs]``.

        Raises:
            SerializationError: names the first argument that cannot be serialized.
        """
        try:
            return pack_buffers([self.serialize(args), self.serialize(kwargs)])
        except SerializationError as error:
            self._blame(args, kwargs, error)
            raise

    def _blame(
        self, args: Sequence[Any], kwargs: dict[str, Any], error: SerializationError
    ) -> None:
        """Raise an error that names the argument at fault, where one can be found."""
        named = [(f"argument {i}", v) for i, v in enumerate(args)]
        named += [(f"argument {k!r}", v) for k, v in kwargs.items()]
        for name, value in named:
            try:
                self.data_serializer.serialize(value)
            except Exception as cause:
                raise SerializationError(
                    f"{type(self.data_serializer).__name__} cannot serialize {name}, "
                    f"{brief(value)}: {_reason(cause)}"
                ) from error

    def survives(self, python_here: str, python_there: str) -> bool:
        """Say whether what this writes may be loaded by another Python.

        Args:
            python_here: version of this Python, as ``"3.11.7"``.
            python_there: version of the endpoint's.
        """
        if python_here.split(".")[:2] == python_there.split(".")[:2]:
            return True
        return self.code_serializer.survives_versions and self.data_serializer.survives_versions

    pack_buffers = staticmethod(pack_buffers)
    unpack_buffers = staticmethod(unpack_buffers)

    def unpack_and_deserialize(self, packed_buffer: str) -> list[Any]:
        """Load a task buffer: the function, its args and its kwargs.

        Raises:
            DeserializationError: there are not three buffers, or one does not load.
        """
        buffers = unpack_buffers(packed_buffer)
        if len(buffers) != 3:
            raise DeserializationError(
                f"a task has three buffers (function, args, kwargs), this one has {len(buffers)}"
            )
        return [self.deserialize(buffer) for buffer in buffers]

    def check_strategies(
        self, function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> list[Any]:
        """Send a call through both strategies and give what comes out at the other end.

        Returns:
            The function, its args and its kwargs.

        Raises:
            SerdeError: a part of the call does not survive.
        """
        return self.unpack_and_deserialize(
            pack_buffers([self.serialize(function)]) + self.pack_arguments(args, kwargs)
        )

    @staticmethod
    def serialize_from_list(data: Any, strategies: Iterable[Strategylike] | None) -> str:
        """Serialize with the first strategy that can; with the defaults where none is given.

        Raises:
            SerializationError: none can; the cause has what each says.
        """
        failures: list[Exception] = []
        for named in list(strategies or ()) or [DEFAULT_STRATEGY_DATA, DEFAULT_STRATEGY_CODE]:
            try:
                return find_strategy(named, for_code=callable(data)).serialize(data)
            except Exception as error:
                failures.append(error)
        raise SerializationError(
            f"no strategy can serialize {brief(data)}: " + "; ".join(map(_reason, failures))
        ) from ExceptionGroup("what each strategy says", failures)


def _reason(error: Exception) -> str:
    """Say why, without repeating that it failed."""
    if isinstance(error, SerdeError):
        return error.reason
    return f"{type(error).__name__}: {error}"
