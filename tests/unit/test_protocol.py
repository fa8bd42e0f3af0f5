"""The numbers and names of the service."""

from __future__ import annotations

import subprocess
import sys

from packaging.version import Version

from gcompute import protocol


def test_the_protocol_level_is_a_release_of_the_official_package() -> None:
    """The service compares it as a version."""
    assert Version(protocol.PROTOCOL_LEVEL) >= Version("4.19.0")


def test_limits_are_those_of_the_service() -> None:
    """10 MB a request (decimal), 10 MiB a result (binary)."""
    assert protocol.MAX_REQUEST_BYTES == 10_000_000
    assert protocol.MAX_RESULT_BYTES == 10_485_760


def test_scope_and_server_are_those_of_globus_sdk() -> None:
    """The names under which globus_sdk keeps the service's tokens."""
    from globus_sdk.scopes import ComputeScopes

    assert ComputeScopes.resource_server == protocol.COMPUTE_RESOURCE_SERVER
    assert str(ComputeScopes.all) == protocol.COMPUTE_SCOPE


def test_importing_the_package_is_light() -> None:
    """Neither threads nor the heavy dependencies come with ``import gcompute``."""
    program = (
        "import sys, threading, gcompute\n"
        "heavy = {'dill', 'pika', 'httpx', 'globus_sdk', 'gcompute_api'} & set(sys.modules)\n"
        "print(sorted(heavy), threading.active_count())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[] 1"
