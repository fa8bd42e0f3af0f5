"""The ``engine`` argument of a local service, on its way to the agent's process. Pure.

The agent runs in a process of its own, so what makes the engine travels as an import path. In go
what a user may write, ``"package.module:factory"``, ``"./file.py:factory"`` or a function of a
module; out comes the path, with everything made absolute, and where to import from.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class EngineArgument:
    """What makes an engine; the fields are those of the agent's ``EngineSource``."""

    path: str
    options: dict[str, Any] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)


def engine_argument(
    engine: str | Callable[..., Any] | None, options: Mapping[str, Any] | None
) -> EngineArgument | None:
    """Check what a user gave, and prepare it for another process.

    Raises:
        ValueError: it cannot be found from another process.
    """
    if engine is None:
        if options:
            raise ValueError("engine_options are for an engine: pass engine, too")
        return None
    path = _checked(engine) if isinstance(engine, str) else _path_of(engine)
    return EngineArgument(path, _plain(options or {}), _folders())


def _checked(path: str) -> str:
    place, colon, name = path.rpartition(":")
    names = name.split(".") if place.endswith(".py") else [*place.split("."), *name.split(".")]
    if not colon or not all(part.isidentifier() for part in names):
        raise ValueError(
            f"engine must be 'package.module:factory' or './file.py:factory', not {path!r}"
        )
    if not place.endswith(".py"):
        return path
    file = Path(place).expanduser().absolute()
    if not file.is_file():
        raise ValueError(f"engine {path!r}: there is no file {file}")
    if not file.stem.isidentifier():
        raise ValueError(f"engine {path!r}: {file.name} cannot be imported; give it another name")
    return f"{file}:{name}"


def _path_of(factory: Callable[..., Any]) -> str:
    """Give the path of a function or class."""
    module, name = getattr(factory, "__module__", None), getattr(factory, "__qualname__", "")
    if module == "__main__":
        raise ValueError(
            f"engine {name} is defined in the script that runs, which the endpoint's process "
            "cannot import: put it in a module of its own"
        )
    found: Any = sys.modules.get(str(module))
    try:
        for part in name.split("."):
            found = getattr(found, part)
    except AttributeError:
        found = None
    if found is not factory:
        raise ValueError(
            f"engine {factory!r:.80} cannot be imported by its name: pass a function or class at "
            "the top level of a module, or its path"
        )
    return f"{module}:{name}"


def _plain(options: Mapping[str, Any]) -> dict[str, Any]:
    for name, value in options.items():
        try:
            same = json.loads(json.dumps(value)) == value
        except (TypeError, ValueError):
            same = False
        if not same or not isinstance(name, str):
            raise ValueError(
                f"engine_options[{name!r}] must be a plain value, as in JSON, not {value!r:.80}: "
                "what is more belongs into the factory"
            )
    return dict(options)


def _folders() -> list[str]:
    """Give where this process imports from; the present folder always."""
    folders = (os.path.abspath(folder) for folder in [*sys.path, ""])
    return list(dict.fromkeys(folders))
