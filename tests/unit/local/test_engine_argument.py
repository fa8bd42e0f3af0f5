"""What users may write as an engine."""

from __future__ import annotations

import concurrent.futures
import functools
import json
import os
from pathlib import Path

import pytest

from gcompute.local import LocalService
from gcompute.local.engine_argument import EngineArgument, engine_argument
from gcompute.local.settings import Settings


@pytest.mark.parametrize("path", ["loky:get_reusable_executor", "a.b_1:C.make"])
def test_an_import_path_stays_as_it_is(path: str) -> None:
    """It is looked up in the endpoint's process, which may be elsewhere one day."""
    argument = engine_argument(path, {"max_workers": 3})
    assert argument is not None
    assert (argument.path, argument.options) == (path, {"max_workers": 3})


def test_a_function_or_class_becomes_its_path() -> None:
    """What a module has at its top level can be found again by name."""
    for factory in (concurrent.futures.ThreadPoolExecutor, concurrent.futures.wait):
        argument = engine_argument(factory, None)
        assert argument is not None
        assert argument.path == f"{factory.__module__}:{factory.__name__}"


def test_a_file_becomes_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint's process runs in another folder."""
    (tmp_path / "mine.py").touch()
    monkeypatch.chdir(tmp_path)
    argument = engine_argument("./mine.py:make", None)
    assert argument is not None
    assert argument.path == f"{tmp_path}/mine.py:make"


def test_the_folders_to_import_from_travel_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All are absolute, and the present folder is one of them, as under ``python -m``."""
    monkeypatch.chdir(tmp_path)
    argument = engine_argument("a:b", None)
    assert argument is not None
    assert str(tmp_path) in argument.folders
    assert all(os.path.isabs(folder) for folder in argument.folders)
    assert len(set(argument.folders)) == len(argument.folders)


def _local() -> object:
    def inside() -> None: ...

    return inside


@pytest.mark.parametrize(
    ("engine", "options", "reason"),
    [
        ("loky", None, "'package.module:factory' or './file.py:factory', not 'loky'"),
        ("loky:", None, "not 'loky:'"),
        ("a b:c", None, "not 'a b:c'"),
        ("missing.py:make", None, "there is no file /.*missing.py"),
        (_local(), None, "cannot be imported by its name: pass a function"),
        (lambda: None, None, "cannot be imported by its name"),
        (functools.partial(_local), None, "cannot be imported by its name"),
        ("a:b", {"config": object()}, r"engine_options\['config'\] must be a plain value"),
        ("a:b", {"sizes": (1, 2)}, r"engine_options\['sizes'\] must be a plain value"),
        (None, {"size": 1}, "pass engine, too"),
    ],
)
def test_what_cannot_travel_is_refused(engine: object, options: object, reason: str) -> None:
    """At once, and with what to do instead."""
    with pytest.raises(ValueError, match=reason):
        LocalService(engine=engine, engine_options=options)  # type: ignore[arg-type]


def test_an_engine_without_an_endpoint() -> None:
    """It would never run a task."""
    with pytest.raises(ValueError, match="leave one out"):
        LocalService(workers=0, engine="a:b")


def test_a_function_of_the_script_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Importing the script in the endpoint's process would run it again."""

    def make() -> None: ...

    monkeypatch.setattr(make, "__module__", "__main__")
    with pytest.raises(ValueError, match="put it in a module of its own"):
        engine_argument(make, None)


def test_it_travels_in_the_settings() -> None:
    """As JSON, there and back."""
    settings = Settings(state_dir="/x", engine=EngineArgument("a:b", {"n": 1}, ["/y"]))
    assert Settings.from_line(settings.to_line()) == settings
    assert json.loads(Settings("/x").to_line())["engine"] is None
