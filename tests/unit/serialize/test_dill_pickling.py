"""What goes out refers to nothing that endpoints lack; what comes in is ours."""

from __future__ import annotations

import ast
import copy
import functools
import pickle
import pickletools
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dill
import pytest

import gcompute
from gcompute import MPIFunction, ShellFunction, ShellResult, errors, hardware_report
from gcompute.errors import DeserializationError, SerializationError
from gcompute.runtime import create_user_runtime
from gcompute.serialize import (
    AllowlistWildcard,
    ComputeSerializer,
    DillCode,
    DillDataBase64,
    JSONData,
    counterparts,
    dill_pickling,
    pack_buffers,
)
from gcompute.serialize.pickling import BytecodeRefused
from tests.support.names import stable


def uses_closure(value: Any) -> Callable[[], Any]:
    """Make a function that is sent by value and refers to ours."""

    def inner() -> Any:
        return value

    return inner


class OwnError(errors.SerializationError):
    """A user's error on top of ours."""


#: Errors that only we have.
OWN_ERRORS = [
    errors.NotFound(http_status=404, code="TASK_NOT_FOUND", message="no such task"),
    errors.TaskTooLarge("big", size=2, limit=1),
    errors.SubmissionUncertain("who knows", endpoint_id="e"),
]

SENT = [
    ShellFunction("echo {x}"),
    ShellFunction("echo {x}", walltime=3, quote=True, stdout="o"),
    ShellFunction("awk '{print}'", literal=True),
    MPIFunction("a {x}", walltime=3),
    ShellResult("c", "o", "e", 0),
    ShellFunction,
    MPIFunction,
    ShellResult,
    hardware_report,
    create_user_runtime(),
    create_user_runtime().python,
    gcompute.UserRuntime,
    errors.MaxResultSizeExceeded(2, 1),
    errors.TaskExecutionFailed("boom", "1.5", {"os": "x"}, task_id="t"),
    errors.SerializationError("why"),
    JSONData(),
    JSONData,
    ComputeSerializer(),
    AllowlistWildcard.CODE,
    pack_buffers,
    uses_closure(ShellFunction),
    uses_closure(ShellFunction("a", walltime=1)),
    uses_closure(errors.ComputeError),
    uses_closure(functools.partial(ShellResult, "c", "o", "e")),
]


@pytest.mark.parametrize("value", SENT + OWN_ERRORS, ids=stable)
@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_nothing_sent_refers_to_gcompute(
    monkeypatch: pytest.MonkeyPatch, value: Any, protocol: int
) -> None:
    """No name and no text of a pickle has gcompute in it, whatever protocol dill is set to.

    But for the file of this test's own code, which may lie in a folder of that name.
    """
    monkeypatch.setitem(dill.settings, "protocol", protocol)
    found = [
        argument
        for _, argument, _ in pickletools.genops(dill_pickling.dumps([value]))
        if isinstance(argument, str) and "gcompute" in argument and argument != __file__
    ]
    assert found == []


@pytest.mark.parametrize("value", SENT, ids=stable)
def test_what_is_sent_loads_here(value: Any) -> None:
    """A worker of ours gets an object of ours, without the official package."""
    assert "globus_compute_sdk" not in sys.modules
    (loaded,) = dill_pickling.loads(dill_pickling.dumps([value]))
    assert type(loaded) is type(value)
    assert "globus_compute_sdk" not in sys.modules


@pytest.mark.parametrize("error", OWN_ERRORS, ids=stable)
def test_an_error_that_endpoints_lack_goes_as_the_nearest_that_they_have(
    error: errors.ComputeError,
) -> None:
    """Its text and its attributes stay."""
    loaded = dill_pickling.loads(dill_pickling.dumps(error))
    assert type(loaded) is errors.ComputeError
    assert str(loaded) == str(error)
    assert loaded.__dict__ == error.__dict__


