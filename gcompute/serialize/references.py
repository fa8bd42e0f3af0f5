"""Functions that would look for gcompute at an endpoint, found before they are sent. Pure.

A function of a script or notebook travels without its module's globals, so a name that stands
for something of ours there would be a NameError in the worker, long after the submit.
"""

from __future__ import annotations

import dis
from collections.abc import Iterator
from types import CodeType, FunctionType

from gcompute.errors import SerializationError

from .counterparts import belongs_to_us

ADVICE = (
    "endpoints do not have gcompute. Import what they have inside the function, such as "
    "'from globus_compute_sdk import ShellFunction', or pass plain data"
)


def refuse_own_globals(function: FunctionType) -> None:
    """Raise where a function, or one inside it, uses a global name that stands for gcompute.

    Raises:
        SerializationError: it does; the text names the names.
    """
    suspects = {name for name, value in function.__globals__.items() if belongs_to_us(value)}
    # Looking into bytecode takes longer than all the rest.
    found = suspects and suspects & used_globals(function)
    if found:
        names = ", ".join(repr(name) for name in sorted(found))
        raise SerializationError(
            f"{function.__qualname__} uses the global {names}, which is gcompute's; {ADVICE}"
        )


def used_globals(function: FunctionType) -> set[str]:
    """Give the global names, built-in ones included, that a function and those inside it read."""
    return {
        instruction.argval
        for code in _codes(function.__code__)
        for instruction in dis.get_instructions(code)
        if instruction.opname in _LOADS
    }


_LOADS = frozenset({"LOAD_GLOBAL", "LOAD_NAME"})


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
