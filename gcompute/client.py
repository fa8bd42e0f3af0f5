"""The client of the web service: functions, submits and results, over HTTP.

For many tasks and results as they arrive use :class:`gcompute.Executor`, which builds on this.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from gcompute import environment as _environment
from gcompute import http
from gcompute.batch import Batch
from gcompute.errors import ComputeAPIError, ComputeError, TaskPending, VersionMismatch
from gcompute.ids import UUIDLike, as_uuid
from gcompute.login import app_authorizer, default_app, require_scope
from gcompute.outcomes import task_state
from gcompute.protocol import PROTOCOL_LEVEL
from gcompute.registration import function_registration
from gcompute.runtime import create_user_runtime
from gcompute.serialize import ComputeSerializer, Strategylike

if TYPE_CHECKING:
    import globus_sdk
    import httpx


class Client:
    """Talks to the Globus Compute web service.

    Making one sends nothing and prompts for nothing: the login, where one is needed, comes with
    the first request. Safe to use from many threads.

    Args:
        environment: the Globus environment; default ``GLOBUS_SDK_ENVIRONMENT``, else production.
        local_compute_services: use a service at ``http://localhost:5000``.
        do_version_check: check, before the first request, that the service still accepts this
            client's protocol level.
        code_serialization_strategy: for functions; default
            :class:`~gcompute.serialize.DillCode`.
        data_serialization_strategy: for arguments; default
            :class:`~gcompute.serialize.DillDataBase64`.
        app: a ``globus_sdk.GlobusApp`` that logs in and keeps tokens; default a ``ClientApp``
            when client credentials are in the environment, else a ``UserApp``.
        authorizer: a ``globus_sdk`` authorizer, in place of ``app``.
        base_url: the address of the service, in place of ``environment``.
        transport: an httpx transport to send through, in place of the network; for tests.

    Raises:
        ValueError: arguments that contradict each other, an unknown environment, or an address
            that is none.
        SerdeError: a strategy is unknown or of the wrong kind.
    """

    def __init__(
        self,
        environment: str | None = None,
        local_compute_services: bool = False,
        do_version_check: bool = True,
        *,
        code_serialization_strategy: Strategylike | None = None,
        data_serialization_strategy: Strategylike | None = None,
        app: globus_sdk.GlobusApp | None = None,
        authorizer: http.Authorizer | None = None,
        base_url: str | None = None,
        transport: httpx.BaseTransport | None = None,
        **kwargs: Any,
    ) -> None:
        for name in kwargs:
            warnings.warn(
                f"Client does not know the argument {name!r}; it is ignored", stacklevel=2
            )
        if app is not None and authorizer is not None:
            raise ValueError("app and authorizer exclude each other: give one of them")
        self.app = app
        self.authorizer = authorizer
        self._environment = environment
        self.web_service_address = base_url or _environment.service_url(
            "local" if local_compute_services else environment
        )
        self.serializer = ComputeSerializer(
            strategy_code=code_serialization_strategy, strategy_data=data_serialization_strategy
        )
        self._api = http.ServiceAPI(
            self.web_service_address, self._find_authorizer, transport=transport
        )
        self._scope_required = False
        self._version_unchecked = do_version_check
        #: States of finished tasks by task id: the service forgets a result once it is fetched.
        self._finished: dict[str, dict[str, Any]] = {}

    @property
    def fx_serializer(self) -> ComputeSerializer:
        """The serializer, by the name that the official client has for it."""
        return self.serializer

    def version_check(self, endpoint_version: str | None = None) -> None:
        """Check that the service accepts this client, and an endpoint of a version.

        Raises:
            VersionMismatch: it does not; the message says what is needed.
        """
        answer = self._api.call(http.get_version, service=http.VersionService.ALL)
        if not isinstance(answer, dict):
            answer = {}  # the text of an older service: no minimum in it
        _require(PROTOCOL_LEVEL, answer.get("min_sdk_version"), "client protocol level")
        if endpoint_version is not None:
            needed = answer.get("min_ep_version") or answer.get("min_endpoint_version")
            _require(endpoint_version, needed, "globus-compute-endpoint")
        self._version_unchecked = False

    def register_function(
        self,
        function: Callable[..., Any],
        description: str | None = None,
        metadata: dict[str, Any] | None = None,
        public: bool = False,
        group: UUIDLike | None = None,
        ha_endpoint_id: UUIDLike | None = None,
    ) -> str:
        """Register a function with the service.

        Args:
            function: the function; what it needs must be imported in its body.
            description: for people; default the function's docstring.
            metadata: replaces values of the function's metadata, such as ``python_version``.
            public: whether everybody may run it.
            group: a Globus group whose members may run it.
            ha_endpoint_id: the one high-assurance endpoint that may run it; not to be shared.

        Returns:
            The function's id.

        Raises:
            SerializationError: the function cannot be sent; the message says why.
            ComputeAPIError: the service refuses it.
        """
        return self._register(
            function_registration(
                function,
                self.serializer,
                description=description,
                metadata=metadata,
                public=public,
                group=group,
                ha_endpoint_id=ha_endpoint_id,
            )
        )

    def run(self, *args: Any, endpoint_id: UUIDLike, function_id: UUIDLike, **kwargs: Any) -> str:
        """Run a registered function.

        Args:
            *args: positional arguments of the function.
            endpoint_id: where to run it.
            function_id: the registered function.
            **kwargs: keyword arguments of the function.

        Returns:
            The task's id.
        """
        batch = self.create_batch()
        batch.add(function_id, args, kwargs)
        answer = self.batch_run(endpoint_id, batch)
        task_ids = answer["tasks"].get(str(as_uuid(function_id, "function_id")))
        if not task_ids:
            raise _unreadable(f"the answer to a submit has no task id: {answer!r}")
        return str(task_ids[0])

    def create_batch(
        self,
        task_group_id: UUIDLike | None = None,
        resource_specification: dict[str, Any] | None = None,
        user_endpoint_config: dict[str, Any] | None = None,
        create_websocket_queue: bool = False,
        result_serializers: Iterable[Strategylike] | None = None,
    ) -> Batch:
        """Make an empty batch.

        Args:
            task_group_id: the task group to add the tasks to; default a new one.
            resource_specification: what each task needs, for endpoints that run MPI functions.
            user_endpoint_config: values for the template of a multi-user endpoint.
            create_websocket_queue: whether the service is to make a result queue.
            result_serializers: strategies that the endpoint tries for results, in order.
        """
        return Batch(
            task_group_id,
            resource_specification,
            user_endpoint_config,
            create_websocket_queue,
            serializer=self.serializer,
            user_runtime=create_user_runtime(),
            result_serializers=result_serializers,
        )

    def batch_run(self, endpoint_id: UUIDLike, batch: Batch) -> dict[str, Any]:
        """Submit a batch to an endpoint.

        Returns:
            ``tasks`` (function id to a list of task ids, in the order of their addition),
            ``task_group_id``, ``endpoint_id``, and ``request_id`` for support requests.

        Raises:
            ValueError: the batch is empty, or ``endpoint_id`` no UUID.
            ComputeAPIError: the service refuses it: an unknown endpoint or function
                (:class:`~gcompute.errors.NotFound`), more than 10 MB
                (:class:`~gcompute.errors.PayloadTooLarge`), ...
        """
        if not batch:
            raise ValueError("the batch is empty: add tasks to it with Batch.add")
        return self._submit(as_uuid(endpoint_id, "endpoint_id"), batch.prepare())

    def get_task(self, task_id: UUIDLike) -> dict[str, Any]:
        """Ask for the state of a task.

        Returns:
            ``pending`` (bool) and ``status`` (text); for a finished task also ``result`` and
            ``completion_t`` (Unix time in s, as text).

        Raises:
            TaskExecutionFailed: the task failed.
            DeserializationError: its result does not load here.
            ResultsUnavailable: it succeeded, but the service has its result no more.
            NotFound: the service does not know the task.
        """
        state = self._task_state(task_id)
        if "exception" in state:
            raise state["exception"]
        return state

    def get_result(self, task_id: UUIDLike) -> Any:
        """Give the result of a finished task.

        Raises:
            TaskPending: it has not finished.
            TaskExecutionFailed: it failed; the cause is the endpoint's traceback.
            DeserializationError: its result does not load here.
            ResultsUnavailable: it succeeded, but the service has its result no more.
            NotFound: the service does not know the task.
        """
        state = self.get_task(task_id)
        if state["pending"]:
            raise TaskPending(state["status"])
        return state["result"]

    def get_batch_result(self, task_id_list: Iterable[UUIDLike]) -> dict[str, dict[str, Any]]:
        """Ask for the states of many tasks in one request.

        Returns:
            For every task id that was given, as text: ``pending`` (bool) and ``status`` (text;
            ``unknown`` where the service does not know the task). A finished task has
            ``completion_t`` and either ``result`` or, where it failed, ``exception``.
        """
        if isinstance(task_id_list, str):
            raise TypeError("get_batch_result takes a list of task ids; for one use get_task")
        ids = list(dict.fromkeys(str(as_uuid(task_id, "task_id")) for task_id in task_id_list))
        unfinished = [task_id for task_id in ids if task_id not in self._finished]
        answers = self._batch_status(unfinished) if unfinished else {}
        states = {task_id: self._remember(task_id, answers.get(task_id)) for task_id in unfinished}
        return {task_id: states.get(task_id) or dict(self._finished[task_id]) for task_id in ids}

    def get_result_amqp_url(self) -> dict[str, str]:
        """Ask for access to the result queues.

        Returns:
            ``connection_url`` with fresh credentials, and ``queue_prefix``: a task group's queue
            is the prefix followed by the group's id.
        """
        answer: dict[str, str] = self._call(http.get_result_amqp_url)
        return answer

    def close(self) -> None:
        """Close the connections, also those in use. A later call opens new ones."""
        self._api.close()

    def __repr__(self) -> str:
        return f"<Client of {self.web_service_address}>"

    # What the Executor uses beside the methods above.

    def _register(self, registration: dict[str, Any]) -> str:
        body = http.RegisterFunctionRequest.from_dict(registration)
        answer = self._call(http.register_function, body=body)
        _show_ha_warning(answer)
        if not answer.get("function_uuid"):
            raise _unreadable(f"the answer to a registration has no function_uuid: {answer!r}")
        return str(answer["function_uuid"])

    def _submit(self, endpoint_id: Any, request: dict[str, Any]) -> dict[str, Any]:
        body = http.SubmitRequest.from_dict(request)
        answer = self._call(http.submit, endpoint_uuid=endpoint_id, body=body)
        if not isinstance(answer.get("tasks"), dict):
            raise _unreadable(f"the answer to a submit has no task ids: {answer!r}")
        _show_ha_warning(answer)
        return answer

    def _batch_status(self, task_ids: list[str]) -> dict[str, dict[str, Any]]:
        body = http.BatchStatusRequest.from_dict({"task_ids": task_ids})
        answer = self._call(http.get_task_batch, body=body)
        results: dict[str, dict[str, Any]] = answer.get("results") or {}
        return results

    def _task_state(self, task_id: UUIDLike) -> dict[str, Any]:
        key = str(as_uuid(task_id, "task_id"))
        if key in self._finished:
            return dict(self._finished[key])
        return self._remember(key, self._call(http.get_task, task_uuid=key))

    def _remember(self, task_id: str, answer: dict[str, Any] | None) -> dict[str, Any]:
        state = task_state(task_id, answer, self.serializer)
        if not state["pending"]:
            self._finished[task_id] = dict(state)
        return state

    def _call(self, operation: http.Operation, **arguments: Any) -> dict[str, Any]:
        if self._version_unchecked:
            self.version_check()
        answer = self._api.call(operation, **arguments)
        if not isinstance(answer, dict):
            raise _unreadable(f"the answer of {operation.__name__} is no object: {answer!r}")
        return answer

    def _find_authorizer(self) -> http.Authorizer:
        """Give the authorizer, making the app at the first request; one thread at a time."""
        if self.authorizer is not None:
            return self.authorizer
        if self.app is None:
            self.app = default_app(self._environment)
        if not self._scope_required:
            require_scope(self.app)
            self._scope_required = True
        return app_authorizer(self.app)


def _unreadable(message: str) -> ComputeAPIError:
    """An answer of success that lacks what was asked for."""
    return ComputeAPIError(http_status=200, message=message)


def _show_ha_warning(answer: dict[str, Any]) -> None:
    warning = answer.get("ha_warning")
    if warning:
        warnings.warn(str(warning), UserWarning, stacklevel=4)


def _require(version: str, needed: str | None, what: str) -> None:
    """Compare versions; a service that names no minimum accepts all."""
    from packaging.version import InvalidVersion, Version

    if needed is None:
        return
    try:
        too_old = Version(version) < Version(needed)
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
