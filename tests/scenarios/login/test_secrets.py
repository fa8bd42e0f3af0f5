"""Nothing that a program prints, logs, raises or leaves behind has a secret in it."""

from __future__ import annotations

import base64
import os
import re
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[3]
#: A URL with a password of the broker, also of those that this process never sees.
_BROKER_PASSWORD = re.compile(r"amqps?://[^\s:/@]+:[\w-]{20,}@")


def _lines_with(output: str, text: str) -> list[str]:
    return [line.strip()[:300] for line in output.splitlines() if text in line]


def test_no_secret_is_ever_seen(tmp_path: Path) -> None:
    """All logging on, every failure shown with its variables, all logs and command lines read."""
    secrets_file = tmp_path / "secrets"
    (tmp_path / "state").mkdir()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "tests.scenarios.login.talkative"),
            *(str(tmp_path / "state"), str(secrets_file)),
        ],
        cwd=_ROOT,
        env=os.environ | {"GLOBUS_COMPUTE_USER_DIR": str(tmp_path / "tokens")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=150,
    )
    output = done.stdout
    assert done.returncode == 0, output[-5000:]
    assert "done" in output.splitlines()  # connections are closed after it, and say so
    # The program really is talkative, and there really were secrets.
    for logger in ("DEBUG:globus_sdk", "DEBUG:httpcore", "INFO:httpx", "DEBUG:pika", "urllib3"):
        assert logger in output
    secrets = set(secrets_file.read_text().split())
    assert len(secrets) >= 10
    shown = [
        (text[:4], line)
        for text in secrets
        for form in (text, base64.b64encode(text.encode()).decode().rstrip("="))
        for line in _lines_with(output, form)
    ]
    assert shown == []
    assert _BROKER_PASSWORD.findall(output) == []
