"""Every error survives the trip to another process, and says what, which and what next."""

from __future__ import annotations

import copy
import inspect
import multiprocessing
import pickle

import globus_sdk
import pytest
import requests

from gcompute import errors
from gcompute.errors import (
    AuthenticationFailed,
    ComputeAPIError,
    ComputeError,
    DeserializationError,
    LoginRequired,
    MalformedMessage,
    MaxResultSizeExceeded,
    NotFound,
    PayloadTooLarge,
    PermissionDenied,
    RateLimited,
    RemoteTraceback,
    RequestInvalid,
    ResultsUnavailable,
    SerdeError,
    SerializationError,
    ServiceFailed,
    ServiceUnreachable,
    SubmissionUncertain,
    TaskExecutionFailed,
    TaskPending,
    TaskTooLarge,
    VersionMismatch,
    error_class_for,
)
from gcompute.hints import hints_for

_API_ERRORS = (
    ComputeAPIError,
    AuthenticationFailed,
    PermissionDenied,
    NotFound,
    PayloadTooLarge,
    RequestInvalid,
    RateLimited,
    ServiceFailed,
)


def _api_error(cls: type[ComputeAPIError]) -> ComputeAPIError:
    return cls(
        http_status=422,
        code="TASK_INVALID",
        message="no such thing",
        request_id="r-1",
        raw_json={"code": "TASK_INVALID"},
        errors=[{"loc": ["body", "tasks", 0], "msg": "too short", "type": "length"}],
        request="POST /v3/x",
    )


EXAMPLES: list[ComputeError] = [
    ComputeError("something"),
    *[_api_error(cls) for cls in _API_ERRORS],
    LoginRequired(http_status=401, message="nobody is logged in"),
    ServiceUnreachable("no answer", url="http://localhost:5000", sent=False),
    SerdeError("either way"),
    SerializationError("a lock cannot be sent"),
    DeserializationError("no such strategy"),
    TaskTooLarge("too large", size=11, limit=10),
    TaskPending("waiting-for-ep"),
    TaskExecutionFailed(
        "Traceback: ZeroDivisionError",
        "1700000000.5",
        {"os": "Linux", "endpoint_id": "e-1"},
        task_id="t-1",
        error_code="RemoteExecutionError",
    ),
    SubmissionUncertain("broke off", endpoint_id="e-1", task_group_id="g-1"),
    ResultsUnavailable("gone"),
    MaxResultSizeExceeded(20, 10),
    MalformedMessage("not JSON"),
    VersionMismatch("too old"),
]


def test_each_error_class_has_an_example() -> None:
    """No error class escapes the tests below."""
    defined = {
        cls
        for _, cls in inspect.getmembers(errors, inspect.isclass)
        if issubclass(cls, ComputeError)
    }
    assert {type(example) for example in EXAMPLES} == defined


def test_the_tree_in_the_documentation_is_complete() -> None:
    """The module's docstring names every class, each exactly once, in the drawing."""
    drawing = (errors.__doc__ or "").splitlines()
    for example in EXAMPLES:
        name = type(example).__name__
        lines = [line for line in drawing if name in line.split()]
        assert len(lines) == 1, name


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda e: type(e).__name__)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_an_error_survives_pickling(error: ComputeError, protocol: int) -> None:
    """Class, message and every attribute come out of a pickle as they went in."""
    loaded = pickle.loads(pickle.dumps(error, protocol))
    assert type(loaded) is type(error)
    assert str(loaded) == str(error)
    assert loaded.args == error.args
    assert vars(loaded) == vars(error)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda e: type(e).__name__)
def test_an_error_survives_copying(error: ComputeError) -> None:
    """Both kinds of copy keep class, message and attributes."""
    for copied in (copy.copy(error), copy.deepcopy(error)):
        assert type(copied) is type(error)
        assert str(copied) == str(error)
        assert vars(copied) == vars(error)


def _examples_from_there() -> list[ComputeError]:
    return EXAMPLES


