"""The examples of serialization strategies, from both user guides."""

from __future__ import annotations

from tests.scenarios.reference.conftest import Script


def test_strategies(script: Script) -> None:
    """Documents 001 and 004: other strategies for functions and arguments, and checking them."""
    lines = script(
        """\
from gcompute import Client, Executor
from gcompute.serialize import CombinedCode, JSONData

gcc = Client(
  code_serialization_strategy=CombinedCode(),
  data_serialization_strategy=JSONData()
)
gcx = Executor('4b116d3c-1703-4f8f-9f6f-39921e5864df', client=gcc)

from gcompute.serialize import ComputeSerializer, DillCodeSource, JSONData

def greet(name, greeting = "greetings"):
  \"\"\"Greet someone.\"\"\"

  return f"{greeting} {name}"

serializer = ComputeSerializer(
  strategy_code=DillCodeSource(),
  strategy_data=JSONData()
)

serializer.check_strategies(greet, "world", greeting="hello")
# serializes like the following:
future = gcx.submit(greet, "world", greeting="hello")

# use the return value of check_strategies:
fn, args, kwargs = serializer.check_strategies(greet, "world", greeting="hello")
assert fn(*args, **kwargs) == greet("world", greeting="hello")
print(future.result())  # added
"""
    )
    assert lines == ["hello world"]
