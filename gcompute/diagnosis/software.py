"""Checks of what is installed here."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, requires, version

from gcompute import __version__
from gcompute.diagnosis.outcome import Outcome, ok, problem
from gcompute.protocol import PROTOCOL_LEVEL

#: What decides about connections and about what is sent.
_SHOWN = ("dill", "pika", "httpx", "globus-sdk")
_OFFICIAL = "globus-compute-sdk"


def check_versions() -> Outcome:
    """Name versions, and compare dependencies with what this package asks for."""
    installed = {name: installed_version(name) for name in _SHOWN}
    details = {
        "gcompute": __version__,
        "protocol_level": PROTOCOL_LEVEL,
        "python": platform.python_version(),
        "implementation": platform.python_implementation(),
        "platform": platform.platform(),
        **installed,
    }
    found = (
        f"gcompute {__version__}, protocol level {PROTOCOL_LEVEL}, "
        f"{details['implementation']} {details['python']} on {details['platform']}\n"
        + ", ".join(f"{name} {number or 'missing'}" for name, number in installed.items())
    )
    wrong = _unmet()
    if wrong:
        return problem(
            found + "\nnot as needed: " + "; ".join(wrong),
            "Install this package again, best in a virtual environment of its own: its "
            "dependencies come with it.",
            **details,
            unmet=wrong,
        )
    return ok(found, **details)


def check_official_sdk() -> Outcome:
    """Tell whether the official package is beside this one; both can be."""
    number = installed_version(_OFFICIAL)
    text = f"{_OFFICIAL} {number} is beside us" if number else f"{_OFFICIAL} is not installed here"
    return ok(text, version=number)


def installed_version(name: str) -> str | None:
    """Give the version of an installed distribution."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _unmet() -> list[str]:
    """Say which requirements of this package are not met; extras are left out."""
    from packaging.requirements import Requirement

    try:
        needed = [Requirement(text) for text in requires("gcompute") or ()]
    except PackageNotFoundError:
        return []  # a checkout that was not installed: its requirements are not known
    wrong = []
    for one in needed:
        if one.marker is not None and not one.marker.evaluate({"extra": ""}):
            continue
        number = installed_version(one.name)
        if number is None:
            wrong.append(f"{one.name}{one.specifier} is missing")
        elif not one.specifier.contains(number, prereleases=True):
            wrong.append(f"{one.name} {number} is not {one.specifier}")
    return wrong
