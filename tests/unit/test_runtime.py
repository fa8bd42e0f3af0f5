"""What a client's machine runs."""

from __future__ import annotations

import inspect
import json
import platform
import sys
from dataclasses import asdict

from gcompute import UserRuntime
from gcompute.runtime import create_user_runtime


def test_fields_are_those_of_the_reference() -> None:
    """Names and order of the documented constructors, the nested classes included."""

    def names(cls: type) -> list[str]:
        return list(inspect.signature(cls).parameters)

    assert names(UserRuntime) == [
        "globus_compute_sdk_version",
        "globus_sdk_version",
        "python_version",
        "python",
        "platform",
    ]
    assert names(vars(UserRuntime)["PythonInfo"]) == [
        "version",
        "version_description",
        "version_tuple",
        "version_info",
        "implementation",
        "compiler",
    ]
    assert names(vars(UserRuntime)["PlatformInfo"]) == [
        "architecture",
        "machine",
        "node",
        "platform",
        "processor",
        "release",
    ]


def test_it_describes_this_process() -> None:
    """Versions of what runs here, and the protocol level as the SDK's version."""
    runtime = create_user_runtime()
    assert runtime.globus_compute_sdk_version == "4.19.0"
    assert runtime.python_version == runtime.python.version_description == sys.version
    assert runtime.python.version_tuple == sys.version_info[:3]
    assert runtime.python.version_info == tuple(sys.version_info)
    assert runtime.platform.node == platform.node()
    assert create_user_runtime() is runtime


def test_it_travels_as_json() -> None:
    """Nothing in it is more than JSON can say."""
    assert json.loads(json.dumps(asdict(create_user_runtime())))["python"]["implementation"]
