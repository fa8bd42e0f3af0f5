"""Every way in which a package's source reads the environment is found."""

from pathlib import Path

import pytest

from tools.drift.variables import WHOLE, environment_variables


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import os\nos.environ['A']", {"A"}),
        ("from os import environ\nenviron.get('A', 1)", {"A"}),
        ("import os\nos.getenv('A')", {"A"}),
        ("from os import getenv\ngetenv('A')", {"A"}),
        ("import os\nif 'A' in os.environ: pass", {"A"}),
        ("import os\nif 'A' not in os.environ: pass", {"A"}),
        ("import os\nos.environ['A'] = '1'", {"A"}),
        ("import os\nos.environ.pop('A', None)", {"A"}),
        ("import os\nos.environ.setdefault('A', '1')", {"A"}),
        ("import os\nNAME = 'A'\ndef f(): return os.environ.get(NAME)", {"A"}),
        ("import os\nNAME: str = 'A'\nos.environ.get(NAME)", {"A"}),
        ("import os\nclass C:\n    NAME = 'A'\n    def f(self): os.getenv(self.NAME)", {"A"}),
        ("import os\nos.environ.get(f'X_{1}')", {"<f'X_{1}'>"}),
        ("import os\ndict(os.environ)", {WHOLE}),
        ("import os\nos.environ.copy()", {WHOLE}),
        ("import os\nx = os.environ\nos.getenv('A')", {"A", WHOLE}),
        ("class C:\n    def get(self, name): pass\nC().get('A')", set()),
        ("'os.environ is not read here'", set()),
    ],
)
def test_ways_to_read(tmp_path: Path, source: str, found: set[str]) -> None:
    """By key, by constant, by a computed key, and as a whole."""
    (tmp_path / "module.py").write_text(source, "utf-8")
    assert environment_variables(tmp_path).keys() == found


def test_files_are_told(tmp_path: Path) -> None:
    """A constant of one module is known in another; each file that reads is named."""
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "names.py").write_text("NAME = 'A'\n", "utf-8")
    for name in ("one.py", "deep/two.py"):
        (tmp_path / name).write_text("import os\nos.environ[NAME]\n", "utf-8")
    assert environment_variables(tmp_path) == {"A": ["deep/two.py", "one.py"]}
