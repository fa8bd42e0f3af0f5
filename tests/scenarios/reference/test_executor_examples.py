"""The examples of the reference of Executor."""

from __future__ import annotations

import uuid

from gcompute import Client
from tests.scenarios.reference.conftest import Script


def test_submitting(script: Script) -> None:
    """Document 003: a function goes, and its value comes back."""
    lines = script(
        """\
from gcompute import Executor  # added
def add(a: int, b: int) -> int: return a + b
gce = Executor(endpoint_id="4b116d3c-1703-4f8f-9f6f-39921e5864df")
fut = gce.submit(add, 1, 2)
print(fut.result())    # wait (block) until result is received from remote
import uuid  # added
print(str(uuid.UUID(fut.task_id)) == fut.task_id, gce.task_group_id is not None)  # added
"""
    )
    assert lines == ["3", "True True"]


def test_a_function_that_is_registered_already(script: Script, client: Client) -> None:
    """Document 003: register by one executor, or know an id, and submit by another."""

    def hello_world() -> str:
        return "Hello World!"

    public = client.register_function(hello_world, public=True)
    lines = script(
        """\
# pre_registration.py
from gcompute import Executor

def some_processor(*args, **kwargs):
    # ... function logic ...
    return ["some", "result"]

gce = Executor()
fn_id = gce.register_function(some_processor)
print(f"Function registered successfully.\\nFunction ID: {fn_id}")

registered = fn_id  # added
fn_id = "b0a5d1a0-2b22-4381-b899-ba73321e41e0"  # public; "Hello World"
with Executor(endpoint_id="4b116d3c-1703-4f8f-9f6f-39921e5864df") as fxe:
    futs = [
        fxe.submit_to_registered_function(function_id=fn_id)
        for i in range(5)
    ]
    futs.append(fxe.submit_to_registered_function(registered, args=(1,)))  # added

for f in futs:
    print(f.result())
""".replace("b0a5d1a0-2b22-4381-b899-ba73321e41e0", public)
    )
    assert lines[0] == "Function registered successfully."
    assert str(uuid.UUID(lines[1].removeprefix("Function ID: "))) in lines[1]
    assert lines[2:] == ["Hello World!"] * 5 + ["['some', 'result']"]


def test_settings_of_an_executor(script: Script) -> None:
    """Document 003: a task group and a configuration, in the constructor and later."""
    lines = script(
        """\
import uuid
from gcompute import Executor
tg_id = uuid.uuid4()  # IRL: some *known* taskgroup id
gce = Executor(task_group_id=tg_id)

# Alternatively, may use a stringified uuid:
gce = Executor(task_group_id=str(tg_id))

# May also alter after construction:
gce.task_group_id = tg_id
gce.task_group_id = str(tg_id)

# Internally, it is always stored as a UUID (or None):
print(gce.task_group_id == tg_id)

uep_config = {"foo": "bar"}
gce = Executor(user_endpoint_config=uep_config)

# May also alter after construction:
gce.user_endpoint_config = uep_config
print(gce.user_endpoint_config)  # added
print(gce.task_group_id == tg_id)  # added: an executor that is given none shares the last one
"""
    )
    assert lines == ["True", "{'foo': 'bar'}", "True"]
