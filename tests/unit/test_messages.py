"""The AMQP messages: what we write, others read; what others write, we read; nothing else."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.errors import MalformedMessage
from gcompute.messages import (
    VERSION_BYTE,
    ErrorDetails,
    Message,
    ResultMessage,
    StatusReport,
    TaskMessage,
    Transition,
    decode,
    encode,
)

TASK = "00000001-0000-0000-0000-000000000007"
ENDPOINT = "4b116d3c-1703-4f8f-9f6f-39921e5864df"
TRANSITIONS = (
    Transition(1700000000000000001, "execution-start", "worker"),
    Transition(1700000000000000002, "execution-end", "worker"),
)
DETAILS = {
    "os": "Linux",
    "python_version": "3.11.2",
    "dill_version": "0.3.9",
    "globus_compute_sdk_version": "4.19.0",
}

#: (what ``globus_compute_common`` 1.0.0 packs, what it means).
OFFICIAL: list[tuple[bytes, Message]] = [
    (
        b'\x01{"message_type":"task","data":{"task_id":"00000001-0000-0000-0000-000000000007",'
        b'"container_id":null,"container":null,"task_buffer":"3\\n00\\n\\n\\"\xc3\xa9\\\\"}}',
        TaskMessage(TASK, '3\n00\n\n"é\\'),
    ),
    (
        b'\x01{"message_type":"task","data":{"task_id":"00000001-0000-0000-0000-000000000007",'
        b'"container_id":"4b116d3c-1703-4f8f-9f6f-39921e5864df","container":null,'
        b'"task_buffer":"x"}}',
        TaskMessage(TASK, "x"),
    ),
    (
        b'\x01{"message_type":"result","data":{"task_id":"00000001-0000-0000-0000-000000000007",'
        b'"data":"11\\n[1,2]","details":{"os":"Linux","python_version":"3.11.2","dill_version":'
        b'"0.3.9","globus_compute_sdk_version":"4.19.0"},"error_details":null,"task_statuses":'
        b'[{"timestamp":1700000000000000001,"state":"execution-start","actor":"worker"},'
        b'{"timestamp":1700000000000000002,"state":"execution-end","actor":"worker"}]}}',
        ResultMessage(TASK, "11\n[1,2]", None, DETAILS, TRANSITIONS),
    ),
    (
        b'\x01{"message_type":"result","data":{"task_id":"00000001-0000-0000-0000-000000000007",'
        b'"data":"11\\nnull","details":null,"error_details":null,"task_statuses":null}}',
        ResultMessage(TASK, "11\nnull"),
    ),
    (
        b'\x01{"message_type":"result","data":{"task_id":"00000001-0000-0000-0000-000000000007",'
        b'"data":"Traceback","details":null,"error_details":{"code":"RemoteExecutionError",'
        b'"user_message":"boom"},"task_statuses":null}}',
        ResultMessage(TASK, "Traceback", ErrorDetails("RemoteExecutionError", "boom")),
    ),
    (
        b'\x01{"message_type":"ep_status_report","data":{"endpoint_id":'
        b'"4b116d3c-1703-4f8f-9f6f-39921e5864df","global_state":{"active":true,'
        b'"heartbeat_period":30,"total_workers":2},"task_statuses":'
        b'{"00000001-0000-0000-0000-000000000007":[{"timestamp":1700000000000000001,"state":'
        b'"execution-start","actor":"worker"},{"timestamp":1700000000000000002,"state":'
        b'"execution-end","actor":"worker"}]}}}',
        StatusReport(
            ENDPOINT,
            {"active": True, "heartbeat_period": 30, "total_workers": 2},
            {TASK: TRANSITIONS},
        ),
    ),
]

#: (a message, the bytes of ours that ``globus_compute_common`` 1.0.0 was seen to unpack).
UNPACKED_BY_OFFICIAL: list[tuple[Message, bytes]] = [
    (
        TaskMessage(TASK, '3\n00\n\n"é\\'),
        b'\x01{"message_type":"task","data":{"task_id":"00000001-0000-0000-0000-000000000007",'
        b'"task_buffer":"3\\n00\\n\\n\\"\\u00e9\\\\"}}',
    ),
    (
        ResultMessage(TASK, "11\n[1,2]", None, DETAILS, TRANSITIONS),
        OFFICIAL[2][0],
    ),
    (
        ResultMessage(TASK, "Traceback", ErrorDetails("RemoteExecutionError", "boom")),
        b'\x01{"message_type":"result","data":{"task_id":"00000001-0000-0000-0000-000000000007",'
        b'"data":"Traceback","details":null,"error_details":{"code":"RemoteExecutionError",'
        b'"user_message":"boom"},"task_statuses":[]}}',
    ),
    (OFFICIAL[5][1], OFFICIAL[5][0]),
]

_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
_objects = st.dictionaries(st.text(), _json, max_size=3)
_ids = st.uuids().map(str)
_transitions = st.lists(st.builds(Transition, st.integers(), st.text(), st.text()), max_size=3).map(
    tuple
)
_messages: st.SearchStrategy[Message] = st.one_of(
    st.builds(TaskMessage, _ids, st.text()),
    st.builds(
        ResultMessage,
        _ids,
        st.text(),
        st.none() | st.builds(ErrorDetails, st.text(), st.text()),
        st.none() | _objects,
        _transitions,
    ),
    st.builds(StatusReport, _ids, _objects, st.dictionaries(_ids, _transitions, max_size=3)),
)


def _message(message_type: object, data: object, **more: object) -> bytes:
    return VERSION_BYTE + json.dumps({"message_type": message_type, "data": data, **more}).encode()


@pytest.mark.parametrize(("body", "meaning"), OFFICIAL)
def test_what_the_official_package_packs_is_read(body: bytes, meaning: Message) -> None:
    """Recorded bytes of every message type mean what they meant to their writer."""
    assert decode(body) == meaning


@pytest.mark.parametrize(("message", "body"), UNPACKED_BY_OFFICIAL)
def test_we_write_what_the_official_package_unpacks(message: Message, body: bytes) -> None:
    """Our bytes are those that the official package was seen to read."""
    assert encode(message) == body


@given(_messages)
def test_a_message_survives_the_wire(message: Message) -> None:
    """Decoding is the inverse of encoding."""
    assert decode(encode(message)) == message


@given(_messages)
def test_a_message_is_one_line(message: Message) -> None:
    """After the version byte comes UTF-8 JSON without newlines."""
    body = encode(message)
    assert body[:1] == VERSION_BYTE
    assert b"\n" not in body
    assert set(json.loads(body[1:].decode("utf-8"))) == {"message_type", "data"}


@given(_messages, st.dictionaries(st.text(min_size=9), _json, max_size=3))
def test_unknown_fields_are_ignored(message: Message, extra: dict[str, Any]) -> None:
    """A later release may add fields, in the data and beside it."""
    envelope = json.loads(encode(message)[1:])
    data = extra | envelope["data"]
    assert decode(_message(envelope["message_type"], data, future=extra)) == message


@pytest.mark.parametrize("missing", [{}, {"details": None, "task_statuses": None}])
def test_optional_fields_may_be_missing_or_null(missing: dict[str, None]) -> None:
    """A result needs an id and data; the rest means "not known"."""
    assert decode(_message("result", {"task_id": TASK, "data": "x", **missing})) == ResultMessage(
        TASK, "x"
    )


@pytest.mark.parametrize("error", [{}, {"code": None, "user_message": None}])
def test_error_details_without_content_still_are_a_failure(error: dict[str, None]) -> None:
    """The presence of error details makes a failure; a null in them is no text "None"."""
    message = decode(_message("result", {"task_id": TASK, "data": "x", "error_details": error}))
    assert isinstance(message, ResultMessage)
    assert message.error_details == ErrorDetails("", "")


def test_the_older_name_of_the_global_state_is_read() -> None:
    """Agents before the renaming say ``ep_status_report``."""
    data = {"endpoint_id": ENDPOINT, "ep_status_report": {"active": True}}
    assert decode(_message("ep_status_report", data)) == StatusReport(ENDPOINT, {"active": True})


_RESULT = {"task_id": TASK, "data": "x"}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x01",
        b"\x02{}",
        b"{}",
        b"\x01null",
        b"\x01[]",
        b'\x01"text"',
        b"\x01{",
        b"\x01{}",
        b"\x01\xff\xfe\xfa",
        b"\x01" + b"[" * 200_000,
        b"\x01" + b'{"a":' * 200_000,
        b'\x01{"message_type":"result","data":' + b"9" * 10_000 + b"}",
        _message("result", None),
        _message("result", []),
        _message("result", {}),
        _message(None, _RESULT),
        _message(["result"], _RESULT),
        _message({"a": 1}, _RESULT),
        _message("cancel", _RESULT),
        _message("result", {"task_id": TASK}),
        _message("result", {"task_id": "not-a-uuid", "data": "x"}),
        _message("result", {"task_id": "\ud800" * 32, "data": "x"}),
        _message("result", {"task_id": 7, "data": "x"}),
        _message("result", {"task_id": TASK, "data": None}),
        _message("result", {"task_id": TASK, "data": {"a": 1}}),
        _message("result", _RESULT | {"error_details": "boom"}),
        _message("result", _RESULT | {"details": ["Linux"]}),
        _message("result", _RESULT | {"task_statuses": {}}),
        _message("result", _RESULT | {"task_statuses": [1]}),
        _message("result", _RESULT | {"task_statuses": [{}]}),
        _message(
            "result",
            _RESULT | {"task_statuses": [{"timestamp": float("inf"), "state": "", "actor": ""}]},
        ),
        _message(
            "result",
            _RESULT | {"task_statuses": [{"timestamp": float("nan"), "state": "", "actor": ""}]},
        ),
        _message("task", {"task_id": TASK}),
        _message("task", {"task_buffer": "x"}),
        _message("ep_status_report", {"endpoint_id": None}),
        _message("ep_status_report", {"endpoint_id": ENDPOINT, "global_state": 1}),
        _message("ep_status_report", {"endpoint_id": ENDPOINT, "task_statuses": []}),
        _message("ep_status_report", {"endpoint_id": ENDPOINT, "task_statuses": {TASK: "x"}}),
    ],
)
def test_malformed_bytes_are_refused(body: bytes) -> None:
    """What is no message of the protocol is a MalformedMessage with a text."""
    with pytest.raises(MalformedMessage) as caught:
        decode(body)
    assert str(caught.value)


@given(st.binary() | st.binary().map(lambda tail: VERSION_BYTE + tail))
def test_any_bytes_are_a_message_or_malformed(body: bytes) -> None:
    """Nothing but MalformedMessage is ever raised."""
    with contextlib.suppress(MalformedMessage):
        decode(body)


@given(st.sampled_from(["task", "result", "ep_status_report"]) | _json, _objects | _json)
def test_any_json_is_a_message_or_malformed(message_type: object, data: object) -> None:
    """Nor for JSON of any shape."""
    with contextlib.suppress(MalformedMessage):
        decode(_message(message_type, data))


@given(
    st.fixed_dictionaries(
        {"task_id": _ids, "data": st.text()},
        optional={"error_details": _json, "details": _json, "task_statuses": _json},
    )
)
def test_results_with_any_optional_fields_are_read_or_malformed(data: dict[str, Any]) -> None:
    """Nor for results whose optional fields have any shape."""
    try:
        message = decode(_message("result", data))
    except MalformedMessage:
        return
    assert isinstance(message, ResultMessage)
    assert message.data == data["data"]


def test_the_refusal_of_a_long_message_is_short() -> None:
    """A megabyte of rubbish does not end up in a log line."""
    with pytest.raises(MalformedMessage) as caught:
        decode(_message("result", {"task_id": "x" * 1_000_000, "data": ""}))
    assert len(str(caught.value)) < 500
    with pytest.raises(MalformedMessage) as caught:
        decode(_message("y" * 1_000_000, _RESULT))
    assert len(str(caught.value)) < 500