def test_errors_come_back_from_another_process() -> None:
    """A process pool hands every error over, causes included."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        returned = pool.apply(_examples_from_there)
        pool.close()
        pool.join()
    assert [str(e) for e in returned] == [str(e) for e in EXAMPLES]
    failure = next(e for e in returned if isinstance(e, TaskExecutionFailed))
    assert isinstance(failure.__cause__, RemoteTraceback)
    assert "ZeroDivisionError" in str(failure.__cause__)


def test_a_late_attribute_survives_pickling() -> None:
    """What is set after the construction, a wait or a note, is not lost."""
    error = _api_error(RateLimited)
    assert isinstance(error, RateLimited)
    error.retry_after_s = 2.5
    error.add_note("while submitting")
    loaded = pickle.loads(pickle.dumps(error))
    assert loaded.retry_after_s == 2.5
    assert loaded.__notes__ == ["while submitting"]


def test_an_api_error_says_what_which_and_what_next() -> None:
    """The message has request, status, code, the service's words, fields, id and a next step."""
    text = str(
        NotFound(
            http_status=404,
            code="ENDPOINT_NOT_FOUND",
            message="no endpoint 4b11",
            request_id="r-9",
            errors=[{"loc": ["path", "endpoint_uuid"], "msg": "unknown"}],
            request="GET /v2/endpoints/4b11",
        )
    )
    for part in (
        "GET /v2/endpoints/4b11",
        "404",
        "ENDPOINT_NOT_FOUND",
        "no endpoint 4b11",
        "path.endpoint_uuid: unknown",
        "r-9",
        "Check the id",
    ):
        assert part in text


@pytest.mark.parametrize("loc", [None, "body", 3, [], ["a", 1, None]])
def test_an_api_error_describes_odd_field_paths(loc: object) -> None:
    """A path of any shape in the service's answer never breaks the error about it."""
    assert "bad value" in str(
        RequestInvalid(http_status=422, errors=[{"loc": loc, "msg": "bad value"}])
    )


def test_a_text_as_field_path_is_shown_whole() -> None:
    """A path that is one text is not taken apart into letters."""
    assert "body: bad" in str(
        RequestInvalid(http_status=422, errors=[{"loc": "body", "msg": "bad"}])
    )


def test_status_code_is_another_name_of_http_status() -> None:
    """Users of httpx and requests find the status where they look for it."""
    error = ComputeAPIError(http_status=418)
    assert error.status_code == error.http_status == 418


def test_an_api_error_reads_like_one_of_globus_sdk() -> None:
    """Every public attribute of GlobusAPIError is there, but for those that a list excuses."""
    response = requests.Response()
    response.status_code = 404
    response._content = b'{"code": "X", "detail": "no such thing"}'
    response.headers["Content-Type"] = "application/json"
    response.request = requests.Request("GET", "http://service.test").prepare()
    theirs = globus_sdk.GlobusAPIError(response)
    ours = NotFound(http_status=404, code="X", message="no such thing")
    excused = {
        "binary_content",  # text is the body
        "MESSAGE_FIELDS",  # how it is parsed
        "RECOGNIZED_AUTHZ_SCHEMES",
    }
    names = {name for name in dir(theirs) if not name.startswith("_")}
    assert names - set(dir(ours)) == excused
    for name in ("http_status", "code", "request_id", "message", "messages"):
        assert getattr(ours, name) == getattr(theirs, name), name


def test_what_an_answer_was_is_kept() -> None:
    """Headers, media type, body and the phrase of the status."""
    error = NotFound(http_status=404, headers={"Content-Type": "text/html"}, text="<p>no</p>")
    assert (error.content_type, error.text, error.http_reason) == (
        "text/html",
        "<p>no</p>",
        "Not Found",
    )
    unknown = ComputeAPIError(http_status=599)
    assert (unknown.content_type, unknown.text, unknown.http_reason) == (None, "", "")


