"""The two sides of a comparison: interpreters that have one of the clients installed.

Code or an order for a driver goes in, JSON comes out. Each call is a process of its own, and ends
with the call, whatever happens.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

#: Two run in both interpreters, one against a running service, the other without any; the third
#: in ours, in the place of a client.
DRIVER = Path(__file__).with_name("driver.py")
LOCAL_DRIVER = Path(__file__).with_name("local_driver.py")
FLOOR_DRIVER = Path(__file__).with_name("floor_driver.py")

#: Seconds after which a process is given up and killed.
_TIMEOUT_S = 120.0


class BenchmarkFailed(Exception):
    """A measurement could not be made."""


@dataclass(frozen=True)
class Side:
    """An interpreter and the client in it.

    Attributes:
        name: the column of the table.
        python: path of the interpreter.
        package: import name of the client.
        distribution: its name as a distribution.
    """

    name: Literal["official", "ours"]
    python: str
    package: Literal["globus_compute_sdk", "gcompute"]
    distribution: str

    def evaluate(self, code: str) -> Any:
        """Run code in a fresh interpreter; give what it printed, as JSON.

        Raises:
            BenchmarkFailed: it failed; the message has what it wrote to standard error.
        """
        return self._run([self.python, "-I", "-c", code], "")

    def drive(self, order: Mapping[str, Any], driver: Path = DRIVER) -> dict[str, Any]:
        """Run a driver with an order; give its answer.

        Raises:
            BenchmarkFailed: as for :meth:`evaluate`.
        """
        order = {"package": self.package, **order}
        answer: dict[str, Any] = self._run([self.python, "-I", str(driver)], json.dumps(order))
        return answer

    def versions(self) -> dict[str, str]:
        """Give the versions of the client, of what it builds on, and of its Python."""
        names = [self.distribution, "globus-sdk", "dill", "pika"]
        versions: dict[str, str] = self.evaluate(
            "import importlib.metadata as m, json, platform\n"
            f"found = {{name: m.version(name) for name in {names!r}}}\n"
            "print(json.dumps(found | {'python': platform.python_version()}))"
        )
        return versions

    def _run(self, command: list[str], order: str) -> Any:
        # What the user has set for the hosted service is no business of a local measurement.
        environment = {k: v for k, v in os.environ.items() if not k.startswith("GLOBUS_")}
        try:
            done = subprocess.run(
                command,
                input=order,
                env=environment,
                capture_output=True,
                text=True,
                timeout=_TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            written = error.stderr or b""
            raise BenchmarkFailed(
                f"{self.name}: no answer in {_TIMEOUT_S:.0f} s\n"
                f"{written.decode(errors='replace')[-4000:]}"
            ) from error
        except OSError as error:
            raise BenchmarkFailed(f"{self.name}: cannot run {self.python}: {error}") from error
        if done.returncode:
            raise BenchmarkFailed(
                f"{self.name}: ended with exit code {done.returncode}\n{done.stderr[-4000:]}"
            )
        return json.loads(done.stdout.splitlines()[-1])


def official(python: str) -> Side:
    """Describe the official SDK, in the environment of an interpreter."""
    return Side("official", python, "globus_compute_sdk", "globus-compute-sdk")


def ours(python: str) -> Side:
    """Describe this client, in the environment of an interpreter."""
    return Side("ours", python, "gcompute", "gcompute")
