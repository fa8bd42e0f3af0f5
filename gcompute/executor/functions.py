"""The functions that an executor has registered, or is about to.

``submit(fn, ...)`` looks its function up here, in the caller's thread; what is new is
serialized at once, and registered with the service by the sender before its first batch.
A plain function is known by identity, for as long as it lives. Another callable (a bound method,
a partial, an object) may have changed since, so it is known by its serialized text; and so is a
new function, since a lambda in a loop is a new one in each round.
"""

from __future__ import annotations

import hashlib
import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from types import FunctionType
from typing import Any, TypeVar

from gcompute.forking import tell_of_forks
from gcompute.registration import function_registration
from gcompute.serialize import ComputeSerializer

K = TypeVar("K")

#: Functions that are known by their text, or by their id; one more, and the one that was used
#: longest ago is forgotten, to be registered anew.
_REMEMBERED = 10_000


class FunctionReference:
    """A function that tasks refer to: registered, or with what it takes to register it.

    Attributes:
        name: for messages.
        registration: the body that registers it, which may be large; ``None`` once that is done.
        function_id: its id, once registered.
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

    def registered(self, function_id: str) -> None:
        """Note its id; called by the sender's thread."""
        self.function_id = function_id
        self.registration = None


class FunctionCache:
    """Finds the reference of a callable. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: By id of the callable, with what gives it while it lives; then its entry goes.
        self._living: dict[int, tuple[Callable[[], object], FunctionReference]] = {}
        #: By a digest of the serialized text; the one that was used longest ago comes first.
        self._texts: OrderedDict[bytes, FunctionReference] = OrderedDict()
        #: Functions known by id alone, by that; in the same order.
        self._ids: OrderedDict[str, FunctionReference] = OrderedDict()
        #: Ids by source code.
        self._sources: dict[str, str] = {}
        tell_of_forks(self)

    def abandon(self) -> None:
        """Be usable in a forked process: whoever held the lock is not there."""
        self._lock = threading.Lock()

    def known(self, function: Callable[..., Any]) -> FunctionReference | None:
        """Give the reference of a callable that was given an id explicitly or seen before."""
        entry = self._living.get(id(function))
        return entry[1] if entry is not None and entry[0]() is function else None

    def remember(self, function: Callable[..., Any], reference: FunctionReference) -> None:
        """Make a callable known by identity."""
        key = id(function)
        try:
            alive: Callable[[], object] = weakref.ref(
                function, partial(_forget, weakref.ref(self), key)
            )
        except TypeError:  # of a kind that cannot be watched: it is kept, and its id with it
            alive = partial(_same, function)
        self._living[key] = alive, reference

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
        name = registration["function_name"]
        digest = hashlib.sha256(
            f"{name}\n{registration['function_code']}".encode("utf-8", "replace")
        )
        made = FunctionReference(name, registration=registration)
        with self._lock:
            reference = self.known(function)  # by another thread, meanwhile
            if reference is None:
                reference = _latest(self._texts, digest.digest(), made)
                if isinstance(function, FunctionType):
                    self.remember(function, reference)
            return reference

    def registered(self, function_id: str) -> FunctionReference:
        """Give the reference of a function that is known by its id alone."""
        made = FunctionReference(f"function {function_id}", function_id=function_id)
        with self._lock:
            return _latest(self._ids, function_id, made)

    def known_source(self, source: str) -> str | None:
        """Give the id under which source code was registered."""
        with self._lock:
            return self._sources.get(source)

    def remember_source(self, source: str, function_id: str) -> None:
        """Note the id of source code."""
        with self._lock:
            self._sources[source] = function_id


def _latest(
    references: OrderedDict[K, FunctionReference], key: K, made: FunctionReference
) -> FunctionReference:
    """Give the reference of a key, a new one where there is none; it is the latest now."""
    reference = references.setdefault(key, made)
    references.move_to_end(key)
    if len(references) > _REMEMBERED:
        references.popitem(last=False)
    return reference


def _same(function: Callable[..., Any]) -> object:
    return function


def _forget(cache: weakref.ref[FunctionCache], key: int, _ended: object) -> None:
    # In any thread, at any moment, also while it has the lock: so this takes none.
    alive = cache()
    if alive is not None:
        alive._living.pop(key, None)
