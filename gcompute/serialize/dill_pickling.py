"""Pickles by dill that mean the same here and at an endpoint.

A value goes in and bytes come out, and back. Endpoints have ``globus_compute_sdk`` and not this
package; here it may be the other way round. So our classes are written under their official
names (:mod:`.counterparts`), functions of ours as source, and official names are read as ours,
also where the official package is installed. Nothing else is touched: the import system does
not pretend that ``globus_compute_sdk`` is there.

What can fail: anything of ours that has no official counterpart is refused with a
:class:`~gcompute.errors.SerializationError` while writing, an official name without a
counterpart here with a :class:`~gcompute.errors.DeserializationError` while reading.

The module's name has ``dill`` in it for a reason: dill tells its own pickler from others by the
name of the module that defines it, and writes other bytes for others.
"""

from __future__ import annotations

import copyreg
import functools
import io
import pickle
import sys
from types import CodeType, FunctionType, ModuleType
from typing import Any

import dill

from gcompute.errors import ComputeError, DeserializationError, SerializationError

from . import counterparts
from .pickling import BytecodeRefused
from .references import ADVICE, refuse_own_globals

#: What multiprocessing calls the script in a process that it did not fork.
_SPAWNED = "__mp_main__"


class _WirePickler(dill.Pickler):  # type: ignore[misc]  # dill ships no types
    """dill's pickler, for readers that have the official package and not ours."""

    #: dill's: whether a function takes along the globals that it uses.
    _recurse: bool

    def __init__(self, file: io.BytesIO, *, bytecode: bool) -> None:
        super().__init__(file, dill.settings["protocol"])
        self._bytecode = bytecode

    def save(self, obj: Any, save_persistent_id: bool = True) -> None:
        """Write an object; called by pickle for each one that it meets."""
        if id(obj) in self.memo or not self._save_in_our_way(obj):
            super().save(obj, save_persistent_id)

    def _save_of_main(self, obj: FunctionType | type) -> bool:
        """Write what a script defines as that, also in a process that it spawned.

        It is the same module under both names, yet dill would only name the one. The functions
        have globals that no module has any more: what they use of these goes along.
        """
        if obj.__module__ != _SPAWNED or sys.modules["__main__"] is not sys.modules[_SPAWNED]:
            return False
        recurse, self._recurse = self._recurse, True
        obj.__module__ = "__main__"
        try:
            self.save(obj)
        finally:
            obj.__module__ = _SPAWNED
            self._recurse = recurse
        return True

    def _save_in_our_way(self, obj: Any) -> bool:
        """Write an object that dill alone would write so that endpoints cannot read it."""
        kind = type(obj)
        if kind is FunctionType:
            return self._save_function(obj)
        if issubclass(kind, type):
            return self._save_class(obj)
        if kind is ModuleType and counterparts.is_own(obj.__name__):
            raise SerializationError(f"it refers to the module {obj.__name__}; {ADVICE}")
        if kind is CodeType and not self._bytecode:
            raise BytecodeRefused(f"it carries the bytecode of {obj.co_qualname}")
        if issubclass(kind, ComputeError):
            self.save_reduce(*_reduce_error(obj), obj=obj)
        elif hasattr(kind, "_wire_reduce"):
            self.save_reduce(*obj._wire_reduce(), obj=obj)
        elif kind is functools.partial and obj.__dict__:
            # dill forgets a partial's attributes, its name among them.
            self.save_reduce(*obj.__reduce__(), obj=obj)
        else:
            return False
        return True

    def _save_class(self, cls: type) -> bool:
        if not counterparts.is_own(cls.__module__):
            return self._save_of_main(cls)
        official = counterparts.official_name(cls)
        if official is None:
            raise SerializationError(f"it refers to {cls.__module__}.{cls.__qualname__}; {ADVICE}")
        self._write_global(cls, official)
        return True

    def _save_function(self, function: FunctionType) -> bool:
        module = function.__globals__.get("__name__")
        if counterparts.is_own(module):
            official = counterparts.official_name(function)
            source = counterparts.travelling_source(str(module))
            if official is not None:
                self._write_global(function, official)
            elif source is not None and "." not in function.__qualname__:
                self.save_reduce(eval, (_expression(source, function.__name__),), obj=function)
            else:
                raise SerializationError(f"it refers to {module}.{function.__qualname__}; {ADVICE}")
            return True
        if function.__globals__ is sys.modules["__main__"].__dict__ and not self._recurse:
            refuse_own_globals(function)
        return self._save_of_main(function)

    def _write_global(self, obj: Any, name: counterparts.Name) -> None:
        self.write(pickle.GLOBAL + f"{name.module}\n{name.path}\n".encode())
        self.memoize(obj)


def _expression(source: str, name: str) -> str:
    """Write an expression whose value is the function of that name in a source."""
    return f"(lambda names: exec({source!r}, names) or names[{name!r}])({{}})"


def _reduce_error(error: ComputeError) -> tuple[Any, ...]:
    """Describe an error by the nearest class that endpoints have.

    What is lost that way is the class; the text and the attributes stay.
    """
    cls, state = type(error), dict(error.__dict__)
    if not counterparts.is_own(cls.__module__):
        return copyreg.__newobj__, (cls, *error.args), state  # type: ignore[attr-defined]
    nearest = next(c for c in cls.__mro__ if counterparts.official_name(c) is not None)
    return nearest, error.args if nearest is cls else (str(error),), state


class _WireUnpickler(dill.Unpickler):  # type: ignore[misc]  # dill ships no types
    """dill's unpickler, which finds our classes under their official names."""

    def find_class(self, module: str, name: str) -> Any:
        """Import what a pickle refers to; called by pickle for each name."""
        if not counterparts.is_official(module):
            return super().find_class(module, name)
        try:
            return counterparts.find_own(module, name)
        except LookupError:
            pass
        try:
            return super().find_class(module, name)
        except ImportError as error:
            raise DeserializationError(
                f"it refers to {module}.{name}, for which gcompute has no counterpart; install "
                "globus-compute-sdk beside it to load this"
            ) from error


def dumps(value: Any, *, bytecode: bool = True) -> bytes:
    """Pickle a value.

    Args:
        value: anything.
        bytecode: whether functions and classes may be sent as bytecode, which only the same
            minor version of Python can run.

    Raises:
        SerializationError: it refers to something that endpoints do not have.
        BytecodeRefused: it carries bytecode, and ``bytecode`` is false.
        Exception: whatever the value's own pickling raises.
    """
    file = io.BytesIO()
    _WirePickler(file, bytecode=bytecode).dump(value)
    return file.getvalue()


def loads(data: bytes) -> Any:
    """Load a pickle, which runs code that its sender chose.

    Raises:
        DeserializationError: it refers to something of the official package that we lack.
        Exception: whatever loading it raises.
    """
    return _WireUnpickler(io.BytesIO(data)).load()
