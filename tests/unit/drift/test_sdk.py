"""What a newer SDK has more, less or otherwise is named."""

from pathlib import Path
from typing import Any

from tools.drift.exchanges import Recording
from tools.drift.findings import Part
from tools.drift.installed import Installed
from tools.drift.sdk import compare_packages, compare_variables, other_versions


def surface(*parameters: str, **modules: Any) -> dict[str, Any]:
    """Describe a package with one class, which has one method with these parameters."""
    described = [[name, "POSITIONAL_OR_KEYWORD", "None"] for name in parameters]
    method = {"what": "method", "parameters": described}
    client = {"what": "class", "home": "c.Client", "parameters": [], "members": {"run": method}}
    return {"globus_compute_sdk": {"Client": client}, **modules}


def compared(newest: dict[str, Any]) -> Part:
    """Compare a description with the one of `Client.run(a)`."""
    part = Part("sdk", "", "")
    before = Installed("4.19.0", Path(), surface("a"))
    compare_packages(part, "globus-compute-sdk", before, Installed("4.20.0", Path(), newest))
    return part


def test_the_same() -> None:
    """No difference, and the versions and how much was compared are told."""
    part = compared(surface("a"))
    assert part.differences == []
    assert part.compared == [
        "globus-compute-sdk 4.19.0, newest 4.20.0: 2 names and 1 parameters in 1 modules"
    ]


def test_arguments_names_and_modules() -> None:
    """More of each, and less."""
    newest = surface("b", globus_compute_sdk_new={})
    newest["globus_compute_sdk"]["Batch"] = {"what": "value"}
    assert [each.what for each in compared(newest).differences] == [
        "globus_compute_sdk.Batch: added",
        "globus_compute_sdk.Client.run(a): missing",
        "globus_compute_sdk.Client.run(b): added",
        "module globus_compute_sdk_new: added",
    ]
    assert [each.what for each in compared({}).differences] == [
        "module globus_compute_sdk: missing"
    ]


def test_variables(tmp_path: Path) -> None:
    """A variable that is read no more, and a new one with the file that reads it."""
    for folder, name in (("before", "OLD"), ("now", "NEW")):
        (tmp_path / folder).mkdir()
        source = f"import os\nos.getenv('{name}')\nos.getenv('BOTH')\n"
        (tmp_path / folder / "client.py").write_text(source, "utf-8")
    part = Part("sdk", "", "")
    compare_variables(part, tmp_path / "before", tmp_path / "now")
    assert [str(each) for each in part.differences] == [
        "environment variable NEW: added (client.py)",
        "environment variable OLD: missing (client.py)",
    ]
    assert part.compared == ["2 environment variables of globus-compute-sdk"]


def test_recordings_of_another_version() -> None:
    """What is compared is what was recorded; one recording of each other version is named."""
    heads = {
        "a.yaml": {"client": "globus-compute-sdk 4.19.0, globus-sdk 4.9.1"},
        "b.yaml": {"client": "globus-compute-sdk 4.18.0, globus-sdk 4.9.1"},
        "c.yaml": {"client": "globus-compute-sdk 4.18.0"},
        "d.yaml": {"client": "globus-sdk 4.19.0"},
        "e.yaml": {},
    }
    recordings = [Recording(name, head, ()) for name, head in heads.items()]
    assert [str(each) for each in other_versions("4.19.0", recordings)] == [
        "recorded with globus-compute-sdk 4.18.0, compared is 4.19.0 (b.yaml)",
        "recorded with globus-compute-sdk an unknown version, compared is 4.19.0 (d.yaml)",
    ]
