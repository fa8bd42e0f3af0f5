"""``docs/local-users.md``: its example prints what the page says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from gcompute.local.names import LOGINS

PAGE = (Path(__file__).parents[3] / "docs" / "local-users.md").read_text()


def test_the_example_prints_what_the_page_says(tmp_path: Path) -> None:
    """As a script of a user, in a folder of its own."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.M | re.S)
    (output,) = re.findall(r"^```text\n(.*?)^```$", PAGE, re.M | re.S)
    script = tmp_path / "users.py"
    script.write_text(code)
    ran = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ran.returncode, ran.stdout) == (0, output), ran.stderr


def test_the_page_has_the_number_of_logins() -> None:
    """That stay good for new connections."""
    assert f"The newest {LOGINS} of a user" in PAGE
