"""Pickles: plain values at once, all others by dill.

Most arguments and results are numbers, text, and lists and dicts of these. For them the
standard library's pickler, written in C, gives what dill's gives in a seventh of the time, no
code runs when they are loaded, and dill need not even be imported.
"""

from __future__ import annotations

import functools
import io
import pickle
from types import ModuleType
from typing import Any, NoReturn

from gcompute.errors import SerializationError
from gcompute.forking import no_fork

#: What dill writes, and every Python since 3.4 reads.
_PROTOCOL = 4


class BytecodeRefused(SerializationError):
    """A value carries bytecode, and was to be sent without."""


class _NotPlain(Exception):
    """A value that only dill can handle as endpoints expect it."""


class _PlainPickler(pickle.Pickler):
    # Called for everything but exact instances of the built-in plain types.
    def reducer_override(self, obj: Any) -> NoReturn:
        raise _NotPlain


class _PlainUnpickler(pickle.Unpickler):
    # Called for everything but the built-in plain types.
    def find_class(self, module_name: str, global_name: str) -> NoReturn:
        raise _NotPlain


def dumps(value: Any, *, bytecode: bool = True) -> bytes:
    """Pickle a value; see :func:`gcompute.serialize.dill_pickling.dumps`."""
    file = io.BytesIO()
    # What dill raises is not a consequence of this, so it is done outside of the handler.
    try:
        _PlainPickler(file, _PROTOCOL).dump(value)
        return file.getvalue()
    except _NotPlain:
        pass
    pickled: bytes = _dill_pickling().dumps(value, bytecode=bytecode)
    return pickled


def loads(data: bytes) -> Any:
    """Load a pickle; see :func:`gcompute.serialize.dill_pickling.loads`."""
    try:
        return _PlainUnpickler(io.BytesIO(data)).load()
    except _NotPlain:
        pass
    return _dill_pickling().loads(data)


@functools.cache
def _dill_pickling() -> ModuleType:
    with no_fork:
        from . import dill_pickling
    return dill_pickling
