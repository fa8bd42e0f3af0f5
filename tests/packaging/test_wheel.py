"""The wheel, installed by pip in an empty virtual environment as a user would.

One wheel is built and installed for all tests here; pip gets the dependencies from the package
index. Statements run in that environment, from a folder that holds nothing of this repository.
"""

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

#: This environment without what would let the new one see this repository.
ENVIRONMENT = {
    **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
}


def run(*command: object, cwd: Path) -> str:
    """Run a command to its end and return what it printed; a failure shows all it said."""
    done = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the repository."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, cwd=folder)
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel, its dependencies and no more."""
    folder = tmp_path_factory.mktemp("empty")
    run(sys.executable, "-m", "venv", folder / "venv", cwd=folder)
    interpreter = folder / "venv" / "bin" / "python"
    run(interpreter, "-m", "pip", "install", "--quiet", wheel, cwd=folder)
    return interpreter


def evaluate(python: Path, statements: str) -> object:
    """Run statements that leave a JSON value in `result`, and return it."""
    code = f"{statements}\nimport json\nprint(json.dumps(result))"
    return json.loads(run(python, "-c", code, cwd=python.parent))


def test_wheel_holds_two_packages_and_no_more(wheel: Path) -> None:
    """The two import packages and the metadata, byte code and tools left out."""
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"gcompute", "gcompute_api"}
    assert not [name for name in names if name.endswith(".pyc")]


def test_both_packages_import_from_the_environment(python: Path) -> None:
    """Both packages come from the wheel, typed, and with all that they need."""
    result = evaluate(
        python,
        "import gcompute, gcompute_api\n"
        "from importlib.resources import files\n"
        "packages = [gcompute, gcompute_api]\n"
        "result = [[p.__file__, files(p).joinpath('py.typed').is_file()] for p in packages]\n",
    )
    assert isinstance(result, list)
    for file, typed in result:
        assert Path(file).is_relative_to(python.parents[1])
        assert typed


def test_every_generated_operation_imports(python: Path) -> None:
    """The declared dependencies are all that the generated package needs."""
    result = evaluate(
        python,
        "import importlib, pkgutil, gcompute_api\n"
        "found = pkgutil.walk_packages(gcompute_api.__path__, 'gcompute_api.')\n"
        "result = [importlib.import_module(m.name).__name__ for m in found]\n",
    )
    assert isinstance(result, list)
    assert len(result) > 100


def test_document_is_carried_along(python: Path) -> None:
    """The installed package holds the document that the repository has."""
    carried = evaluate(
        python,
        "import json\nfrom importlib.resources import files\n"
        "result = json.loads(files('gcompute_api').joinpath('openapi.json').read_text('utf-8'))\n",
    )
    ours = ROOT / "generated" / "gcompute_api" / "openapi.json"
    assert carried == json.loads(ours.read_text("utf-8"))


@pytest.mark.parametrize("name", ["tests", "codegen", "tools", "benchmarks"])
def test_nothing_of_the_repository_is_installed_beside_them(python: Path, name: str) -> None:
    """Tests and tools stay in the repository."""
    statements = f"import importlib.util\nresult = importlib.util.find_spec({name!r}) is None"
    assert evaluate(python, statements) is True