def test_an_error_of_the_users_keeps_its_class() -> None:
    """Only its base is another there."""
    error = OwnError("why")
    error.add_note("a note")
    loaded = dill_pickling.loads(dill_pickling.dumps(error))
    assert type(loaded) is OwnError
    assert (loaded.reason, loaded.__notes__) == ("why", ["a note"])


def test_a_failed_tasks_error_has_its_remote_traceback_as_cause() -> None:
    """Also after a trip, and also when the official package wrote it."""
    loaded = dill_pickling.loads(dill_pickling.dumps(errors.TaskExecutionFailed("boom")))
    assert isinstance(loaded.__cause__, errors.RemoteTraceback)


@pytest.mark.parametrize(
    "value",
    [
        gcompute,
        gcompute.Client,
        gcompute.Client.get_task,
        errors.NotFound,
        create_user_runtime,
        counterparts,
        counterparts.is_own,
        counterparts.Name("a", "b"),
        uses_closure(gcompute),
        uses_closure(errors.NotFound),
    ],
    ids=stable,
)
def test_what_endpoints_lack_is_refused(value: Any) -> None:
    """The error says so, and what to do, before anything is sent."""
    with pytest.raises(SerializationError, match="endpoints do not have gcompute"):
        dill_pickling.dumps([value])


def of_script(monkeypatch: pytest.MonkeyPatch, source: str) -> Any:
    """Define ``f`` as a script does that has imported gcompute and ShellFunction."""
    main = sys.modules["__main__"]
    monkeypatch.setattr(main, "gcompute", gcompute, raising=False)
    monkeypatch.setattr(main, "ShellFunction", ShellFunction, raising=False)
    names: dict[str, Any] = {}
    exec(source, main.__dict__, names)  # noqa: S102 - as the interpreter runs a script
    return names["f"]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("def f(): return gcompute.Client()", "gcompute"),
        ("def f(): return ShellFunction('a')", "ShellFunction"),
        ("def f(): return [lambda: ShellFunction(str(x)) for x in range(3)]", "ShellFunction"),
        ("class f:\n  def method(self): return gcompute", "gcompute"),
    ],
)
def test_a_script_whose_function_uses_our_name_is_told_so(
    monkeypatch: pytest.MonkeyPatch, source: str, name: str
) -> None:
    """The worker would only say NameError, long after."""
    function = of_script(monkeypatch, source)
    with pytest.raises(SerializationError, match=f"the global '{name}', which is gcompute's"):
        ComputeSerializer().serialize(function)


