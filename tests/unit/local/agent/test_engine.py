"""From an import path to an open Executor."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import pytest

from gcompute.local.agent.engine import Engine, EngineFailed, EngineSource

MODULE = '''
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager

said = []
NUMBER = 7

class Here(Executor):
    """Runs nothing; tells what is asked of it."""
    def __init__(self, **options):
        said.append(options)
    def shutdown(self, wait=True):
        said.append(f"shutdown {wait}")

@contextmanager
def around(**options):
    said.append("up")
    yield Here(**options)
    said.append("down")

@contextmanager
def around_nothing():
    yield 3
    said.append("down")

class Inside:
    @staticmethod
    def make():
        return Here()

def number():
    return 3

def fails():
    raise OSError("no licence")

def leaves():
    raise SystemExit("usage")
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give the name of a module of engines, which is in ``tmp_path`` and not yet importable."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.setenv("PATH", "/bin")
    name = f"engines_of_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    return name


def said(module: str) -> list[object]:
    """Give what the module's executors were asked."""
    noted: list[object] = sys.modules[module].said
    return noted


def test_a_class_of_a_module(module: str, tmp_path: Path) -> None:
    """It gets its options; the end waits for its tasks or does not."""
    source = EngineSource(f"{module}:Here", {"size": 3}, [str(tmp_path)])
    engine = Engine(source)
    assert isinstance(engine.executor, Executor)
    assert engine.name == "Here"
    engine.close(wait=True)
    Engine(source).close(wait=False)
    once = [{"size": 3}, "shutdown True"]
    assert said(module) == [*once, {"size": 3}, "shutdown False", "shutdown True"]


def test_a_context_manager_sets_up_and_takes_down(module: str, tmp_path: Path) -> None:
    """What an Executor needs lives as long as it does."""
    engine = Engine(EngineSource(f"{module}:around", {}, [str(tmp_path)]))
    assert said(module) == ["up", {}]
    engine.close(wait=True)
    assert said(module)[2:] == ["down"]


def test_a_file(module: str, tmp_path: Path) -> None:
    """It is a module like any other, so that its functions can be pickled."""
    engine = Engine(EngineSource(f"{tmp_path}/{module}.py:Inside.make"))
    assert type(engine.executor).__module__ == module
    engine.close(wait=True)


def test_programs_beside_the_interpreter_are_found(module: str, tmp_path: Path) -> None:
    """Also where its environment is not activated."""
    Engine(EngineSource(f"{module}:Here", {}, [str(tmp_path)])).close(wait=True)
    assert os.environ["PATH"].split(":") == [str(Path(sys.executable).parent), "/bin"]


@pytest.mark.parametrize(
    ("path", "options", "reason"),
    [
        (lambda _: "no_such_module:make", {}, "importing no_such_module raised ModuleNotFound"),
        (lambda m: f"{m}:nothing", {}, "has no nothing"),
        (lambda m: f"{m}:NUMBER", {}, "NUMBER is 7, not a function"),
        (lambda m: f"{m}:number", {}, "it gave 3, which is neither"),
        (lambda m: f"{m}:around_nothing", {}, "it gave 3, which is neither"),
        (lambda m: f"{m}:fails", {}, "making it raised OSError: no licence"),
        (lambda m: f"{m}:leaves", {}, "making it raised SystemExit: usage"),
        (lambda m: f"{m}:number", {"color": "red"}, "unexpected keyword argument 'color'"),
    ],
)
def test_what_is_no_engine(
    module: str,
    tmp_path: Path,
    path: Callable[[str], str],
    options: dict[str, str],
    reason: str,
) -> None:
    """The error names the path and the reason."""
    source = EngineSource(path(module), options, [str(tmp_path)])
    with pytest.raises(EngineFailed, match=reason) as caught:
        Engine(source)
    assert str(caught.value).startswith(f"engine {source.path}: ")


def test_a_file_that_hides_behind_another_module(tmp_path: Path, module: str) -> None:
    """A name that is taken is an error, and not the other module's function."""
    file = tmp_path / "json.py"
    file.write_text("def loads(): ...\n")
    with pytest.raises(EngineFailed, match="there is another module json"):
        Engine(EngineSource(f"{file}:loads"))
