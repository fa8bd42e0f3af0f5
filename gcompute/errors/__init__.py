"""Every error that gcompute raises, in one tree.

::

    ComputeError                      the root: catch this to catch all of them
    ├── ServiceUnreachable            no answer: refused, timed out, cut off, no such host
    ├── ComputeAPIError               the service answered with an error status
    │   ├── AuthenticationFailed        401: the token is missing, wrong or expired
    │   │   └── LoginRequired             nobody is logged in, and nobody can be asked to
    │   ├── PermissionDenied            403: known, but not allowed
    │   ├── NotFound                    404: no such task, function, endpoint or task group
    │   ├── PayloadTooLarge             413: a request over the service's limit
    │   ├── RequestInvalid              400, 422: the service could not accept the request
    │   ├── RateLimited                 429: too many requests
    │   └── ServiceFailed               5xx: the service itself is in trouble
    ├── SerdeError
    │   ├── SerializationError          a function, argument or result cannot be sent
    │   └── DeserializationError        what arrived cannot be loaded here
    ├── TaskTooLarge                  one task is over the limit of a request; never sent
    ├── TaskPending                   the task has not finished yet
    ├── TaskExecutionFailed           the task ran, or was to run, and failed
    ├── SubmissionUncertain           a submit broke off: the tasks may or may not run
    ├── ResultsUnavailable            the stream of results cannot be had any more
    ├── MaxResultSizeExceeded         a result over the limit (raised on a worker)
    ├── MalformedMessage              bytes that are no message of the protocol
    └── VersionMismatch               this client is too old for the service

``gcompute.functions.MissingPlaceholder``, of a command without a value, and
``gcompute.local.LocalServiceFailed`` are below the root as well. Arguments that make no sense are a
:class:`ValueError` or :class:`TypeError` of Python, at once.

Each carries what it knows as attributes, says in its message what happened, to what, and
what to do next, and survives pickling: a worker process or a process pool may carry it.
"""

from gcompute.errors.api import (
    AuthenticationFailed,
    ComputeAPIError,
    LoginRequired,
    NotFound,
    PayloadTooLarge,
    PermissionDenied,
    RateLimited,
    RequestInvalid,
    ServiceFailed,
    ServiceUnreachable,
)
from gcompute.errors.api import (
    error_class_for as error_class_for,
)
from gcompute.errors.base import ComputeError
from gcompute.errors.serialization import DeserializationError, SerdeError, SerializationError
from gcompute.errors.tasks import (
    MaxResultSizeExceeded,
    RemoteTraceback,
    ResultsUnavailable,
    SubmissionUncertain,
    TaskExecutionFailed,
    TaskPending,
    TaskTooLarge,
)
from gcompute.errors.wire import MalformedMessage, VersionMismatch

__all__ = [
    "AuthenticationFailed",
    "ComputeAPIError",
    "ComputeError",
    "DeserializationError",
    "LoginRequired",
    "MalformedMessage",
    "MaxResultSizeExceeded",
    "NotFound",
    "PayloadTooLarge",
    "PermissionDenied",
    "RateLimited",
    "RemoteTraceback",
    "RequestInvalid",
    "ResultsUnavailable",
    "SerdeError",
    "SerializationError",
    "ServiceFailed",
    "ServiceUnreachable",
    "SubmissionUncertain",
    "TaskExecutionFailed",
    "TaskPending",
    "TaskTooLarge",
    "VersionMismatch",
]
