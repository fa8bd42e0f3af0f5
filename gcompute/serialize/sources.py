"""A function's source, as text that defines the function where nothing else is. Pure.

A callable goes in; its name and a source that defines that name come out. What could only fail
at the endpoint is refused here: lambdas, closures, decorators, methods, callables that no
source defines.

A callable of ours that is made of another one has that as ``_wire_inner``, and gives its own name
and source, made from those of the other, by ``_wire_source(name, source)``.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import sys
import textwrap
from collections.abc import Callable
from types import FunctionType
from typing import Any

from gcompute.errors import SerializationError
from gcompute.forking import no_fork

from .counterparts import belongs_to_us, travelling_source
from .references import refuse_own_globals, used_globals


def source_by_inspect(function: Callable[..., Any]) -> tuple[str, str]:
    """Give a function's name and its source by :func:`inspect.getsource`, not indented.

    Raises:
        SerializationError: the source would not define the function.
        OSError: there is no source, as for what was typed at a prompt.
    """
    return _checked(function, lambda inner: textwrap.dedent(inspect.getsource(inner)))


def source_by_dill(function: Callable[..., Any]) -> tuple[str, str]:
    """Give a function's name and its source by ``dill.source.getsource``, not indented.

    dill also knows what was typed at a prompt. Raises as :func:`source_by_inspect`.
    """
    with no_fork:
        import dill.source

    return _checked(function, functools.partial(dill.source.getsource, lstrip=True))


def needs_its_module(function: Callable[..., Any]) -> bool:
    """Tell whether a function of an importable module uses that module's other names.

    Its source would load alone, and fail when it is called.
    """
    function = _inner_of(function) or function
    if not isinstance(function, FunctionType):
        return False
    known = dir(builtins)
    names = used_globals(function) - {function.__name__, *known}
    module = sys.modules.get(function.__module__ or "__main__")
    found = getattr(module, function.__qualname__, None)
    return bool(names) and found is function and function.__module__ != "__main__"


def _inner_of(function: Callable[..., Any]) -> Callable[..., Any] | None:
    """Give what a callable of ours is made of; ``None`` for all others."""
    return getattr(function, "_wire_inner", None) if belongs_to_us(function) else None


def _checked(
    function: Callable[..., Any], get_source: Callable[[Callable[..., Any]], str]
) -> tuple[str, str]:
    inner = _inner_of(function)
    if inner is not None:
        made: tuple[str, str] = function._wire_source(*_checked(inner, get_source))  # type: ignore[attr-defined]
        return made
    name = getattr(function, "__name__", None)
    if not isinstance(function, FunctionType | type):
        raise SerializationError(
            f"a {type(function).__name__} has no source of its own; only functions and classes have"
        )
    travelling = travelling_source(function.__module__)
    if travelling is not None:
        return function.__name__, travelling
    if not (isinstance(name, str) and name.isidentifier()):
        raise SerializationError(f"{name} has no name that its source defines; use def")
    if isinstance(function, FunctionType):
        _refuse_context(function)
    source = get_source(function)
    _refuse_incomplete(source, name)
    return name, source


def _refuse_context(function: FunctionType) -> None:
    inner = inspect.unwrap(function)
    free = getattr(getattr(inner, "__code__", None), "co_freevars", ())
    if free:
        raise SerializationError(
            f"{function.__qualname__} uses {', '.join(free)} of the function around it, which "
            "its source alone does not have; pass it as an argument"
        )
    refuse_own_globals(function)


def _refuse_incomplete(source: str, name: str) -> None:
    """Raise where running a source in an empty namespace would not give ``name``."""
    try:
        body = ast.parse(source).body
    except SyntaxError as error:
        raise SerializationError(f"the source found for {name} is no statement: {error}") from error
    kinds = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef
    definition = next((n for n in body if isinstance(n, kinds) and n.name == name), None)
    if definition is None:
        raise SerializationError(f"the source found for {name} does not define it")
    for decorator in definition.decorator_list:
        needed = {n.id for n in ast.walk(decorator) if isinstance(n, ast.Name)}
        missing = {n for n in needed if not hasattr(builtins, n)}
        if missing:
            raise SerializationError(
                f"{name} is decorated with {ast.unparse(decorator)}, and its source alone does "
                f"not have {', '.join(sorted(missing))}; send it with DillCode"
            )
