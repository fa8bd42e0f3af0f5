"""Tasks that are more than a call: commands, failures, resources."""

from __future__ import annotations

from gcompute import ShellFunction
from gcompute.errors import TaskExecutionFailed
from tests.matrix.scripts.play import PATIENCE_S, Setting, play, raised


def divide(dividend: int, divisor: int) -> float:
    """Divide, where that can be done."""
    return dividend / divisor


def long_text(megabytes: int) -> str:
    """Say a great deal."""
    return "x" * (megabytes * 1024 * 1024)


def identity(value: object) -> object:
    """Give it back."""
    return value


def exception(setting: Setting) -> None:
    """The error says what was raised, with which text, and where."""
    with setting.executor() as executor:
        good, bad = executor.submit(divide, 1, 2), executor.submit(divide, 1, 0)
        error = raised(TaskExecutionFailed, lambda: bad.result(PATIENCE_S))
        assert good.result(PATIENCE_S) == 0.5
    for part in ("Traceback", "in divide", "ZeroDivisionError: division by zero"):
        assert part in error.remote_data, error.remote_data
        assert part in str(error), str(error)


def result_too_large(setting: Setting) -> None:
    """A result over the limit is refused where it was made, and its size is told."""
    with setting.executor() as executor:
        future = executor.submit(long_text, 11)
        error = raised(TaskExecutionFailed, lambda: future.result(PATIENCE_S))
    assert "MaxResultSizeExceeded" in error.remote_data, error.remote_data


def nameless(setting: Setting) -> None:
    """Lambdas and closures are sent by value, with what they close over."""
    offset = 40
    with setting.executor() as executor:
        futures = [executor.submit(lambda x: x + offset, 2), executor.submit(lambda: offset)]
        assert [future.result(PATIENCE_S) for future in futures] == [42, 40]


def shell(setting: Setting) -> None:
    """A command's result has its exit status, what it printed, and what it was."""
    greet = ShellFunction("echo hello {name}; echo careful >&2; exit {status}")
    with setting.executor() as executor:
        good = executor.submit(greet, name="ada", status=0)
        bad = executor.submit(greet, name="bob", status=3)
        done, failed = good.result(PATIENCE_S), bad.result(PATIENCE_S)
    assert (done.returncode, failed.returncode) == (0, 3)
    assert (done.stdout.strip(), failed.stdout.strip()) == ("hello ada", "hello bob")
    # The official agent warns there of a sandbox that was not asked for.
    assert "careful" in done.stderr.splitlines(), done.stderr
    assert done.cmd == "echo hello ada; echo careful >&2; exit 0"


def shell_out_of_time(setting: Setting) -> None:
    """A command over its walltime is ended, with the exit status that ``timeout`` gives."""
    slow = ShellFunction("sleep 30", walltime=0.5)
    with setting.executor() as executor:
        assert executor.submit(slow).result(PATIENCE_S).returncode == 124


def resources(setting: Setting) -> None:
    """None of these engines can give a task nodes of its own, and each says so."""
    with setting.executor(resource_specification={"num_nodes": 2}) as executor:
        future = executor.submit(identity, "parallel")
        error = raised(TaskExecutionFailed, lambda: future.result(PATIENCE_S))
    if setting.worker == "parsl":
        refusal = "Task resource specification only accepts these types of resources"
    else:
        refusal = "resource_specification is not supported on"
    assert refusal in error.remote_data, error.remote_data


if __name__ == "__main__":
    play(exception, result_too_large, nameless, shell, shell_out_of_time, resources)
