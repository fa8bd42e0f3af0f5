"""Running one task, here in the tests' own process."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gcompute.local.agent.execution import (
    Workplace,
    environment_details,
    execute,
)
from gcompute.messages import ResultMessage, StatusReport, TaskMessage, encode
from gcompute.protocol import PROTOCOL_LEVEL
from gcompute.serialize import ComputeSerializer, pack_buffers

ENDPOINT_ID = str(uuid.uuid4())
TASK_ID = str(uuid.uuid4())
serializer = ComputeSerializer()


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Workplace]:
    """A place to run tasks in; environment and working directory are put back afterwards."""
    for name in ("GC_TASK_UUID", "GC_TASK_SANDBOX_DIR", "GC_TASK_TIMEOUT"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    before = Path.cwd()
    yield Workplace(ENDPOINT_ID, tmp_path / "run", details=environment_details(ENDPOINT_ID))
    os.chdir(before)


def run(
    workplace: Workplace,
    function: Callable[..., Any],
    *args: Any,
    serializers: Sequence[str] = (),
    kwargs: dict[str, Any] | None = None,
) -> ResultMessage:
    """Run a call."""
    parts: tuple[object, ...] = (function, args, kwargs or {})
    buffer = pack_buffers([serializer.serialize(part) for part in parts])
    return execute(encode(TaskMessage(TASK_ID, buffer)), TASK_ID, serializers, workplace)


def failure(result: ResultMessage) -> tuple[str, str]:
    """Give code and text of a failed result."""
    assert result.error_details is not None, result.data
    return result.error_details.code, result.data


@given(st.lists(st.integers()), st.dictionaries(st.text(), st.integers()))
@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    max_examples=30,
)
def test_the_value_comes_back(
    workplace: Workplace, args: list[int], kwargs: dict[str, int]
) -> None:
    """Arguments go in and what the function returns comes out."""

    def echo(*a: int, **k: int) -> tuple[Any, Any]:
        return a, k

    result = run(workplace, echo, *args, kwargs=kwargs)
    assert serializer.deserialize(result.data) == (tuple(args), kwargs)
    assert result.error_details is None


def test_a_result_says_where_and_when(workplace: Workplace) -> None:
    """Details are this interpreter's; the states are in order, by the worker."""
    result = run(workplace, abs, -1)
    assert result.task_id == TASK_ID
    assert result.details is not None
    assert result.details["globus_compute_sdk_version"] == PROTOCOL_LEVEL
    assert result.details["endpoint_id"] == ENDPOINT_ID
    start, end = result.task_statuses
    assert (start.state, end.state) == ("execution-start", "execution-end")
    assert start.timestamp <= end.timestamp
    assert start.actor == end.actor == "worker"


def test_a_task_has_its_environment(workplace: Workplace) -> None:
    """It knows its id, is in the run directory, and has no sandbox left from another task."""
    os.environ["GC_TASK_SANDBOX_DIR"] = "/of/another"

    def look() -> tuple[Any, ...]:
        import os

        return os.environ["GC_TASK_UUID"], os.environ.get("GC_TASK_SANDBOX_DIR"), os.getcwd()

    found = serializer.deserialize(run(workplace, look).data)
    assert found == (TASK_ID, None, str(workplace.run_dir))


def test_a_sandbox_is_named_after_its_task(workplace: Workplace) -> None:
    """It is made, entered, and told to the task."""
    workplace = Workplace(ENDPOINT_ID, workplace.run_dir, sandbox=True)

    def look() -> tuple[Any, ...]:
        import os

        return os.environ.get("GC_TASK_SANDBOX_DIR"), os.getcwd()

    folder = str(workplace.run_dir / TASK_ID)
    assert serializer.deserialize(run(workplace, look).data) == (folder, folder)


def test_a_run_directory_that_cannot_be_had_fails_the_task(workplace: Workplace) -> None:
    """A file in its place is the task's failure, with the reason."""
    workplace.run_dir.write_text("")
    code, text = failure(run(workplace, abs, -1))
    assert code == "RemoteExecutionError"
    assert "FileExistsError" in text


