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
        #: By serialized text.
        self._others: dict[str, FunctionReference] = {}

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
            return self._others.setdefault(registration["function_code"], made)
