"""Commands: ours on an official worker, theirs on ours, and the same text in the same case."""

from __future__ import annotations

import pytest

from .exchange import DIRECTIONS, OFFICIAL, OURS, Exchange

_SHOWN = [
    "package.ShellFunction('echo {x}')",
    "package.ShellFunction('  a\\nb\\n', stdout='o', stderr='e', walltime=1.5, name='f')",
    "package.ShellFunction('x' * 2000, snippet_lines=3, return_dict=True)",
    "package.ShellFunction('\\n'.join('abcdefghijklmn'))",
    "package.ShellFunction('a', walltime=0)",
    "package.MPIFunction('a')",
    "package.ShellResult('c', 'out\\n', 'err', 0)",
    "package.ShellResult('c', '\\nout\\n\\n', 'err\\n', 3, 'subprocess.CalledProcessError')",
    "package.ShellResult('c', 'o' * 2000, '\\n'.join('abcdefghijklmn'), 1)",
]


@pytest.mark.parametrize("expression", _SHOWN)
@pytest.mark.parametrize("shown_by", ["str", "repr"])
def test_the_same_text_shows_them(between: Exchange, expression: str, shown_by: str) -> None:
    """What scripts print and parse does not change with the package."""
    theirs, ours = (
        between.workers[package].ask("evaluate", expression=f"{shown_by}({expression})")
        for package in (OFFICIAL, OURS)
    )
    assert ours == theirs
    assert "value" in ours


#: A command as both packages know it, its arguments, and what is true of the result.
_RUN = [
    ("'echo {x}; echo oh >&2; exit 3'", "x=1", "(r.stdout, r.returncode) == ('1\\n', 3)"),
    ("'exit 3'", "", "r.exception_name == 'subprocess.CalledProcessError'"),
    ("'true'", "", "r.exception_name is None and r.returncode == 0"),
    ("'echo {{x}} {x:>3}'", "x=1", "r.stdout == '{x} 1\\n' and r.cmd == 'echo {x}   1'"),
    ("'seq 5', snippet_lines=2", "", "r.stdout == '4\\n5\\n'"),
    ("'seq 5', snippet_lines=0", "", "r.stdout == '1\\n2\\n3\\n4\\n5\\n'"),
    ("'echo 1', return_dict=True", "", "r['stdout'] == '1\\n' and type(r) is dict"),
    ("'echo 1; sleep 60', walltime=0.2", "", "(r.stdout, r.returncode) == ('1\\n', 124)"),
    ("'sleep 60', walltime=0.2", "", "r.exception_name == 'subprocess.TimeoutExpired'"),
    ("'[[ a == a ]] && echo $0', stdout='deep/er/out'", "", "r.stdout.endswith('/bin/bash\\n')"),
]


@pytest.mark.parametrize(("command", "arguments", "probe"), _RUN, ids=[r[0] for r in _RUN])
@pytest.mark.parametrize("direction", DIRECTIONS, ids=lambda d: " to ".join(d))
def test_commands_run_alike(
    between: Exchange, direction: tuple[str, str], command: str, arguments: str, probe: str
) -> None:
    """Whoever sends a command and whoever runs it, the result is the same."""
    writer, worker = direction
    expression = f"package.ShellFunction({command})"
    text = between.users[writer].ask("write", expression=expression, strategy="DillCode")["text"]
    holds = f"(lambda r: {probe})(value({arguments}))"
    assert between.workers[worker].ask("load", text=text, probe=holds) == {"holds": True}


#: What only ours can express, and what an official worker makes of it.
_BETTER = [
    ("\"echo a b | awk '{print $2}'\", literal=True", "", "r.stdout == 'b\\n'"),
    ("'printf %s\\\\\\\\n {x}', quote=True", "x=\"a 'b' $HOME\"", "r.stdout == \"a 'b' $HOME\\n\""),
    ("'printf [%s] {x} {y}', quote=True", "x=['a b', 1], y=''", "r.stdout == '[a b][1][]'"),
    ("'echo {n:04d}', quote=True", "n=7", "r.cmd == 'echo 0007'"),
    (
        "'echo {x}; sleep 60 & sleep 60', quote=True, walltime=0.2, return_dict=True",
        "x='$(id)'",
        "(r['stdout'], r['returncode']) == ('$(id)\\n', 124)",
    ),
]


@pytest.mark.parametrize(
    ("command", "arguments", "probe"), _BETTER, ids=[row[0] for row in _BETTER]
)
@pytest.mark.parametrize("worker", [OFFICIAL, OURS])
@pytest.mark.parametrize("kind", ["ShellFunction", "MPIFunction"])
def test_ours_is_better_on_an_official_worker_too(
    between: Exchange, worker: str, kind: str, command: str, arguments: str, probe: str
) -> None:
    """Literal commands and quoting need nothing that the worker lacks."""
    expression = f"package.{kind}({command})"
    text = between.users[OURS].ask("write", expression=expression, strategy="DillCode")["text"]
    if kind == "MPIFunction":
        probe = probe.replace("'echo 0007'", "'$PARSL_MPI_PREFIX echo 0007'")
    holds = f"(lambda r: {probe})(value({arguments}))"
    assert between.workers[worker].ask("load", text=text, probe=holds) == {"holds": True}


@pytest.mark.parametrize("worker", [OFFICIAL, OURS])
def test_the_time_limit_ends_what_the_command_started(between: Exchange, worker: str) -> None:
    """A background process holds a lock on a file; the lock is free once the call is back."""
    command = "'exec 9>lock; flock 9; sleep 60 & sleep 60', walltime=0.2"
    expression = f"package.ShellFunction({command})"
    text = between.users[OURS].ask("write", expression=expression, strategy="DillCode")["text"]
    free = "__import__('subprocess').call(['flock', '--nonblock', 'lock', 'true']) == 0"
    holds = f"value().returncode == 124 and {free}"
    assert between.workers[worker].ask("load", text=text, probe=holds) == {"holds": True}


@pytest.mark.parametrize("strategy", ["DillCode", "PureSourceTextInspect", "AllCodeStrategies"])
@pytest.mark.parametrize("worker", [OFFICIAL, OURS])
def test_the_hardware_report_runs_anywhere(between: Exchange, worker: str, strategy: str) -> None:
    """It travels as source, so that any Python with either package can run it."""
    answer = between.users[OURS].ask(
        "write", expression="package.hardware_report", strategy=strategy
    )
    probe = "'== W == == python: python_runtime_host_info ==' in value('W')"
    loaded = between.workers[worker].ask("load", text=answer["text"], probe=probe)
    assert loaded == {"holds": True}


def test_the_official_report_is_ours_here(between: Exchange) -> None:
    """A client with the official package may ask a worker of ours."""
    expression = (
        "importlib.import_module('globus_compute_sdk.sdk.hardware_report').run_hardware_report"
    )
    text = between.users[OFFICIAL].ask("write", expression=expression, strategy="DillCode")["text"]
    probe = "value.__name__ == 'hardware_report' and 'shell: df -h' in value()"
    assert between.workers[OURS].ask("load", text=text, probe=probe) == {"holds": True}