@pytest.mark.parametrize("error", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_whatever_a_function_raises_fails_its_task(
    workplace: Workplace, error: type[BaseException]
) -> None:
    """The first frame of the text is the function's own; exceptions of every kind are caught."""

    def fails(cls: type[BaseException]) -> None:
        raise cls("why")

    code, text = failure(run(workplace, fails, error))
    assert code == "RemoteExecutionError"
    lines = text.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[1].endswith(", in fails")
    assert lines[-1] == f"{error.__name__}: why"


def test_a_result_at_the_limit_passes_and_one_over_it_fails(workplace: Workplace) -> None:
    """The limit is on the serialized text; the failure has both sizes."""
    size = len(serializer.serialize("x" * 1000))
    at, over = (Workplace(ENDPOINT_ID, workplace.run_dir, max_result_size=n) for n in (size, 999))
    assert run(at, lambda: "x" * 1000).error_details is None
    code, text = failure(run(over, lambda: "x" * 1000))
    assert code == "MaxResultSizeExceeded"
    assert text == (f"MaxResultSizeExceeded: Task result of {size}B exceeded current limit of 999B")


def test_a_result_that_cannot_be_sent_names_type_and_strategy(workplace: Workplace) -> None:
    """The defaults are named as well as those that were asked for."""

    def generate() -> object:
        return (n for n in range(3))

    path = "globus_compute_sdk.serialize.concretes.JSONData"
    for serializers, strategy in (((), "DillDataBase64"), ((path,), "JSONData")):
        code, text = failure(run(workplace, generate, serializers=serializers))
        assert code == "RemoteExecutionError"
        assert f"returned a generator, which cannot be sent by {strategy};" in text


def test_a_function_may_return_a_function(workplace: Workplace) -> None:
    """A callable result is sent by the strategy for code."""
    result = run(workplace, lambda: abs)
    assert result.data.startswith("01\n")


def test_an_unknown_result_serializer_fails_the_task(workplace: Workplace) -> None:
    """The failure names the path."""
    _, text = failure(run(workplace, abs, -1, serializers=["nowhere.Strategy"]))
    assert "nowhere.Strategy" in text


@pytest.mark.parametrize(
    "body", [b"", b"\x01{}", b"\x02", encode(StatusReport(ENDPOINT_ID)), b"\x01" + b"[" * 100_000]
)
def test_a_message_that_is_no_task_fails(workplace: Workplace, body: bytes) -> None:
    """The failure is about the message and shows no frames."""
    code, text = failure(execute(body, TASK_ID, [], workplace))
    assert code == "MalformedMessage"
    assert "Traceback" not in text


@pytest.mark.parametrize(
    ("buffers", "reason"),
    [
        (["st\nf:import no_such_module_at_all", "00\n", "00\n"], "ModuleNotFoundError"),
        (["??\n", "11\n[]", "11\n{}"], "no known strategy"),
        (["01\n"], "three buffers"),
    ],
)
def test_what_cannot_be_loaded_fails(workplace: Workplace, buffers: list[str], reason: str) -> None:
    """The failure has the reason of the strategy that was to load it."""
    body = encode(TaskMessage(TASK_ID, pack_buffers(buffers)))
    code, text = failure(execute(body, TASK_ID, [], workplace))
    assert code == "RemoteExecutionError"
    assert reason in text


def test_a_task_that_takes_too_long(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit interrupts a function that waits, and says what it was."""
    monkeypatch.setenv("GC_TASK_TIMEOUT", "0.05")

    def wait() -> None:
        import threading

        threading.Event().wait(60)

    _, text = failure(run(workplace, wait))
    assert "TaskTimeout: Task exceeded its limit of 0.05 s (GC_TASK_TIMEOUT)" in text


def test_a_limit_that_is_no_number(workplace: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    """The endpoint's mistake is named as such."""
    monkeypatch.setenv("GC_TASK_TIMEOUT", "soon")
    assert "must be a number of seconds, not 'soon'" in failure(run(workplace, abs, -1))[1]
