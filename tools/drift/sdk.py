"""The part that compares the official SDK that was recorded with the newest one.

Two things tell without a service what may have changed for scripts, and so for us: the public names
and what can be passed to them, and the environment variables that the source reads.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

from tests.surface.comparison import Import, compare
from tools.drift.exchanges import Recording
from tools.drift.findings import Difference, Part
from tools.drift.installed import Installed, read_installed
from tools.drift.newest import NewestUnavailable
from tools.drift.variables import environment_variables

REASONS = "tools/drift/explained.yaml"

#: What is compared: the distribution, its package, and the modules whose names count. globus_sdk
#: is a dependency of ours like any other, but for its clients of Compute, which ours stand beside.
PACKAGES = {
    "globus-compute-sdk": ("globus_compute_sdk", ("*",)),
    "globus-sdk": ("globus_sdk", ("globus_sdk.services.compute",)),
}
SDK = "globus-compute-sdk"


def compare_sdk(recorded: str, newest: Callable[[], str], recordings: Iterable[Recording]) -> Part:
    """Compare what both interpreters have.

    Args:
        recorded: an interpreter that has the SDK that was recorded.
        newest: gives one that has the newest.
        recordings: what was recorded with it.

    Raises:
        InstalledUnreadable: an interpreter cannot tell what it has.
    """
    part = Part("sdk", "the official SDK that was recorded, and the newest one", REASONS)
    try:
        python = newest()
    except NewestUnavailable as error:
        part.not_compared.append(str(error))
        return part
    for distribution, (package, modules) in PACKAGES.items():
        before, now = (
            read_installed(each, distribution, package, *modules) for each in (recorded, python)
        )
        compare_packages(part, distribution, before, now)
        if distribution == SDK:
            compare_variables(part, before.folder, now.folder)
            part.differences += other_versions(before.version, recordings)
    return part


def other_versions(version: str, recordings: Iterable[Recording]) -> Iterator[Difference]:
    """Name what was not recorded with the version that is compared, the first of a kind."""
    made_with: dict[str, str] = {}
    for recording in recordings:
        told = re.search(rf"\b{SDK} ([^\s,]+)", recording.head.get("client", ""))
        made_with.setdefault(told[1] if told else "an unknown version", recording.name)
    for other, name in sorted(made_with.items()):
        if other != version:
            yield Difference(f"recorded with {SDK} {other}, compared is {version}", name)


def compare_packages(part: Part, distribution: str, recorded: Installed, newest: Installed) -> None:
    """Compare the public names and arguments of one package in both environments."""
    common = [name for name in recorded.surface if name in newest.surface]
    done = compare([Import(name, name) for name in common], recorded.surface, newest.surface)
    part.compared.append(
        f"{distribution} {recorded.version}, newest {newest.version}: "
        f"{done.names} names and {done.parameters} parameters in {len(common)} modules"
    )
    package, _ = PACKAGES[distribution]
    found = {
        Difference(f"{package}.{each.path.removeprefix(f'{package}.')}: {each.kind}", each.detail)
        for each in done.differences
    }
    part.differences += sorted(found)
    part.differences += _sides("module ", recorded.surface, newest.surface)


def compare_variables(part: Part, recorded: Path, newest: Path) -> None:
    """Compare the environment variables that the SDK's source reads."""
    before, now = environment_variables(recorded), environment_variables(newest)
    part.compared.append(f"{len(before)} environment variables of {SDK}")
    files = {name: ", ".join(where) for name, where in {**before, **now}.items()}
    part.differences += _sides("environment variable ", before, now, files)


def _sides(
    kind: str,
    before: Mapping[str, object],
    now: Mapping[str, object],
    details: Mapping[str, str] | None = None,
) -> Iterator[Difference]:
    """Give what only one side has."""
    for name in sorted(before.keys() ^ now.keys()):
        what = "missing" if name in before else "added"
        yield Difference(f"{kind}{name}: {what}", (details or {}).get(name, ""))
