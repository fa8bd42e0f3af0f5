"""What the service makes of the messages of endpoints."""

from __future__ import annotations

import json
import uuid

import pytest

from gcompute.local import routing
from gcompute.local.routing import Unacceptable
from gcompute.local.store.outcomes import Forward
from gcompute.messages import (
    ErrorDetails,
    ResultMessage,
    StatusReport,
    TaskMessage,
    Transition,
    decode,
    encode,
)
from gcompute.protocol import MAX_RESULT_BYTES

TASK = "10000000-0000-4000-8000-000000000001"
ENDPOINT = "20000000-0000-4000-8000-000000000002"
KEY = f"{ENDPOINT}.results"


def test_a_success_is_kept_as_it_came() -> None:
    """The outcome has the message's own bytes, its sender, and its transitions in seconds."""
    message = ResultMessage(
        TASK, "00\nxyz", task_statuses=(Transition(1_500_000_000, "execution-start", "worker"),)
    )
    outcome = routing.read_result(encode(message), KEY)
    assert outcome.body == encode(message)
    assert (outcome.task_id, outcome.endpoint, outcome.success) == (TASK, ENDPOINT, True)
    assert outcome.transitions == {"execution-start": pytest.approx(1.5)}


def test_error_details_make_a_failure() -> None:
    """Their presence decides, whatever the data are."""
    message = ResultMessage(TASK, "traceback", error_details=ErrorDetails("X", "no"))
    assert not routing.read_result(encode(message), KEY).success


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x02{}",
        b"\x01not json",
        encode(TaskMessage(TASK, "")),
        encode(StatusReport(ENDPOINT)),
        b"\x01" + json.dumps({"message_type": "result", "data": {"task_id": "x"}}).encode(),
        b"\x01"
        + json.dumps(
            {
                "message_type": "result",
                "data": {
                    "task_id": TASK,
                    "data": "",
                    "task_statuses": [{"timestamp": 10**400, "state": "running", "actor": "x"}],
                },
            }
        ).encode(),
    ],
)
def test_what_is_no_result_is_refused_with_a_reason(body: bytes) -> None:
    """Nothing that an endpoint sends ends in another error than this one."""
    with pytest.raises(Unacceptable, match=r"\w"):
        routing.read_result(body, KEY)


@pytest.mark.parametrize(("excess", "success"), [(0, True), (1, False)])
def test_a_result_over_the_limit_becomes_a_failure(excess: int, success: bool) -> None:
    """At 10 MiB a result passes; one byte more fails the task, and says by how much."""
    message = ResultMessage(TASK, "x" * (MAX_RESULT_BYTES + excess))
    outcome = routing.read_result(encode(message), KEY)
    assert outcome.success is success
    if not success:
        kept = decode(outcome.body)
        assert isinstance(kept, ResultMessage)
        assert "MaxResultSizeExceeded" in kept.data
        assert str(MAX_RESULT_BYTES + 1) in kept.data
        assert len(outcome.body) < 1000


def test_a_report_for_another_endpoint_is_refused() -> None:
    """An endpoint speaks for itself only."""
    body = encode(StatusReport(str(uuid.uuid4())))
    with pytest.raises(Unacceptable, match="sent a report for"):
        routing.read_report(body, f"{ENDPOINT}.heartbeats")


def test_the_first_time_of_a_state_counts() -> None:
    """A state that is reported twice was entered at the earlier time."""
    entered = routing.times(
        [Transition(2 * 10**9, "running", "w"), Transition(10**9, "running", "w")]
    )
    assert entered == {"running": pytest.approx(1.0)}


def test_high_assurance_results_travel_without_their_value() -> None:
    """The queue of a user learns that the task is done, and not what came out."""
    secret = encode(ResultMessage(TASK, "00\nsecret"))
    plain = Forward(1, TASK, "group", "user", secret, 1.0, high_assurance=False)
    assured = Forward(1, TASK, "group", "user", secret, 1.0, high_assurance=True)
    assert routing.forwarded_body(plain) == secret
    assert b"secret" not in routing.forwarded_body(assured)
    message = decode(routing.forwarded_body(assured))
    assert isinstance(message, ResultMessage)
    assert message.task_id == TASK


def test_a_failed_outcome_reads_back() -> None:
    """What the service says in an endpoint's name is a result message like any other."""
    outcome = routing.failed_outcome(TASK, ENDPOINT, "ENDPOINT_LOST", "it died")
    again = routing.read_result(outcome.body, KEY)
    assert again == outcome
    assert routing.read_stored(outcome.body).error_details == ErrorDetails(
        "ENDPOINT_LOST", "it died"
    )
