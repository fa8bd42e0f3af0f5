"""What is sent by which strategies, and how the other side sees that it arrived.

A probe is an expression that is true of the loaded ``value``; it is evaluated where the value
was loaded, without the script that defined it.
"""

from __future__ import annotations

from typing import NamedTuple


class Sample(NamedTuple):
    """A function or value of :mod:`tests.interop.samples`."""

    name: str
    probe: str


CODE_STRATEGIES = (
    "DillCode",
    "PureSourceTextInspect",
    "PureSourceDill",
    "AllCodeStrategies",
    "DillCodeTextInspect",
    "DillCodeSource",
    "CombinedCode",
)
DATA_STRATEGIES = ("DillDataBase64", "JSONData", "AllDataStrategies")

_TRIPLES = "value(2) == 6"

CODE = (
    Sample("module_level", _TRIPLES),
    Sample("default_arguments", "value(2) == 22 and value(2, 1, z=4) == 6"),
    Sample("annotated", "value(pathlib.Path('a/b')) == 2"),
    Sample("imports_inside", "value(9) == 3"),
    Sample("uses_import_of_script", "value(9) == 9"),
    Sample("calls_itself", "value(4) == 24"),
    Sample("nested", _TRIPLES),
    Sample("closure", _TRIPLES),
    Sample("anonymous", _TRIPLES),
    Sample("decorated", _TRIPLES),
    Sample("coroutine_function", "asyncio.run(value(2)) == 6"),
    Sample("bound_method", _TRIPLES),
    Sample("class_method", _TRIPLES),
    Sample("static_method", _TRIPLES),
    Sample("partial", "value(2) == 2 and value.__name__ == 'default_arguments'"),
    Sample("callable_object", "value(2) == 6 and value.__name__ == 'Scaler'"),
    Sample("a_class", "value(3)(2) == 6"),
    Sample("built_in", "value(4) == 24"),
    Sample("installed", "value([1]) == '[1]'"),
    Sample("shell_function", "value(x=7).stdout == '7\\n' and value.__name__ == 'ShellFunction'"),
)

DATA = (
    Sample("none", "value is None"),
    Sample("truth", "value is True"),
    Sample("big_integer", "value == 2**100"),
    Sample("floating", "value == math.pi"),
    Sample("infinity", "value == math.inf"),
    Sample("complex_number", "value == 1 + 2j"),
    Sample("text", "value == 'Gr\\xfc\\xdfe, \\u4e16\\u754c \\U0001f4a9 \\x00 \\ud800'"),
    Sample("some_bytes", "value == bytes(range(256))"),
    Sample("byte_array", "type(value) is bytearray and value == b'abc'"),
    Sample("a_list", "value == [1, 2.5, 'three', None, True]"),
    Sample("a_tuple", "value == (1, (2, 3))"),
    Sample("a_dict", "value == {'a': 1, 'b': [1, 2]}"),
    Sample("keys_of_many_types", "value == {1: 'one', (1, 2): 'pair', None: 0}"),
    Sample("a_set", "value == {1, 2}"),
    Sample("a_frozenset", "type(value) is frozenset and value == {1, 2}"),
    Sample("a_range", "value == range(1, 10, 2)"),
    Sample("a_slice", "value == slice(1, None, 2)"),
    Sample("date_and_time", "value.isoformat() == '2024-02-29T12:00:00+00:00'"),
    Sample("decimal_number", "str(value) == '1.10' and type(value).__name__ == 'Decimal'"),
    Sample("fraction", "value * 3 == 1"),
    Sample("identifier", "value.int == 7"),
    Sample("path", "value == pathlib.PurePosixPath('/a/b')"),
    Sample("enum_member", "type(value).__name__ == 'HTTPStatus' and value == 404"),
    Sample("dataclass_of_script", "repr(value) == 'Point(x=1, y=2)'"),
    Sample("namedtuple_of_script", "value.second == 2"),
    Sample("exception", "type(value) is ValueError and value.args == ('broken', 7)"),
    Sample("exception_of_script", "value.code == 7 and value.args == (7, 'broken')"),
    Sample("contains_itself", "value[1] is value"),
    Sample("shared_twice", "value[0] is value[1]"),
    Sample("function_in_list", "value[0](2) == 6"),
    Sample("five_megabytes", "value == bytes(range(256)) * 20_000"),
    Sample("many_integers", "value == list(range(100_000))"),
    Sample("numpy_array", "value.shape == (3, 4) and value.sum() == 66"),
    Sample("numpy_structured", "value['b'][0] == 2.5"),
    Sample("numpy_scalar", "type(value).__name__ == 'float32' and value == 1.5"),
    Sample("numpy_objects", "value.tolist() == ['a', None]"),
    Sample("pandas_frame", "value.to_dict('list') == {'a': [1, 2], 'b': ['x', 'y']}"),
    Sample("pandas_series", "value['y'] == 2.5"),
    Sample("generator", "list(value) == [0, 1, 2]"),
    Sample(
        "shell_result",
        "value.returncode == 3 and type(value).__module__.partition('.')[0] == PACKAGE",
    ),
)

#: (strategy, sample) of every row of the table.
ROWS = tuple(
    (strategy, sample)
    for samples, strategies in ((CODE, CODE_STRATEGIES), (DATA, DATA_STRATEGIES))
    for sample in samples
    for strategy in strategies
)
