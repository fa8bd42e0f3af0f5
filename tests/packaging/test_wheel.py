"""The wheel, installed by pip in an empty virtual environment as a user would.

One wheel is built and installed for all tests here; pip gets the dependencies from the package
index. Statements run in that environment, from a folder that holds nothing of this repository.
"""

import json
import shutil
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: For the first test, which has pip fetch and install what it needs.
pytestmark = pytest.mark.timeout(900)

#: Runs statements that leave a JSON value in `result`, and returns it.
Evaluate = Callable[[str], object]


@pytest.fixture(scope="module")
def python(wheel: Path, make_environment: Callable[..., Path]) -> Path:
    """The interpreter of an environment that holds the wheel, its dependencies and no more."""
    return make_environment(wheel)


@pytest.fixture(scope="module")
def evaluate(python: Path, run: Callable[..., str]) -> Evaluate:
    """Run statements in that environment."""

    def evaluate_there(statements: str) -> object:
        code = f"{statements}\nimport json\nprint(json.dumps(result))"
        return json.loads(run(python, "-c", code, cwd=python.parent))

    return evaluate_there


def test_wheel_holds_two_packages_and_no_more(wheel: Path) -> None:
    """The two import packages and the metadata, byte code and tools left out."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"gcompute", "gcompute_api"}
    assert not [name for name in names if name.endswith(".pyc")]


def test_both_packages_import_from_the_environment(python: Path, evaluate: Evaluate) -> None:
    """Both packages come from the wheel, typed, and with all that they need."""
    result = evaluate(
        "import gcompute, gcompute_api\n"
        "from importlib.resources import files\n"
        "packages = [gcompute, gcompute_api]\n"
        "result = [[p.__file__, files(p).joinpath('py.typed').is_file()] for p in packages]\n",
    )
    assert isinstance(result, list)
    for file, typed in result:
        assert Path(file).is_relative_to(python.parents[1])
        assert typed


def test_every_generated_operation_imports(evaluate: Evaluate) -> None:
    """The declared dependencies are all that the generated package needs."""
    result = evaluate(
        "import importlib, pkgutil, gcompute_api\n"
        "found = pkgutil.walk_packages(gcompute_api.__path__, 'gcompute_api.')\n"
        "result = [importlib.import_module(m.name).__name__ for m in found]\n",
    )
    assert isinstance(result, list)
    assert len(result) > 100


def test_document_is_carried_along(evaluate: Evaluate) -> None:
    """The installed package holds the document that the repository has."""
    carried = evaluate(
        "import json\nfrom importlib.resources import files\n"
        "result = json.loads(files('gcompute_api').joinpath('openapi.json').read_text('utf-8'))\n",
    )
    ours = ROOT / "generated" / "gcompute_api" / "openapi.json"
    assert carried == json.loads(ours.read_text("utf-8"))


def test_users_get_types(python: Path, run: Callable[..., str]) -> None:
    """A program is checked strictly, with no settings of this repository, by the wheel's types."""
    program = shutil.copy(Path(__file__).with_name("typed_program.py"), python.parent)
    options = ["--strict", "--config-file", "", "--cache-dir", python.parent / "cache"]
    said = run(
        *(sys.executable, "-m", "mypy", *options, "--python-executable", python, program),
        cwd=python.parent,
    )
    assert "no issues found" in said


@pytest.mark.parametrize("name", ["tests", "codegen", "tools", "benchmarks"])
def test_nothing_of_the_repository_is_installed_beside_them(evaluate: Evaluate, name: str) -> None:
    """Tests and tools stay in the repository."""
    statements = f"import importlib.util\nresult = importlib.util.find_spec({name!r}) is None"
    assert evaluate(statements) is True