@pytest.mark.parametrize(
    "source",
    [
        "def f(x): return x.gcompute",
        "def f():\n  import gcompute\n  return gcompute",
        "def f():\n  from globus_compute_sdk import ShellFunction\n  return ShellFunction",
        "def f(gcompute): return gcompute",
    ],
)
def test_other_uses_of_the_word_are_fine(monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    """Attributes, arguments and imports in the function are nobody's business."""
    assert ComputeSerializer().serialize(of_script(monkeypatch, source)).startswith("01\n")


def test_a_function_is_ours_by_where_it_was_defined() -> None:
    """Decorators copy the name of a module that may be ours."""
    function: Any = lambda: 7  # noqa: E731
    alone = type(function)(function.__code__, {"__name__": "__main__"})
    alone.__module__ = "gcompute.runtime"
    assert dill_pickling.loads(dill_pickling.dumps([alone]))[0]() == 7
    around = functools.wraps(create_user_runtime)(alone)
    with pytest.raises(SerializationError, match=r"refers to gcompute\.runtime\.create_user_run"):
        dill_pickling.dumps([around])


def test_ordinary_pickling_is_left_alone() -> None:
    """A copy, and a pickle for another process of ours, keep what endpoints cannot know."""
    function = ShellFunction("echo {x}", quote=True, walltime=1)
    for other in (copy.deepcopy(function), pickle.loads(pickle.dumps(function))):
        assert other.quote is True
        assert other.cmd == "echo {x}"
        assert "execute_cmd_line" not in other.__dict__


def test_a_partial_keeps_its_name() -> None:
    """dill forgets a partial's attributes; the official worker asks for ``__name__``."""
    named = functools.partial(int, base=2)
    named.__dict__["__name__"] = "from_binary"
    loaded = dill_pickling.loads(dill_pickling.dumps(named))
    assert loaded("11") == 3
    assert loaded.__name__ == "from_binary"


def test_dill_writes_the_same_bytes_itself() -> None:
    """Where nothing of ours is involved, we write what the official package writes."""
    for value in (
        uses_closure(3),
        {"a": {1, 2.5}},
        [ValueError("x")],
        int,
        test_a_partial_keeps_its_name,
    ):
        assert dill_pickling.dumps(value) == dill.dumps(value)


@pytest.mark.parametrize(
    "value",
    [lambda: 1, [lambda: 1], uses_closure(1), type("Local", (), {"method": lambda self: 1})],
    ids=["function", "in a list", "closure", "class"],
)
def test_bytecode_can_be_refused(value: Any) -> None:
    """What another Python could not run is found wherever it hides."""
    assert dill_pickling.dumps(value)
    with pytest.raises(BytecodeRefused, match="bytecode of"):
        dill_pickling.dumps(value, bytecode=False)


@pytest.mark.parametrize("value", [len, ValueError("x"), {"a": {1}}, pickle.dumps, ShellResult])
def test_references_are_no_bytecode(value: Any) -> None:
    """Nor are values."""
    assert dill_pickling.dumps(value, bytecode=False) == dill_pickling.dumps(value)


@pytest.mark.parametrize(
    "name",
    ["globus_compute_sdk.sdk.batch Batch", "globus_compute_sdk NoSuch", "globus_compute_sdk.x y"],
)
def test_official_names_without_a_counterpart_are_named(name: str) -> None:
    """The error says what is missing, and what would help."""
    module, _, attribute = name.partition(" ")
    text = f"c{module}\n{attribute}\n.".encode()
    with pytest.raises(DeserializationError, match=f"{module}.{attribute}.*install globus-comp"):
        dill_pickling.loads(text)


def test_a_list_of_strategies_goes_through_every_pair_of_names() -> None:
    """Each name of ours in the table exists, and is found again from the official one."""
    for own, official in counterparts._OFFICIAL.items():
        value = counterparts.find_own(*official)
        assert counterparts.official_name(value) == official
        assert own.path == value.__name__


@pytest.mark.parametrize("strategy", [DillCode, DillDataBase64])
def test_strategies_pickle_in_this_way(strategy: Any) -> None:
    """Both that use dill do."""
    text = strategy().serialize(ShellResult)
    assert strategy().deserialize(text) is ShellResult
    with pytest.raises(SerializationError, match="do not have gcompute"):
        strategy().serialize(gcompute.Client)


_SPAWNING = """
import multiprocessing

from gcompute.serialize import ComputeSerializer

class Point:
    pass

def half(x):
    return x / 2

def work(x):
    point = Point()
    point.x = half(x)
    return point

def child(queue):
    texts = [ComputeSerializer().serialize(value) for value in (work, Point(), Point)]
    queue.put((texts, work.__module__, Point.__module__))

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    queue = context.Queue()
    process = context.Process(target=child, args=(queue,))
    process.start()
    texts, *modules = queue.get(timeout=60)
    process.join()
    assert modules == ["__mp_main__"] * 2
    print(repr(texts))
"""


def test_a_spawned_process_of_a_script_sends_what_the_script_defines(tmp_path: Path) -> None:
    """There the script goes by a name that no endpoint has."""
    script = tmp_path / "script.py"
    script.write_text(_SPAWNING)
    ran = subprocess.run(
        [sys.executable, "-W", "error", script],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    work, point, point_class = map(ComputeSerializer().deserialize, ast.literal_eval(ran.stdout))
    assert work(7).x == 3.5
    assert type(point).__name__ == point_class.__name__ == "Point"
    assert not hasattr(sys.modules["__main__"], "Point")
