"""A user's script: functions and values to send. ``samples.py PACKAGE``.

Then it serves as :mod:`tests.interop.peer` does, with what it defines at hand.
"""

from __future__ import annotations

import collections
import dataclasses
import datetime
import decimal
import fractions
import functools
import http
import importlib
import json
import math
import pathlib
import statistics
import sys
import uuid
from collections.abc import Callable
from typing import Any

import numpy
import pandas  # type: ignore[import-untyped]  # its types are a package of their own

package: Any = importlib.import_module(sys.argv[1])


def module_level(x):  # type: ignore[no-untyped-def]
    return x * 3


def default_arguments(x, y=4, *, z=5):  # type: ignore[no-untyped-def]
    return x + y * z


def imports_inside(x):  # type: ignore[no-untyped-def]
    import math

    return math.sqrt(x)


def uses_import_of_script(x):  # type: ignore[no-untyped-def]
    return statistics.mean([x, x])


def calls_itself(x: int) -> int:
    return 1 if x <= 1 else x * calls_itself(x - 1)


def annotated(x: pathlib.Path) -> int:
    return len(x.parts)


def outer() -> Callable[[int], int]:
    def nested(x):  # type: ignore[no-untyped-def]
        return x * 3

    return nested


def make_closure(factor: int) -> Callable[[int], int]:
    def closure(x):  # type: ignore[no-untyped-def]
        return x * factor

    return closure


def tripled(function: Callable[..., int]) -> Callable[..., int]:
    @functools.wraps(function)
    def wrapper(*args: Any) -> int:
        return function(*args) * 3

    return wrapper


@tripled
def decorated(x):  # type: ignore[no-untyped-def]
    return x


async def coroutine_function(x):  # type: ignore[no-untyped-def]
    return x * 3


class Scaler:
    """A class with every kind of method."""

    factor = 3

    def __init__(self, factor: int = 3) -> None:
        self.own_factor = factor

    def __call__(self, x: int) -> int:
        return x * self.own_factor

    def method(self, x: int) -> int:
        return x * self.own_factor

    @classmethod
    def class_method(cls, x: int) -> int:
        return x * cls.factor

    @staticmethod
    def static_method(x: int) -> int:
        return x * 3


nested = outer()
closure = make_closure(3)
anonymous = lambda x: x * 3  # noqa: E731
partial = functools.partial(default_arguments, y=0)
callable_object = Scaler(3)
bound_method = Scaler(3).method
class_method = Scaler.class_method
static_method = Scaler.static_method
a_class = Scaler
built_in = math.factorial
installed = json.dumps
shell_function = package.ShellFunction("echo {x}")


@dataclasses.dataclass
class Point:
    x: int
    y: int


Pair = collections.namedtuple("Pair", "first second")


class OwnError(Exception):
    def __init__(self, code: int, text: str) -> None:
        super().__init__(code, text)
        self.code = code


none = None
truth = True
big_integer = 2**100
floating = math.pi
infinity = math.inf
complex_number = 1 + 2j
text = "Grüße, 世界 \N{PILE OF POO} \x00 \ud800"
some_bytes = bytes(range(256))
byte_array = bytearray(b"abc")
a_list = [1, 2.5, "three", None, True]
a_tuple = (1, (2, 3))
a_dict = {"a": 1, "b": [1, 2]}
keys_of_many_types = {1: "one", (1, 2): "pair", None: 0}
a_set = {1, 2}
a_frozenset = frozenset({1, 2})
a_range = range(1, 10, 2)
a_slice = slice(1, None, 2)
date_and_time = datetime.datetime(2024, 2, 29, 12, tzinfo=datetime.UTC)
decimal_number = decimal.Decimal("1.10")
fraction = fractions.Fraction(1, 3)
identifier = uuid.UUID(int=7)
path = pathlib.PurePosixPath("/a/b")
enum_member = http.HTTPStatus.NOT_FOUND
dataclass_of_script = Point(1, 2)
namedtuple_of_script = Pair(1, 2)
exception = ValueError("broken", 7)
exception_of_script = OwnError(7, "broken")
contains_itself: list[Any] = [1]
contains_itself.append(contains_itself)
shared_twice = [a_list, a_list]
function_in_list = [module_level]
five_megabytes = bytes(range(256)) * 20_000
many_integers = list(range(100_000))
numpy_array = numpy.arange(12.0).reshape(3, 4)
numpy_structured = numpy.array([(1, 2.5)], dtype=[("a", "i4"), ("b", "f8")])
numpy_scalar = numpy.float32(1.5)
numpy_objects = numpy.array(["a", None], dtype=object)
pandas_frame = pandas.DataFrame({"a": [1, 2], "b": ["x", "y"]})
pandas_series = pandas.Series([1.5, 2.5], index=["x", "y"])
generator = (x for x in range(3))
shell_result = package.ShellResult("echo", "out", "err", 3, "subprocess.CalledProcessError")

if __name__ == "__main__":
    # The folder of a script is the first place where it imports from.
    importlib.import_module("peer").main()
