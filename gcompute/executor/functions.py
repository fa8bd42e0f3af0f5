"""The functions that an executor has registered, or is about to.

``submit(fn, ...)`` looks its function up here, in the caller's thread; what is new is
serialized at once, and registered with the service by the sender before its first batch.
A plain function is known by identity. Another callable (a bound method, a partial, an object)
may have changed since, so it is known by its serialized text.
"""

from __future__ import annotations

import threading
import types
from collections.abc import Callable
from typing import Any

from gcompute.registration import function_registration
from gcompute.serialize import ComputeSerializer

#: Callables that are known by their text; one more, and one is forgotten, to be registered anew.
_REMEMBERED = 1_000


class FunctionReference:
    """A function that tasks refer to: registered, or with what it takes to register it.

    Attributes:
        name: for messages.
        registration: the body that registers it; ``None`` when only the id is known.
        function_id: its id, once registered. Written by the sender's thread.
    """

    __slots__ = ("function_id", "name", "registration")

    def __init__(
        self,
        name: str,
        *,
        registration: dict[str, Any] | None = None,
        function_id: str | None = None,
    ) -> None:
        self.name = name
        self.registration = registration
        self.function_id = function_id


class FunctionCache:
    """Finds the reference of a callable. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: By id of the function; the function is kept, so that the id stays its own.
        self._plain: dict[int, tuple[Callable[..., Any], FunctionReference]] = {}
        #: By serialized text; the one that was used longest ago comes first.
        self._others: dict[str, FunctionReference] = {}
        #: Functions known by id alone, by that.
        self._registered: dict[str, FunctionReference] = {}
        #: Ids by source code.
        self._sources: dict[str, str] = {}

    def known(self, function: Callable[..., Any]) -> FunctionReference | None:
        """Give the reference of a callable that was given an id explicitly or seen before."""
        with self._lock:
            entry = self._plain.get(id(function))
        return entry[1] if entry else None

    def remember(self, function: Callable[..., Any], reference: FunctionReference) -> None:
        """Make a callable known by identity."""
        with self._lock:
            self._plain[id(function)] = (function, reference)

    def find(
        self, function: Callable[..., Any], serializer: ComputeSerializer
    ) -> FunctionReference:
        """Give the reference of a callable, serializing it where it is new.

        Raises:
            ComputeError: the callable cannot be sent.
            TypeError: it is not callable.
        """
        reference = self.known(function)
        if reference is not None:
            return reference
        registration = function_registration(function, serializer)
        made = FunctionReference(registration["function_name"], registration=registration)
        if isinstance(function, types.FunctionType):
            with self._lock:
                return self._plain.setdefault(id(function), (function, made))[1]
        with self._lock:
            text = registration["function_code"]
            self._others[text] = reference = self._others.pop(text, made)
            if len(self._others) > _REMEMBERED:
                del self._others[next(iter(self._others))]
            return reference

    def registered(self, function_id: str) -> FunctionReference:
        """Give the reference of a function that is known by its id alone."""
        with self._lock:
            reference = self._registered.get(function_id)
            if reference is None:
                reference = FunctionReference(f"function {function_id}", function_id=function_id)
                self._registered[function_id] = reference
            return reference

    def known_source(self, source: str) -> str | None:
        """Give the id under which source code was registered."""
        with self._lock:
            return self._sources.get(source)

    def remember_source(self, source: str, function_id: str) -> None:
        """Note the id of source code."""
        with self._lock:
            self._sources[source] = function_id
