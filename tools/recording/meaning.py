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
        parts = (value.__defaults__, value.__kwdefaults__, cells, value.__annotations__)
        named = (value.__name__, value.__module__, value.__doc__)
        return ("function", named, _code(value.__code__), describe(parts))
    if isinstance(value, tuple | list | set | frozenset):
        each = map(describe, value)
        ordered = tuple(each) if isinstance(value, tuple | list) else frozenset(each)
        return (type(value).__name__, ordered)
    if isinstance(value, dict):
        return ("dict", tuple((describe(key), describe(each)) for key, each in value.items()))
    if hasattr(value, "__dict__") and not isinstance(value, type):
        return (type(value).__qualname__, describe(vars(value)))
    return (type(value).__qualname__, repr(value))


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
