"""An engine: any ``concurrent.futures.Executor``, from the import path of what makes it.

The factory is called in the agent's process with the engine's options, and what it gives is
entered as a context manager: an Executor is one, and a function with
``contextlib.contextmanager`` can set up what its Executor needs and take it down again.

Everything here blocks, and belongs to one thread.
"""

from __future__ import annotations

import importlib
import logging
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gcompute.errors import ComputeError

log = logging.getLogger(__name__)


class EngineFailed(ComputeError):
    """An engine cannot be had; the text says which and why."""


@dataclass(frozen=True)
class EngineSource:
    """Where an engine comes from."""

    #: ``package.module:factory`` or ``/folder/file.py:factory``.
    path: str
    #: Keyword arguments of the factory.
    options: Mapping[str, Any] = field(default_factory=dict)
    #: Folders to import from, after the interpreter's own.
    folders: Sequence[str] = ()


class Engine:
    """An engine that is open.

    Args:
        source: where it comes from.

    Raises:
        EngineFailed: its factory cannot be imported, or does not give an Executor.
    """

    def __init__(self, source: EngineSource) -> None:
        _prepare(source.folders)
        factory = _load(source.path)
        self._context: AbstractContextManager[Any]
        try:
            context = factory(**source.options)
            if not hasattr(type(context), "__enter__"):
                raise _no_executor(source.path, context)
            self._context = context
            executor = self._context.__enter__()
        except (Exception, SystemExit) as error:
            if isinstance(error, EngineFailed):
                raise
            log.exception("engine %s", source.path)
            raise EngineFailed(f"engine {source.path}: making it raised {_name(error)}") from error
        if not isinstance(executor, Executor):
            self._context.__exit__(None, None, None)
            raise _no_executor(source.path, executor)
        self.executor = executor

    @property
    def name(self) -> str:
        """What kind of Executor it is."""
        return type(self.executor).__name__

    def close(self, *, wait: bool) -> None:
        """Take the engine down.

        Args:
            wait: whether to let the tasks that it has end first.
        """
        if not wait:
            # Not every Executor knows cancel_futures.
            self.executor.shutdown(wait=False)
        self._context.__exit__(None, None, None)


def _prepare(folders: Sequence[str]) -> None:
    """Let the factory find modules, and its engine find programs, as the caller would."""
    sys.path += [folder for folder in folders if folder not in sys.path]
    # Parsl, for one, starts programs that are installed beside this interpreter.
    programs = str(Path(sys.executable).parent)
    search = os.environ.get("PATH", os.defpath).split(os.pathsep)
    if programs not in search:
        os.environ["PATH"] = os.pathsep.join([programs, *search])


def _load(path: str) -> Callable[..., Any]:
    place, _, name = path.rpartition(":")
    if place.endswith(".py"):
        file = Path(place)
        if str(file.parent) not in sys.path:
            sys.path.append(str(file.parent))
        place = file.stem
    else:
        file = None
    try:
        module = importlib.import_module(place)
    except (Exception, SystemExit) as error:
        log.exception("engine %s", path)
        raise EngineFailed(f"engine {path}: importing {place} raised {_name(error)}") from error
    found = getattr(module, "__file__", None)
    if file is not None and (found is None or not file.samefile(found)):
        raise EngineFailed(
            f"engine {path}: there is another module {place} ({found or 'built in'}); "
            "give the file another name"
        )
    try:
        factory: object = module
        for part in name.split("."):
            factory = getattr(factory, part)
    except AttributeError as error:
        raise EngineFailed(f"engine {path}: {place} has no {name}") from error
    if not callable(factory):
        raise EngineFailed(f"engine {path}: {name} is {factory!r:.80}, not a function or class")
    return factory


def _no_executor(path: str, found: object) -> EngineFailed:
    return EngineFailed(
        f"engine {path}: it gave {found!r:.80}, which is neither a concurrent.futures.Executor "
        "nor a context manager that gives one"
    )


def _name(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
