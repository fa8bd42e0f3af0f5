"""Chunks of ``Executor.map`` on an official worker, which has nothing of this package."""

from __future__ import annotations

import pytest

from .exchange import OFFICIAL, OURS, Exchange

_CHUNK = "__import__('gcompute.executor.chunks', fromlist=['x']).ChunkFunction({})"

#: Functions of a script, and the calls whose results and errors are looked at.
_FUNCTIONS = [
    ("module_level", "[(1,), (2,)]", "[3, 6], None"),
    ("default_arguments", "[(1,), (1, 2)]", "[21, 11], None"),
    ("closure", "[(1,)]", "[3], None"),
    ("anonymous", "[(1,)]", "[3], None"),
    ("partial", "[(1,)]", "[1], None"),
    ("callable_object", "[(1,)]", "[3], None"),
    ("built_in", "[(3,)]", "[6], None"),
]


@pytest.mark.parametrize(("function", "calls", "expected"), _FUNCTIONS)
@pytest.mark.parametrize("worker", [OFFICIAL, OURS])
def test_a_chunk_runs_by_dill(
    between: Exchange, worker: str, function: str, calls: str, expected: str
) -> None:
    """Every kind of callable, with a name, as workers need it."""
    text = between.users[OURS].ask(
        "write", expression=_CHUNK.format(function), strategy="DillCode"
    )["text"]
    probe = f"value({calls}) == [{expected}] and value.__name__.endswith('_in_chunks')"
    assert between.workers[worker].ask("load", text=text, probe=probe) == {"holds": True}


@pytest.mark.parametrize(
    "strategy", ["PureSourceTextInspect", "PureSourceDill", "AllCodeStrategies", "PortableCode"]
)
@pytest.mark.parametrize("worker", [OFFICIAL, OURS])
def test_a_chunk_runs_from_its_source(between: Exchange, worker: str, strategy: str) -> None:
    """For an endpoint with another Python; errors come as text."""
    text = between.users[OURS].ask(
        "write", expression=_CHUNK.format("module_level"), strategy=strategy
    )["text"]
    probe = (
        "value([(1,), (2,)]) == [[3, 6], None] and value([(1,), ()])[0] == [3] "
        "and 'TypeError' in value([(1,), ()])[1]"
    )
    assert between.workers[worker].ask("load", text=text, probe=probe) == {"holds": True}
