"""The launcher's end of a service process, without the process."""

from __future__ import annotations

import fcntl
import os
import resource
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import IO, cast

import pytest

from gcompute.local.service_process import handshake
from gcompute.local.settings import Settings

FIRST = 1100


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process have more files than `select` knows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard <= FIRST + 1:
        pytest.skip("this machine allows no process so many files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, FIRST + 2), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.usefixtures("many_files")
def test_a_process_with_many_files_starts_a_service(tmp_path: Path) -> None:
    """It hears where the service is, whatever the number of the file that it reads."""
    reading, writing = os.pipe()
    high = fcntl.fcntl(reading, fcntl.F_DUPFD_CLOEXEC, FIRST)
    os.close(reading)
    with open(high, "rb") as stdout, open(os.devnull, "wb") as stdin, open(writing, "wb") as answer:
        answer.write(b'{"url": "http://here"}\n')
        answer.flush()
        process = SimpleNamespace(stdin=cast(IO[bytes], stdin), stdout=cast(IO[bytes], stdout))
        settings = Settings(state_dir=str(tmp_path))
        told = handshake(cast("subprocess.Popen[bytes]", process), settings)
    assert told == {"url": "http://here"}
