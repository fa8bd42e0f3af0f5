"""What a serialized value means, so that two texts of it can be compared.

The same value and the same function are pickled in other bytes by another dill, and a function
knows the file and line that it came from. Here they are loaded and described: values by type and
content, functions by what they compute. Source: ``docs/wire.md#serialized-buffers``.

Bytecode is of one minor version of Python. Under another one, a pickled function is compared by
its strategy alone.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator
from typing import Any

from gcompute.errors import SerdeError
from gcompute.serialize import ComputeSerializer, unpack_buffers

#: Strategies whose payload is, or may be, bytecode.
_BYTECODE = ("01", "02", "10", "12")
_IDENTIFIERS = ("00", "01", "02", "03", "04", "10", "11", "12", "13", "sd", "st")


def meaning(text: str, python: str | None = None) -> Any:
    """Describe a text: what its buffers hold, or the text itself where it is none.

    Args:
        text: one serialized value, several that are packed, or any other text.
        python: the version of Python that wrote it; default this one's.
    """
    buffers = _unpacked(text)
    if buffers:
        return ("packed", *(_buffer(buffer, python) for buffer in buffers))
    return _buffer(text, python) if _is_buffer(text) else text


def _unpacked(text: str) -> list[str]:
    """Give the buffers that are packed in a text; none where it is something else.

    A length and a strategy may look alike: both are two digits and a newline.
    """
    if not text[:1].isdecimal():
        return []
    try:
        buffers = unpack_buffers(text)
    except SerdeError:
        return []
    return buffers if all(map(_is_buffer, buffers)) else []


def _is_buffer(text: str) -> bool:
    return text[:2] in _IDENTIFIERS and text[2:3] == "\n"


def _buffer(text: str, python: str | None) -> Any:
    strategy = text[:2]
    foreign = python is not None and python.split(".")[:2] != [*map(str, sys.version_info[:2])]
    if foreign and strategy in _BYTECODE:
        return ("bytecode of another Python", strategy)
    try:
        value = ComputeSerializer().deserialize(text)
    except Exception:  # a payload that was altered raises whatever its opcodes lead to
        return ("unreadable", text)
    return (strategy, describe(value))


def describe(value: Any) -> Any:
    """Describe a value by what makes it equal to another one."""
    if isinstance(value, types.FunctionType):
        cells = [cell.cell_contents for cell in value.__closure__ or ()]
        parts = (
            (value.__defaults__, value.__kwdefaults__, cells, value.__annotations__),
            _globals(value),
        )
        named = (value.__name__, value.__module__, value.__doc__)
        return ("function", named, _code(value.__code__), describe(parts))
    if isinstance(value, tuple | list | set | frozenset):
        each = map(describe, value)
        ordered = tuple(each) if isinstance(value, tuple | list) else frozenset(each)
        return (type(value).__name__, ordered)
    if isinstance(value, dict):
        return ("dict", tuple((describe(key), describe(each)) for key, each in value.items()))
    # Without a text of its own, an object is told by its place in memory.
    is_nameless = repr(value).endswith(f" at {id(value):#x}>")
    if (hasattr(value, "__dict__") or is_nameless) and not isinstance(value, type):
        return (type(value).__qualname__, _parts(value))
    return (type(value).__qualname__, repr(value))


def _parts(value: object) -> Any:
    """Describe an object by what it is pickled from; not all of that need be in its attributes."""
    try:
        reduced = value.__reduce_ex__(4)
    except TypeError:  # it cannot be pickled
        return repr(value)
    if isinstance(reduced, str):
        return reduced
    _make, arguments, *rest = reduced
    # What is left are the state, and iterators over items.
    return describe((arguments, *(list(e) if isinstance(e, Iterator) else e for e in rest)))


def _globals(function: types.FunctionType) -> dict[str, Any]:
    """Give what a function finds outside of itself, but functions: these may lead back to it."""
    names = _names(function.__code__)
    there = {name: function.__globals__[name] for name in names & function.__globals__.keys()}
    return {n: v for n, v in sorted(there.items()) if not isinstance(v, types.FunctionType)}


def _names(code: types.CodeType) -> set[str]:
    inner = (_names(each) for each in code.co_consts if isinstance(each, types.CodeType))
    return set(code.co_names).union(*inner)


def _code(code: types.CodeType) -> Any:
    """Describe bytecode without the place that it came from."""
    constants = [
        _code(each) if isinstance(each, types.CodeType) else describe(each)
        for each in code.co_consts
    ]
    return (
        code.co_name,
        code.co_code,
        tuple(constants),
        (code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars),
        (code.co_argcount, code.co_posonlyargcount, code.co_kwonlyargcount, code.co_flags),
    )
