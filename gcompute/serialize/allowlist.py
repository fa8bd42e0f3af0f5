"""Which strategies may be loaded. Pure.

Loading a text of any strategy but JSON runs code that its sender chose; an allow-list says which
ones are trusted.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable

from gcompute.errors import DeserializationError, SerdeError

from . import strategies as _strategies
from .base import SerializationStrategy
from .finding import Strategylike, find_strategy


class AllowlistWildcard(enum.StrEnum):
    """Stands for all strategies of a kind in an allow-list."""

    #: All strategies for code that come with the package.
    CODE = "globus_compute_sdk.*Code"
    #: All strategies for data that come with the package.
    DATA = "globus_compute_sdk.*Data"


#: What an allow-list is given as: strategies, in each form that names one, and wildcards.
DeserializerAllowlist = Iterable[Strategylike | AllowlistWildcard]


def readers(allowed: DeserializerAllowlist) -> set[type[SerializationStrategy]]:
    """Give the classes that an allow-list allows to read.

    Raises:
        TypeError: it is one text instead of a list.
        SerdeError: a strategy is unknown, or is named beside the wildcard of its kind.
    """
    if isinstance(allowed, str):
        raise TypeError(f"an allow-list is a list of strategies, not the text {allowed!r}")
    given = list(allowed)
    wildcards = {wildcard for wildcard in AllowlistWildcard if wildcard in given}
    named = {_reader(value) for value in given if value not in wildcards}
    for wildcard in wildcards:
        beside = sorted(c.__name__ for c in named if c.for_code is _for_code(wildcard))
        if beside:
            raise SerdeError(
                f"AllowlistWildcard.{wildcard.name} already allows {', '.join(beside)}: give "
                "either the wildcard or single strategies of a kind, not both"
            )
    every = {c for c in _bundled() if any(c.for_code is _for_code(w) for w in wildcards)}
    return named | every


def readers_of_both_kinds(
    allowed: DeserializerAllowlist | None,
) -> set[type[SerializationStrategy]]:
    """Give the classes that may read; an empty set where all may.

    Raises:
        TypeError, SerdeError: see :func:`readers`.
        SerdeError: no strategy for code is named, or none for data.
    """
    if not allowed:
        return set()
    allowed_types = readers(allowed)
    for for_code, kind in ((True, "code"), (False, "data")):
        if not any(cls.for_code is for_code for cls in allowed_types):
            raise SerdeError(
                f"an allow-list needs at least one strategy or wildcard for code and one for "
                f"data; this one has none for {kind}: {_names(allowed_types)}"
            )
    return allowed_types


def refuse(strategy: SerializationStrategy, allowed: set[type[SerializationStrategy]]) -> None:
    """Raise for a strategy that is not in a list.

    Raises:
        DeserializationError: always; the text says what was sent and what is allowed.
    """
    kind, what = ("code", "function") if strategy.for_code else ("data", "value")
    same_kind = {cls for cls in allowed if cls.for_code is strategy.for_code}
    advice = (
        f"have the {what} serialized with one of these: {_names(same_kind)}"
        if same_kind
        else f"no strategy for {kind} is allowed"
    )
    raise DeserializationError(
        f"{type(strategy).__name__} is not in the list of strategies that may be loaded here; "
        f"{advice}"
    )


def _for_code(wildcard: AllowlistWildcard) -> bool:
    return wildcard is AllowlistWildcard.CODE


def _reader(named: Strategylike) -> type[SerializationStrategy]:
    """Give the class that reads what a strategy writes: a variant's texts are its parent's."""
    strategy = find_strategy(named)
    return type(SerializationStrategy.find(strategy.identifier) or strategy)


def _bundled() -> set[type[SerializationStrategy]]:
    """Give the strategies that both packages have, without those for old texts only."""
    return {
        cls
        for cls in vars(_strategies).values()
        if isinstance(cls, type)
        and issubclass(cls, SerializationStrategy)
        and cls.__module__ == _strategies.__name__
        and "identifier" in cls.__dict__
        and cls is not _strategies.PickleCode
    }


def _names(types: set[type[SerializationStrategy]]) -> str:
    return ", ".join(sorted(cls.__name__ for cls in types))
