"""What a client's machine runs, as sent along with submits.

Endpoint administrators may use it to render a user's endpoint configuration.
Source: ``openapi/compute.yaml#/components/schemas/UserRuntime``.
"""

from __future__ import annotations

import functools
import importlib.metadata
import platform
import sys
from dataclasses import dataclass

from gcompute.forking import no_fork
from gcompute.protocol import PROTOCOL_LEVEL


@dataclass(frozen=True)
class PythonInfo:
    """The Python that runs the client.

    Attributes:
        version: ``"3.13.7"``.
        version_description: ``sys.version``.
        version_tuple: ``(3, 13, 7)``.
        version_info: ``(3, 13, 7, "final", 0)``.
        implementation: ``"CPython"``.
        compiler: ``"GCC 14.2.0"``.
    """

    version: str
    version_description: str
    version_tuple: tuple[int, int, int]
    version_info: tuple[int, int, int, str, int]
    implementation: str
    compiler: str


@dataclass(frozen=True)
class PlatformInfo:
    """The machine that runs the client, as :mod:`platform` describes it.

    Attributes:
        architecture: ``("64bit", "ELF")``.
        machine: ``"x86_64"``.
        node: the host's name.
        platform: ``"Linux-6.14.0-29-generic-x86_64-with-glibc2.39"``.
        processor: ``"x86_64"``, or empty where unknown.
        release: ``"6.14.0-29-generic"``.
    """

    architecture: tuple[str, str]
    machine: str
    node: str
    platform: str
    processor: str
    release: str


@dataclass(frozen=True)
class UserRuntime:
    """Versions and platform of a client.

    Attributes:
        globus_compute_sdk_version: the protocol level we speak (``"4.19.0"``).
        globus_sdk_version: the release of globus_sdk that is installed.
        python_version: ``sys.version``; superseded by ``python``.
        python: the Python.
        platform: the machine.
    """

    globus_compute_sdk_version: str
    globus_sdk_version: str
    python_version: str
    python: PythonInfo
    platform: PlatformInfo


# The official package nests the two classes.
UserRuntime.PythonInfo = PythonInfo  # type: ignore[attr-defined]
UserRuntime.PlatformInfo = PlatformInfo  # type: ignore[attr-defined]


@functools.cache
def create_user_runtime() -> UserRuntime:
    """Describe this process; looked up once a process."""
    with no_fork:  # platform has locks of its own
        return _look_up()


def _look_up() -> UserRuntime:
    info = sys.version_info
    return UserRuntime(
        globus_compute_sdk_version=PROTOCOL_LEVEL,
        globus_sdk_version=importlib.metadata.version("globus-sdk"),
        python_version=sys.version,
        python=PythonInfo(
            version=platform.python_version(),
            version_description=sys.version,
            version_tuple=(info.major, info.minor, info.micro),
            version_info=(info.major, info.minor, info.micro, info.releaselevel, info.serial),
            implementation=platform.python_implementation(),
            compiler=platform.python_compiler(),
        ),
        platform=PlatformInfo(
            architecture=platform.architecture(),
            machine=platform.machine(),
            node=platform.node(),
            platform=platform.platform(),
            processor=platform.processor(),
            release=platform.release(),
        ),
    )
