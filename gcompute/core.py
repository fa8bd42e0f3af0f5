"""What the blocking and the asynchronous client have in common: settings and memory, no I/O.

Recipes (:mod:`gcompute.recipes`) read and write it. Safe to use from many threads: each
attribute is either set once or has a lock of its own.
"""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NoReturn
from urllib.parse import urlsplit

from gcompute import environment as _environment
from gcompute.arguments import unknown_argument
from gcompute.budget import RequestBudget, RequestsLeft
from gcompute.calls import Call, Notice, Recipe, read
from gcompute.errors import ComputeAPIError, ComputeError, VersionMismatch
from gcompute.finished import FinishedTasks
from gcompute.forking import no_fork
from gcompute.login import Authorizer, Login
from gcompute.once import Once
from gcompute.protocol import PROTOCOL_LEVEL
from gcompute.serialize import ComputeSerializer, Strategylike, official_paths

if TYPE_CHECKING:
    import globus_sdk

#: Requests, and the seconds in which the hosted service accepts so many of one client.
DEFAULT_REQUEST_LIMIT = (20, 10.0)


_VERSION = "version"

#: How much longer than the service's a client's window is: a request may take longer to arrive
#: than a later one, so that at the service they are closer together.
WINDOW_FACTOR = 1.05


class ClientCore:
    """Settings and memory of a client; see :class:`gcompute.Client` for the arguments."""

    def __init__(
        self,
        environment: str | None = None,
        local_compute_services: bool = False,
        do_version_check: bool = True,
        *,
        code_serialization_strategy: Strategylike | None = None,
        data_serialization_strategy: Strategylike | None = None,
        allowed_deserializers: Iterable[Strategylike] | None = None,
        app: globus_sdk.GlobusApp | None = None,
        authorizer: Authorizer | None = None,
        base_url: str | None = None,
        request_limit: tuple[int, float] | None = DEFAULT_REQUEST_LIMIT,
        transport: Any = None,
        **unknown: Any,
    ) -> None:
        for name in unknown:
            warnings.warn(f"{unknown_argument(type(self), name)}; it is ignored", stacklevel=2)
        self._login = Login(environment, app=app, authorizer=authorizer)
        self.web_service_address = base_url or _environment.service_url(
            "local" if local_compute_services else environment
        )
        self.serializer = ComputeSerializer(
            strategy_code=code_serialization_strategy, strategy_data=data_serialization_strategy
        )
        self._allowed = None if allowed_deserializers is None else list(allowed_deserializers)
        self.serializer = self.restricted(self.serializer)
        #: What endpoints are asked to write results with: what may be loaded here.
        self.result_serializers = official_paths(self._allowed) if self._allowed else []
        self._budget: RequestBudget | None = None
        if request_limit:
            limit, window_s = request_limit
            self._budget = RequestBudget(limit, window_s * WINDOW_FACTOR)
        #: States of finished tasks: the service forgets a result once it is fetched.
        self._finished = FinishedTasks()
        #: The version check comes with the first request.
        self._version_check = Once(done=() if do_version_check else (_VERSION,))
        #: Whether an endpoint's Python is compared with ours before its first task.
        self._compare_runtimes = do_version_check
        #: Endpoints that are compared with this client, by id.
        self._comparisons = Once()
        #: Endpoints whose status was looked at, by id.
        self._statuses = Once()
        self._open(transport)

    def _open(self, transport: Any) -> None:
        """Make the way to the service; nothing is sent."""
        raise NotImplementedError

    def _requests_left(self) -> RequestsLeft | None:
        """Say what is left of the budget of requests; ``None`` without a limit."""
        return None if self._budget is None else self._budget.left(time.monotonic())

    def _requests_are_plentiful(self) -> bool:
        """Tell whether more than half of the budget of requests is left."""
        left = self._requests_left()
        return left is None or left.plentiful

    def restricted(self, serializer: ComputeSerializer) -> ComputeSerializer:
        """Give a serializer that loads nothing but what this client may load."""
        return serializer if self._allowed is None else serializer.allowing(self._allowed)

    @property
    def app(self) -> globus_sdk.GlobusApp | None:
        """The app that logs in; ``None`` with an authorizer, and before the first request."""
        return self._login.app

    @property
    def authorizer(self) -> Authorizer | None:
        """The authorizer that was given."""
        return self._login.authorizer

    @property
    def fx_serializer(self) -> ComputeSerializer:
        """The serializer, by the name that the official client has for it."""
        return self.serializer

    @fx_serializer.setter
    def fx_serializer(self, serializer: ComputeSerializer) -> None:
        self.serializer = self.restricted(serializer)

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        """Refuse to be copied or pickled: connections and logins do not travel.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            f"a {type(self).__name__} cannot be copied or pickled: make one where it is needed "
            "(a function that is sent must not refer to one of its module)"
        )

    def __repr__(self) -> str:
        parts = urlsplit(self.web_service_address)
        # A password may come before the host.
        shown = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
        return f"<{type(self).__name__} of {shown}>"


def ask(core: ClientCore, call: Call) -> Recipe[Any]:
    """Make a call, after the version check where that is still to come.

    One call makes the check; others that come meanwhile do not wait for it.
    """
    if core._version_check.claim(_VERSION):
        try:
            yield from version_check(core)
        except BaseException:
            core._version_check.release(_VERSION)
            raise
    return (yield call)


def ask_for_object(core: ClientCore, call: Call) -> Recipe[dict[str, Any]]:
    """Make a call whose answer is an object; its ``ha_warning`` is shown.

    Raises:
        ComputeAPIError: it is none.
    """
    answer = yield from ask(core, call)
    if not isinstance(answer, dict):
        raise unreadable(f"the answer of {call.operation} is no object: {answer!r:.200}")
    if answer.get("ha_warning"):
        yield Notice(str(answer["ha_warning"]))
    return answer


def unreadable(message: str) -> ComputeAPIError:
    """Make the error for an answer of success that lacks what was asked for."""
    return ComputeAPIError(http_status=200, message=message)


def version_check(core: ClientCore, endpoint_version: str | None = None) -> Recipe[None]:
    """Check that the service accepts this client, and an endpoint of a version.

    Raises:
        VersionMismatch: it does not; the message says what is needed.
    """
    answer = yield read("service.get_version", service="all")
    if not isinstance(answer, dict):
        answer = {}  # the text of an older service: no minimum in it
    _require(PROTOCOL_LEVEL, answer.get("min_sdk_version"), "client protocol level")
    if endpoint_version is not None:
        needed = answer.get("min_ep_version") or answer.get("min_endpoint_version")
        _require(endpoint_version, needed, "globus-compute-endpoint")
    core._version_check.claim(_VERSION)


def _require(version: str, needed: object, what: str) -> None:
    """Compare versions; a service that names no minimum accepts all."""
    with no_fork:
        from packaging.version import InvalidVersion, Version

    if needed is None:
        return
    try:
        too_old = Version(version) < Version(str(needed))
    except InvalidVersion as error:
        raise ComputeError(
            f"cannot compare {what} {version!r} with {needed!r}, the oldest that the service "
            "accepts; Client(do_version_check=False) goes without the check"
        ) from error
    if too_old:
        raise VersionMismatch(
            f"{what} {version} is older than {needed}, the oldest that the service accepts: "
            "install a newer release"
        )
