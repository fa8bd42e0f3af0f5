"""The functions that scenarios run, as text.

They are compiled from text, in a namespace of their own, so that they are pickled by value and
alike wherever the scenarios play: with no folder of this machine in them, and no module that the
endpoint would have to have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

SOURCES = {
    "add": '''
def add(a, b=10):
    """Add two numbers."""
    return a + b
''',
    "double": '''
def double(x):
    """Say it twice."""
    return x * 2
''',
    "fail": '''
def fail(text):
    """Always fail."""
    raise LookupError(text)
''',
    "kind": '''
def kind(x):
    """Say what it is."""
    return type(x).__name__
''',
}


def function(name: str) -> Callable[..., Any]:
    """Give a function, as one of a script."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    exec(compile(SOURCES[name], "<recorded>", "exec"), namespace)  # noqa: S102  # text of ours
    made: Callable[..., Any] = namespace[name]
    return made
