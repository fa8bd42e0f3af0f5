"""One side of an exchange, as a script: ``peer.py PACKAGE``, run by that package's interpreter.

Serves one JSON object a line on standard input, each answered by one on standard output, and
ends with the input. Uses nothing but the package and the standard library.

``{"do": "write", "expression", "strategy"}`` gives ``{"text"}``; in the expression stand the
names of the script.
``{"do": "load", "text", "probe"}`` gives ``{"holds"}``: whether the probe is true of the value.
``{"do": "evaluate", "expression"}`` gives ``{"value"}``; ``package`` and ``serialize`` are names.
``{"do": "describe", "path"}`` gives ``{"members"}``: the parameters of each public method of a
class below the package, ``[name, kind, default]`` each, and ``null`` for other attributes.
What goes wrong is answered by ``{"error"}``, the exception's name, and ``{"reason"}``.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import io
import json
import math
import pathlib
import sys
from collections.abc import Callable
from typing import Any


def main() -> None:
    """Serve until the input ends."""
    package = sys.argv[1]
    serialize = importlib.import_module(f"{package}.serialize")
    # What functions print, or commands write, is not for the other side of the pipe.
    answers = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), write_through=True)
    sys.stdout = sys.stderr
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = _ACTIONS[request.pop("do")](package, serialize, **request)
        except BaseException as error:
            answer = {"error": type(error).__name__, "reason": str(error)}
        answers.write(json.dumps(answer) + "\n")


def write(_: str, serialize: Any, expression: str, strategy: str) -> dict[str, Any]:
    """Serialize what the script defines."""
    value = eval(expression, sys.modules["__main__"].__dict__)
    chosen = getattr(serialize, strategy)
    kind = "strategy_code" if chosen.for_code else "strategy_data"
    serializer = serialize.ComputeSerializer(**{kind: chosen()})
    if chosen.for_code == callable(value):
        return {"text": serializer.serialize(value)}
    return {"text": chosen().serialize(value)}


def load(package: str, serialize: Any, text: str, probe: str) -> dict[str, Any]:
    """Load a text and look at what came out."""
    value = serialize.ComputeSerializer().deserialize(text)
    names = {"asyncio": asyncio, "math": math, "pathlib": pathlib, "PACKAGE": package}
    return {"holds": bool(eval(probe, {"value": value, **names}))}


def evaluate(package: str, serialize: Any, expression: str) -> dict[str, Any]:
    """Evaluate an expression in which ``package`` and ``serialize`` are the modules."""
    names = {"package": importlib.import_module(package), "serialize": serialize}
    return {"value": eval(expression, names)}


def describe(package: str, _: Any, path: str) -> dict[str, Any]:
    """Say what a class offers."""
    module, _, name = f"{package}.{path}".rpartition(".")
    cls = getattr(importlib.import_module(module), name)
    names = [n for n in dir(cls) if not n.startswith("_")] + ["__init__", "__call__"]
    return {"members": {n: parameters(getattr(cls, n)) for n in names if hasattr(cls, n)}}


def parameters(member: Any) -> list[list[str]] | None:
    """List a method's parameters."""
    if not inspect.isroutine(member):
        return None
    if member is object.__init__:
        return []
    found = inspect.signature(member).parameters.values()
    return [[p.name, p.kind.name, repr(p.default)] for p in found if p.name != "self"]


_ACTIONS: dict[str, Callable[..., dict[str, Any]]] = {
    "write": write,
    "load": load,
    "evaluate": evaluate,
    "describe": describe,
}

if __name__ == "__main__":
    main()
