"""Objects of either package's classes, pickled by reference, are the other's of the same role."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from .catalogue import Sample
from .exchange import DIRECTIONS, OFFICIAL, OURS, Exchange, Peer, peer

_HOME = "type(value).__module__.partition('.')[0] == PACKAGE and "

#: An expression of either package, and what is true of it when it is loaded.
OBJECTS = [
    Sample(expression, _HOME + probe)
    for expression, probe in [
        ("package.ShellResult('c', 'o', 'e', 1)", "value.stderr == 'e'"),
        (
            "package.ShellFunction('echo {x}', stdout='o', walltime=9, name='f')",
            "(value.cmd, value.stdout, value.walltime, value.__name__)"
            " == ('echo {x}', 'o', 9, 'f')",
        ),
        (
            "package.MPIFunction('a {x}', return_dict=True)",
            "value.return_dict and type(value).__name__ == 'MPIFunction'",
        ),
        (
            "package.errors.MaxResultSizeExceeded(5, 4)",
            "str(value) == 'Task result of 5B exceeded current limit of 4B'",
        ),
        (
            "package.errors.TaskExecutionFailed('boom', '12.5', {'os': 'x'})",
            "(value.remote_data, value.completion_t, value.task_details['os'])"
            " == ('boom', '12.5', 'x')",
        ),
        ("package.errors.SerializationError('why')", "str(value) == 'Serialization failed: why'"),
        ("package.errors.DeserializationError('why')", "value.reason == 'why'"),
        ("package.errors.SerdeError('why')", "value.reason == 'why'"),
        ("package.errors.TaskPending('why')", "str(value) == 'Task is pending due to why'"),
        ("package.errors.VersionMismatch('why')", "value.version_message == 'why'"),
        ("package.errors.ComputeError('why')", "value.args == ('why',)"),
        ("package.serialize.JSONData()", "value.serialize([1]) == '11\\n[1]'"),
        (
            "package.serialize.ComputeSerializer(strategy_data=package.serialize.JSONData)",
            "value.deserialize(value.serialize({'a': 1})) == {'a': 1}",
        ),
        ("package.serialize.AllowlistWildcard.DATA", "value.name == 'DATA'"),
    ]
]


@pytest.fixture(scope="module")
def beside() -> Iterator[Peer]:
    """A worker of ours in an environment that has the official package as well."""
    with peer(OURS, beside=True) as worker:
        yield worker


@pytest.mark.parametrize("sample", OBJECTS, ids=lambda sample: sample.name)
@pytest.mark.parametrize("direction", DIRECTIONS, ids=lambda d: " to ".join(d))
def test_objects_arrive_as_the_readers_own(
    between: Exchange, direction: tuple[str, str], sample: Sample
) -> None:
    """The reader needs no other package than its own."""
    assert between.outcome(direction, "DillDataBase64", sample) == "yes"


@pytest.mark.parametrize("sample", OBJECTS, ids=lambda sample: sample.name)
@pytest.mark.parametrize("writer", [OFFICIAL, OURS])
def test_ours_are_meant_also_where_both_are_installed(
    between: Exchange, beside: Peer, writer: str, sample: Sample
) -> None:
    """The class that the user knows comes back, whatever else can be imported."""
    text = between.text(writer, "DillDataBase64", sample.name)["text"]
    assert beside.ask("load", text=text, probe=sample.probe) == {"holds": True}


def test_official_objects_are_sent_as_they_are() -> None:
    """Where both are installed, an official ShellFunction can be submitted through ours."""
    with peer(OURS, script="samples.py", beside=True) as user, peer(OFFICIAL) as worker:
        expression = "importlib.import_module('globus_compute_sdk').ShellFunction('echo {x}')"
        text = user.ask("write", expression=expression, strategy="DillCode")["text"]
        probe = "value(x=3).stdout == '3\\n'"
        assert worker.ask("load", text=text, probe=probe) == {"holds": True}


@pytest.mark.parametrize("writer", [OFFICIAL, OURS])
@pytest.mark.parametrize("reader", [OFFICIAL, OURS])
def test_a_user_runtime_arrives(between: Exchange, writer: str, reader: str) -> None:
    """With both of its parts, which the official package nests in the class."""
    module = {OFFICIAL: "sdk.batch", OURS: "runtime"}[writer]
    expression = f"importlib.import_module('{writer}.{module}').create_user_runtime()"
    probe = (
        "type(value).__module__.startswith(PACKAGE) and value.platform.machine"
        " and type(value.python).__module__.startswith(PACKAGE)"
        " and value.python.version_tuple[0] == 3"
    )
    text = between.users[writer].ask("write", expression=expression, strategy="DillDataBase64")
    answer = between.workers[reader].ask("load", text=text["text"], probe=probe)
    assert answer == {"holds": True}


def test_what_we_have_no_counterpart_for_is_said(between: Exchange) -> None:
    """The official Batch does not load here, and the error says what would help."""
    expression = "importlib.import_module('globus_compute_sdk.sdk.batch').Batch"
    text = between.users[OFFICIAL].ask("write", expression=expression, strategy="DillCode")["text"]
    answer = between.workers[OURS].ask("load", text=text, probe="True")
    assert answer["error"] == "DeserializationError"
    assert "globus_compute_sdk.sdk.batch.Batch" in answer["reason"]
    assert "install globus-compute-sdk" in answer["reason"]


def test_the_official_package_is_not_pretended_to_be_there(between: Exchange) -> None:
    """Loading its objects does not make it importable."""
    sample = OBJECTS[0]
    assert between.outcome((OFFICIAL, OURS), "DillDataBase64", sample) == "yes"
    expression = "__import__('globus_compute_sdk')"
    answer = between.workers[OURS].ask("evaluate", expression=expression)
    assert answer["error"] == "ModuleNotFoundError"
