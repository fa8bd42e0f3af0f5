"""Finding the strategy that is meant, and the name that an endpoint knows it by.

Strategies are named by instance, class or import path. Import paths may be the official
package's (``globus_compute_sdk.serialize.JSONData``): those are what travels to endpoints as
``result_serializers``, and they mean our strategy of the same name here.
Source: ``docs/wire.md#serialized-buffers``.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Iterable
from typing import Any

from gcompute.errors import SerdeError

from . import strategies as _strategies
from .base import SerializationStrategy
from .counterparts import is_own

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
    if is_own(cls.__module__):
        # A variant of ours is known to endpoints by what it varies.
        bundled = next(c for c in cls.__mro__ if c.__module__ == _strategies.__name__)
        return f"{_OFFICIAL_MODULES[-1]}.{bundled.__name__}"
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
