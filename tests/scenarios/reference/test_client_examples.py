"""The examples of Client and Batch, from both user guides and the reference."""

from __future__ import annotations

from tests.scenarios.reference.conftest import Script

_CLIENT = """\
from gcompute import Client
gcc = Client()
tutorial_endpoint = '4b116d3c-1703-4f8f-9f6f-39921e5864df'
"""

_HELLO = """\
def hello(firstname, lastname):
    \"\"\"Say hello to someone.\"\"\"
    return 'Hello {} {}'.format(firstname, lastname)

func_id = gcc.register_function(hello)
"""


def test_registering_and_running(script: Script) -> None:
    """Documents 001 and 004: register, run, and the result at once, or that it is pending."""
    lines = script(
        _CLIENT
        + """
def platform_func():
    \"\"\"Get platform information about this system.\"\"\"
    import platform
    return platform.platform()

func_uuid = gcc.register_function(platform_func)
task_id = gcc.run(endpoint_id=tutorial_endpoint, function_id=func_uuid)
try:
    print(gcc.get_result(task_id))
except Exception as e:
    print("Exception: {}".format(e))
gcc.wait([task_id])  # added
print(gcc.get_result(task_id))  # added
import platform  # added
print(platform.platform())  # added
"""
    )
    at_once, later, platform = lines
    assert later == platform
    assert at_once == platform or at_once.startswith("Exception: Task is pending due to ")


def test_arguments_and_data(script: Script) -> None:
    """Documents 001 and 004: arguments go there, and values come back."""
    lines = script(
        _CLIENT
        + _HELLO
        + """
task_id = gcc.run("Bob", "Smith", endpoint_id=tutorial_endpoint, function_id=func_id)
gcc.wait([task_id])  # added
try:
    print(gcc.get_result(task_id))
except Exception as e:
    print("Exception: {}".format(e))
"""
    )
    assert lines == ["Hello Bob Smith"]


def test_an_exception_is_raised_again(script: Script) -> None:
    """Documents 001 and 004: what a function raises, ``get_result`` raises."""
    lines = script(
        _CLIENT
        + _HELLO
        + """
task_id = gcc.run("Bob", endpoint_id=tutorial_endpoint, function_id=func_id)
gcc.wait([task_id])  # added
try:
    print(gcc.get_result(task_id))
except Exception as e:
    print("Exception: {}".format(e))
"""
    )
    assert lines[0].startswith("Exception: ")
    assert any("missing 1 required positional argument: 'lastname'" in line for line in lines)


def test_batching_in_the_older_style(script: Script) -> None:
    """Documents 001 and 004: each invocation names its endpoint; a list of ids comes back.

    The style is deprecated, and the warnings show the present one.
    """
    lines = script(
        _CLIENT
        + """
def func(x):  # added
    return x  # added
func_id = gcc.register_function(func)  # added
batch = gcc.create_batch()
for x in range(0,5):
    batch.add(x, endpoint_id=tutorial_endpoint, function_id=func_id)
# batch_run returns a list task ids
batch_res = gcc.batch_run(batch)
results = gcc.get_batch_result(batch_res)
print(len(batch_res), set(results) == set(batch_res))  # added
gcc.wait(batch_res)  # added
results = gcc.get_batch_result(batch_res)
print(sorted(map(sorted, results.values()))[0][:3])  # added
print([results[task_id]['result'] for task_id in batch_res])  # added
"""
    )
    assert lines[:3] == ["5 True", "['completion_t', 'details', 'pending']", "[0, 1, 2, 3, 4]"]
    warned = [line for line in lines if "DeprecationWarning" in line]
    assert any("batch.add(function_id, args=(x,))" in line for line in warned)
    assert any("batch_run(endpoint_id, batch)" in line for line in warned)


def test_batching_in_the_present_style(script: Script) -> None:
    """Document 002: one endpoint a batch; task ids come back by function, in order."""
    lines = script(
        _CLIENT
        + _HELLO
        + """
batch = gcc.create_batch(user_endpoint_config=None, create_websocket_queue=False)
for name in ("Ada", "Bob"):
    batch.add(func_id, args=(name,), kwargs={"lastname": "Smith"})
answer = gcc.batch_run(tutorial_endpoint, batch)
print(sorted(answer))
task_ids = answer["tasks"][func_id]
gcc.wait(task_ids)  # added
results = gcc.get_batch_result(task_ids)
print([results[task_id]["result"] for task_id in task_ids])
"""
    )
    assert lines == [
        "['endpoint_id', 'request_id', 'task_group_id', 'tasks']",
        "['Hello Ada Smith', 'Hello Bob Smith']",
    ]


def test_states_of_many_tasks(script: Script) -> None:
    """Document 002: one that waits for its endpoint, and one that has given ``None``."""
    lines = script(
        """\
from gcompute import Client
c = Client()

def nothing(): pass  # added
fn_id = c.register_function(nothing)  # added
offline = c.register_endpoint("elsewhere", None)["endpoint_id"]  # added
previously_submitted_task_identifiers = [
  c.run(endpoint_id=offline, function_id=fn_id),
  c.run(endpoint_id="4b116d3c-1703-4f8f-9f6f-39921e5864df", function_id=fn_id),
]
c.wait(previously_submitted_task_identifiers[1:])  # added
states = c.get_batch_result(previously_submitted_task_identifiers)
for task_id in previously_submitted_task_identifiers:  # added
    state = states[task_id]  # added
    print(state["pending"], state["status"], sorted(state))  # added
print(states[task_id]["result"], type(states[task_id]["completion_t"]))  # added
"""
    )
    assert lines == [
        "True waiting-for-ep ['details', 'pending', 'status']",
        "False success ['completion_t', 'details', 'pending', 'result', 'status']",
        "None <class 'str'>",
    ]


def test_sharing(script: Script) -> None:
    """Document 004: with a group, with everybody, and with a description for people."""
    lines = script(
        _CLIENT
        + """
def func():  # added
    return "bar"  # added
gcc.register_function(func, group="5f7e1b1c-0000-4000-8000-000000000000")
gcc.register_function(func, public=True)
described = gcc.register_function(func, description="My function")

def function_with_docstring():
    \"\"\"My function, with a docstring\"\"\"
    return "foo"

gcc.register_function(func)  # description is automatically read from the docstring
from gcompute import Executor  # added
gcx = Executor()
gcx.endpoint_id = tutorial_endpoint  # added
fut = gcx.submit(function_with_docstring)  # automatically registers the function
# if both are specified, the argument wins
both = gcc.register_function(
    function_with_docstring, description="this has priority over docstrings")
print(fut.result())  # added
own = gcc.register_function(function_with_docstring)  # added
for function_id in (described, both, own):  # added
    print(gcc.get_function(function_id)["description"])  # added
"""
    )
    assert lines == [
        "foo",
        "My function",
        "this has priority over docstrings",
        "My function, with a docstring",
    ]


def test_hardware_of_a_worker(script: Script) -> None:
    """Document 002: the task's result is text about the machine."""
    lines = script(
        """\
from gcompute import Client
gcc = Client()
ep_uuid = "4b116d3c-1703-4f8f-9f6f-39921e5864df"  # added
task_id = gcc.get_worker_hardware_details(ep_uuid)
# wait some time...
gcc.wait([task_id])  # added
print(gcc.get_result(task_id))
"""
    )
    assert any("Python" in line or "python" in line for line in lines)
    assert any("CPU core count" in line for line in lines)
