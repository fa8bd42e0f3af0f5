"""A package index of files, with releases of an SDK that is made up."""

from __future__ import annotations

import zipfile
from pathlib import Path

CLIENT = '''
import os

SCOPE = os.environ.get("SDK_SCOPE")


class Client:
    def run(self, function_id, *, endpoint_id=None):
        """Run."""
'''


def write_sdk(index: Path, version: str, client: str = CLIENT) -> None:
    """Add a release of the SDK, and of the package that it needs, to an index."""
    _write_wheel(
        index,
        "globus_compute_sdk",
        version,
        {
            "__init__.py": "from .client import Client\n\n__all__ = ['Client']\n",
            "client.py": client,
        },
        requires="globus-sdk",
    )
    service = "services/compute/__init__.py"
    modules = {
        "__init__.py": "",
        "services/__init__.py": "",
        service: "class ComputeClientV3: ...\n",
    }
    _write_wheel(index, "globus_sdk", "4.9.1", modules)


def _write_wheel(
    index: Path, package: str, version: str, modules: dict[str, str], requires: str | None = None
) -> None:
    index.mkdir(exist_ok=True)
    metadata = f"Metadata-Version: 2.1\nName: {package}\nVersion: {version}\n"
    metadata += f"Requires-Dist: {requires}\n" if requires else ""
    files = {f"{package}/{name}": text for name, text in modules.items()}
    folder = f"{package}-{version}.dist-info"
    files[f"{folder}/METADATA"] = metadata
    files[f"{folder}/WHEEL"] = "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    record = "".join(f"{name},,\n" for name in [*files, f"{folder}/RECORD"])
    with zipfile.ZipFile(index / f"{package}-{version}-py3-none-any.whl", "w") as wheel:
        for name, text in {**files, f"{folder}/RECORD": record}.items():
            wheel.writestr(name, text)