def test_wrong_fields_can_be_asked_for_by_path() -> None:
    """All that is wrong with a field is under its path, also where that is odd."""
    error = RequestInvalid(
        http_status=422,
        message="the request is not valid",
        errors=[
            {"loc": ["body", "tasks", 0], "msg": "too short", "type": "length"},
            {"loc": ["body", "tasks", 0], "msg": "not text", "type": "text"},
            {"loc": None, "msg": "odd"},
        ],
    )
    assert error.errors_by_field == {
        "body.tasks.0": ["too short", "not text"],
        "request": ["odd"],
    }
    assert error.messages == ["body.tasks.0: too short", "body.tasks.0: not text", "request: odd"]
    assert ComputeAPIError(http_status=500, message="broken").messages == ["broken"]
    assert ComputeAPIError(http_status=500).messages == []


def test_a_missing_policy_is_read_as_globus_sdk_reads_it() -> None:
    """What to log in with is in ``info``."""
    needed = {"authorization_parameters": {"session_required_policies": ["p-1"]}}
    error = PermissionDenied(http_status=403, raw_json={"code": "X", **needed})
    assert error.info.authorization_parameters
    assert error.info.authorization_parameters.session_required_policies == ["p-1"]
    assert not ComputeAPIError(http_status=502).info.authorization_parameters


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, RequestInvalid),
        (401, AuthenticationFailed),
        (403, PermissionDenied),
        (404, NotFound),
        (409, ComputeAPIError),
        (413, PayloadTooLarge),
        (422, RequestInvalid),
        (429, RateLimited),
        (451, ComputeAPIError),
        (500, ServiceFailed),
        (503, ServiceFailed),
        (599, ServiceFailed),
    ],
)
def test_each_status_has_its_class(status: int, expected: type[ComputeAPIError]) -> None:
    """Statuses map to the class that the module's tree names for them."""
    assert error_class_for(status) is expected


@pytest.mark.parametrize("cls", [cls for cls in _API_ERRORS if cls is not ComputeAPIError])
def test_every_named_api_error_tells_what_to_do(cls: type[ComputeAPIError]) -> None:
    """Where the class alone says what is wrong, it also says what to do about it."""
    assert cls.next_step
    assert str(cls(http_status=400)).endswith(cls.next_step)


def test_a_failed_task_names_task_endpoint_code_and_traceback() -> None:
    """The message of a failure has all that is known, and its cause is the remote traceback."""
    error = TaskExecutionFailed(
        "Traceback\nZeroDivisionError: division by zero",
        "1700000000",
        {"endpoint_id": "e-1", "python_version": "3.9"},
        task_id="t-1",
        error_code="RemoteExecutionError",
    )
    for part in ("t-1", "e-1", "RemoteExecutionError", "ZeroDivisionError"):
        assert part in str(error)
    assert error.endpoint_id == "e-1"
    assert error.details["python_version"] == "3.9"
    assert error.remote_traceback == error.remote_data
    assert "division by zero" in str(error.__cause__)


@pytest.mark.parametrize("details", [None, {}, "3.11", ["Linux"], 7])
def test_a_failed_task_bears_odd_details(details: object) -> None:
    """Details of another shape than documented never break the error that carries them."""
    error = TaskExecutionFailed("boom", None, details, task_id="t-1")  # type: ignore[arg-type]
    assert "boom" in str(error)
    assert error.endpoint_id is None
    assert error.details == {}


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ("MaxResultSizeExceeded: 20B", "10 MiB"),
        ("parsl.WorkerLost: gone", "worker process died"),
        ("AppTimeout: 10 s", "time limit"),
        ("ModuleNotFoundError: No module named 'numpy'", "not installed"),
        ("SystemError: unknown opcode", "serialization"),
    ],
)
def test_usual_causes_get_one_hint(text: str, fragment: str) -> None:
    """A typical failure is explained, by one hint."""
    (hint,) = hints_for(text)
    assert fragment in hint
    assert hint in str(TaskExecutionFailed(text))


def test_an_ordinary_exception_gets_no_hint() -> None:
    """What the user's function raised is not explained away."""
    assert hints_for("ZeroDivisionError: division by zero") == []


def test_sizes_of_a_too_large_result_are_in_its_message() -> None:
    """The message has the size and the limit."""
    assert str(MaxResultSizeExceeded(20, 10)) == (
        "Task result of 20B exceeded current limit of 10B"
    )
