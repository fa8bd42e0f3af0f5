"""Grouping submissions into requests."""

from __future__ import annotations

import json
import uuid
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gcompute.executor.functions import FunctionReference
from gcompute.executor.future import ComputeFuture
from gcompute.executor.groups import GroupChoice
from gcompute.executor.outbox import Destination, Outbox, Submission, encoded_size
from gcompute.serialize import ComputeSerializer

FUNCTION = FunctionReference("f", function_id="f")
SERIALIZER = ComputeSerializer()
DESTINATIONS = [Destination(uuid.UUID(int=1), SERIALIZER) for _ in range(4)]


def _submission(destination: Destination, size: int = 1) -> Submission:
    return Submission(ComputeFuture(), destination, FUNCTION, "payload", size)


_additions = st.tuples(st.integers(0, 3), st.integers(0, 120))


@given(st.lists(_additions | st.none(), max_size=80), st.integers(1, 10), st.integers(1, 200))
def test_the_outbox_against_a_model(
    steps: list[tuple[int, int] | None], max_tasks: int, max_bytes: int
) -> None:
    """Whatever comes when: nothing is lost or doubled, order and limits hold, all take turns."""
    outbox = Outbox(max_bytes=max_bytes)
    waiting: dict[Destination, list[Submission]] = {d: [] for d in DESTINATIONS}
    waits_since: dict[Destination, int] = {}
    for now, step in enumerate([*steps, *[None] * len(steps)]):
        if step is not None:
            submission = _submission(DESTINATIONS[step[0]], step[1])
            waits_since.setdefault(submission.destination, now)
            waiting[submission.destination].append(submission)
            outbox.add(submission)
        else:
            batch = outbox.take(max_tasks)
            if not waits_since:
                assert batch == []
                continue
            turn = min(waits_since, key=waits_since.__getitem__)
            queue = waiting[turn]
            assert batch == queue[: len(batch)]
            assert 1 <= len(batch) <= max_tasks
            size = sum(s.size for s in batch)
            assert size <= max_bytes or len(batch) == 1
            if len(batch) < min(len(queue), max_tasks):  # no fuller batch was possible
                assert size + queue[len(batch)].size > max_bytes
            del queue[: len(batch)]
            del waits_since[turn]
            if queue:
                waits_since[turn] = now
        left = sum(len(queue) for queue in waiting.values())
        assert len(outbox) == left
        assert bool(outbox) is bool(left)
    assert not outbox


@given(st.lists(st.integers(0, 3)))
def test_clearing_gives_everything_once(destinations: list[int]) -> None:
    """What waits comes out, and the outbox is as new."""
    outbox = Outbox(max_bytes=10)
    added = [_submission(DESTINATIONS[d]) for d in destinations]
    for submission in added:
        outbox.add(submission)
    cleared = outbox.clear()
    assert {id(s) for s in cleared} == {id(s) for s in added}
    assert len(cleared) == len(added)
    assert not outbox
    assert outbox.take(2) == outbox.clear() == []


def test_equal_destinations_are_two() -> None:
    """Comparing configurations for each task would be slow: identity decides."""
    assert DESTINATIONS[0] != DESTINATIONS[1]
    outbox = Outbox(max_bytes=1000)
    for destination in DESTINATIONS[:2]:
        outbox.add(_submission(destination))
    assert len(outbox.take(10)) == 1


@pytest.mark.parametrize(
    "other",
    [
        {"endpoint_id": uuid.UUID(int=2)},
        {"serializer": ComputeSerializer()},
        {"group": GroupChoice()},
        {"resource_specification": {"num_nodes": 2}},
        {"user_endpoint_config": {"num_nodes": 2}},
        {"result_serializers": ("a.B",)},
    ],
    ids=lambda other: str(*other),
)
def test_destinations_that_differ_have_different_keys(other: dict[str, Any]) -> None:
    """Whatever tasks of one request must share tells two destinations apart, and nothing else."""
    settings: dict[str, Any] = {
        "endpoint_id": uuid.UUID(int=1),
        "serializer": SERIALIZER,
        "group": GroupChoice(),
    }
    key = Destination(**settings).key()
    assert Destination(**settings).key() == key
    assert Destination(**settings | other).key() != key


def test_a_task_over_the_limit_goes_alone() -> None:
    """It does not block those behind it."""
    outbox = Outbox(max_bytes=100)
    for size in (50, 500, 50):
        outbox.add(_submission(DESTINATIONS[0], size))
    assert [[s.size for s in outbox.take(10)] for _ in range(3)] == [[50], [500], [50]]


def _in_a_request(payloads: list[str]) -> int:
    """Bytes that httpx sends for payloads, without those of a request that has none."""

    def length(texts: list[str]) -> int:
        return len(httpx.Request("POST", "http://x.test", json={"tasks": {"f": texts}}).content)

    return length(payloads) - length([])


_any_text = st.text(st.characters(exclude_categories=["Cs"]))


@given(st.lists(st.text(st.characters(max_codepoint=127)) | _any_text, max_size=5))
def test_a_payloads_size_is_never_too_small(payloads: list[str]) -> None:
    """The sum is at least what the payloads take in a request, whatever is in them."""
    assert sum(map(encoded_size, payloads)) >= _in_a_request(payloads)


@given(st.lists(st.text(st.characters(max_codepoint=127)) | _any_text, max_size=5))
def test_a_payloads_size_is_never_too_small_for_ascii_json(payloads: list[str]) -> None:
    """Nor where the encoder escapes, and spaces follow commas: httpx before 0.28."""
    body = json.dumps({"tasks": {"f": payloads}})
    empty = json.dumps({"tasks": {"f": []}})
    assert sum(map(encoded_size, payloads)) >= len(body) - len(empty)


@given(st.text(st.sampled_from('"\\\n a') | st.characters(max_codepoint=126, min_codepoint=32)))
@example('"' * 100)
@example("\\" * 100)
@example("\n" * 100)
def test_the_usual_payload_is_measured_exactly(payload: str) -> None:
    """Printable ASCII and newlines: what JSON takes, and at most three bytes for the comma."""
    assert len(json.dumps(payload)) <= encoded_size(payload) <= len(json.dumps(payload)) + 6


@given(_any_text)
def test_any_payload_is_overrated_by_little(payload: str) -> None:
    """Six bytes for a character of two at most."""
    assert encoded_size(payload) <= 3 * _in_a_request([payload]) + 8


@pytest.mark.parametrize("payload", ["\ud800", "a\udfffb"])
def test_a_lone_surrogate_has_a_size(payload: str) -> None:
    """What UTF-8 cannot say still can be measured."""
    assert encoded_size(payload) >= len(payload) + 5
