"""One object that serializes functions and data with the strategies it was given.

Strategies are named by instance, class or import path. Import paths may be the official
package's (``globus_compute_sdk.serialize.JSONData``): those are what travels to endpoints as
``result_serializers``, and they mean our strategy of the same name here.
Source: ``docs/wire.md#serialized-buffers``.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from gcompute.errors import DeserializationError, SerdeError, SerializationError

from . import strategies as _strategies
from .base import IDENTIFIER_LENGTH, SerializationStrategy, brief
from .packing import pack_buffers, unpack_buffers
from .strategies import DEFAULT_STRATEGY_CODE, DEFAULT_STRATEGY_DATA

#: How a strategy may be named.
Strategylike = SerializationStrategy | type[SerializationStrategy] | str

#: Where the official package keeps its strategies; a worker imports these paths.
_OFFICIAL_MODULES = ("globus_compute_sdk.serialize", "globus_compute_sdk.serialize.concretes")


def find_strategy(named: Strategylike, *, for_code: bool | None = None) -> SerializationStrategy:
    """Give the strategy that an instance, a class or an import path names.

    Args:
        named: the strategy.
        for_code: which kind is wanted; ``None`` for either.

    Raises:
        SerdeError: there is no such strategy, or it is of the other kind.
    """
    found = _import_strategy(named) if isinstance(named, str) else named
    if (
        inspect.isclass(found)
        and issubclass(found, SerializationStrategy)
        and not inspect.isabstract(found)
    ):
        found = found()
    if not isinstance(found, SerializationStrategy):
        raise SerdeError(
            f"{named!r} is no serialization strategy: give an instance or a subclass of "
            "gcompute.serialize.SerializationStrategy, or the import path of one"
        )
    if for_code is not None and found.for_code is not for_code:
        kinds = {True: "callables", False: "data"}
        raise SerdeError(
            f"{type(found).__name__} is for {kinds[found.for_code]}; "
            f"a strategy for {kinds[for_code]} is needed"
        )
    return found


def _import_strategy(path: str) -> Any:
    module_name, _, name = path.rpartition(".")
    if module_name in _OFFICIAL_MODULES:
        return getattr(_strategies, name, None)
    try:
        return getattr(importlib.import_module(module_name), name)
    except (ImportError, AttributeError, TypeError, ValueError) as error:
        raise SerdeError(f"cannot import the serialization strategy {path!r}: {error}") from error


def official_path(named: Strategylike) -> str:
    """Give the import path by which an endpoint finds a strategy.

    Endpoints have the official package and not this one, so our strategies are named by their
    official counterparts. A path that is not ours is left as it is.
    """
    if isinstance(named, str) and not named.startswith(f"{__package__}."):
        return named
    strategy = find_strategy(named)
    cls = type(strategy)
    if cls.__module__ == _strategies.__name__:
        return f"{_OFFICIAL_MODULES[-1]}.{cls.__name__}"
    return f"{cls.__module__}.{cls.__qualname__}"


def official_paths(named: Iterable[Strategylike] | None) -> list[str]:
    """Give the import paths of several strategies, in order; none for ``None``.

    Raises:
        TypeError: it is one path instead of a list of them.
        SerdeError: one is no strategy.
    """
    if isinstance(named, str):
        raise TypeError(f"result_serializers must be a list of strategies, not the text {named!r}")
    return [official_path(strategy) for strategy in named or ()]


class ComputeSerializer:
    """Serializes callables with one strategy and data with another; reads all strategies.

    Safe to use from many threads.

    Args:
        strategy_code: for callables; default :class:`~gcompute.serialize.DillCode`.
        strategy_data: for everything else; default
            :class:`~gcompute.serialize.DillDataBase64`.

    Raises:
        SerdeError: a strategy is unknown or of the wrong kind.
    """

    def __init__(
        self,
        strategy_code: Strategylike | None = None,
        strategy_data: Strategylike | None = None,
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
            return strategy.serialize(data)
        except Exception as error:
            raise SerializationError(
                f"{type(strategy).__name__} cannot serialize the {kind} {brief(data)}: "
                f"{type(error).__name__}: {error}"
            ) from error

    def deserialize(self, payload: str) -> Any:
        """Turn a text of any known strategy back into the object.

        Except for JSON, this runs code that the text's sender chose.

        Raises:
            DeserializationError: no known strategy wrote this, or it does not load here; the
                cause says why.
        """
        strategy = SerializationStrategy.find(payload[:IDENTIFIER_LENGTH])
        if strategy is None:
            raise DeserializationError(
                f"no known strategy writes texts that start with {payload[:IDENTIFIER_LENGTH]!r}"
            )
        try:
            return strategy.deserialize(payload)
        except Exception as error:
            raise DeserializationError(
                f"a text of {type(strategy).__name__} ({len(payload)} characters) does not load "
                f"here: {type(error).__name__}: {error}"
            ) from error

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
                    f"{brief(value)}: {type(cause).__name__}: {cause}"
                ) from error

    pack_buffers = staticmethod(pack_buffers)
    unpack_buffers = staticmethod(unpack_buffers)

    def unpack_and_deserialize(self, packed_buffer: str) -> tuple[Any, Any, Any]:
        """Load a task buffer: the function, its args and its kwargs.

        Raises:
            DeserializationError: there are not three buffers, or one does not load.
        """
        buffers = unpack_buffers(packed_buffer)
        if len(buffers) != 3:
            raise DeserializationError(
                f"a task has three buffers (function, args, kwargs), this one has {len(buffers)}"
            )
        function, args, kwargs = (self.deserialize(buffer) for buffer in buffers)
        return function, args, kwargs

    def check_strategies(
        self, function: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> tuple[Any, Any, Any]:
        """Send a call through both strategies and give what comes out at the other end.

        Raises:
            SerdeError: a part of the call does not survive.
        """
        return self.unpack_and_deserialize(
            pack_buffers([self.serialize(function)]) + self.pack_arguments(args, kwargs)
        )

    @staticmethod
    def serialize_from_list(data: Any, strategies: Iterable[Strategylike]) -> str:
        """Serialize with the first strategy that can; with the defaults where none is given.

        Raises:
            SerializationError: none can; the cause has what each says.
        """
        failures: list[Exception] = []
        for named in list(strategies) or [DEFAULT_STRATEGY_DATA, DEFAULT_STRATEGY_CODE]:
            try:
                return find_strategy(named, for_code=callable(data)).serialize(data)
            except Exception as error:
                failures.append(error)
        raise SerializationError(
            f"no strategy can serialize {brief(data)}: "
            + "; ".join(f"{type(e).__name__}: {e}" for e in failures)
        ) from ExceptionGroup("what each strategy says", failures)
