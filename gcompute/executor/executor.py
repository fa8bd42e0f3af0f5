"""The Executor: Python functions in, futures out."""

from __future__ import annotations

import concurrent.futures
import uuid
import warnings
import weakref
from collections.abc import Callable, Iterable
from functools import partial
from types import TracebackType
from typing import Any, Literal, NoReturn, ParamSpec, Self, TypeVar

from gcompute.arguments import as_arguments
from gcompute.awaiting import in_thread
from gcompute.client import Client
from gcompute.errors import ComputeError
from gcompute.executor import leaving
from gcompute.executor.default_client import default_client
from gcompute.executor.engine import Engine
from gcompute.executor.functions import FunctionCache, FunctionReference
from gcompute.executor.future import ComputeFuture, settle
from gcompute.executor.mapping import MappedResults, map_calls
from gcompute.executor.older import client_of_older, warn_without_effect
from gcompute.executor.outbox import Destination
from gcompute.executor.packing import packed
from gcompute.executor.results import TRANSPORTS, Transport, shared_by_executors
from gcompute.executor.settings import TaskSettings
from gcompute.executor.traces import without_values
from gcompute.functions import check_call, hardware_report
from gcompute.ids import UUIDLike, as_optional_uuid, as_uuid
from gcompute.registration import function_name
from gcompute.serialize import ComputeSerializer, Strategylike

P = ParamSpec("P")
R = TypeVar("R")

#: Ports on which the hosted service offers its result queues.
_AMQP_PORTS = (443, 5671, 5672)


class Executor(TaskSettings, concurrent.futures.Executor):
    """Runs functions on an endpoint, as :class:`concurrent.futures.Executor` documents it.

    ::

        with Executor(endpoint_id) as executor:
            future = executor.submit(function, 1, 2)
            print(future.result())

    ``async with`` does the same without blocking the event loop while it waits at the end.

    Calls that are submitted while a request is under way go together in the next one. Results
    arrive over AMQP, on one connection for all executors of a client, or over HTTPS where AMQP
    cannot be had. Safe to use from many threads. Making one sends nothing and starts nothing.

    Args:
        endpoint_id: where to run tasks; may also be set later.
        client: the service; default one for all executors of this process that are given none.
        task_group_id: the task group to add the tasks to; default the one that the executors
            of this client used last, or else a new one.
        resource_specification: what each task needs, for endpoints that run MPI functions.
        user_endpoint_config: values for the template of a multi-user endpoint.
        label: names the executor in thread names and messages.
        batch_size: tasks in a request, at most. By default 128 while requests are plentiful, and
            as many as fit when the client's ``request_limit`` is nearly reached.
        amqp_port: the port of the result queues: 443, 5671 or 5672; default the service's choice.
        api_burst_limit: requests that the client sends in ``api_burst_window_s`` seconds, at
            most, in place of its ``request_limit``; for all that uses this client.
        api_burst_window_s: see ``api_burst_limit``.
        serializer: for functions, arguments and results; default the client's. ``"auto"``
            chooses, at the first submit, what survives the endpoint's Python; that submit waits
            for an answer of the service.
        result_serializers: strategies that the endpoint tries for results, in order.
        transport: how results come: ``"amqp"``, ``"https"`` (by asking, again and again), or
            ``"auto"``, which is AMQP, and HTTPS for as long as that does not work.
        **older: what earlier releases of the official SDK took: ``funcx_client`` is ``client``;
            ``container_id``, ``batch_interval`` and ``batch_enabled`` have no effect.

    Raises:
        ValueError: an id is no UUID, or a number is out of its range.
        TypeError: a configuration is no dict that JSON can carry, or an argument is unknown.
    """

    def __init__(
        self,
        endpoint_id: UUIDLike | None = None,
        client: Client | None = None,
        task_group_id: UUIDLike | None = None,
        resource_specification: dict[str, Any] | None = None,
        user_endpoint_config: dict[str, Any] | None = None,
        label: str = "",
        batch_size: int | None = None,
        amqp_port: int | None = None,
        api_burst_limit: int | None = None,
        api_burst_window_s: float | None = None,
        serializer: ComputeSerializer | Literal["auto"] | None = None,
        result_serializers: Iterable[Strategylike] | None = None,
        *,
        transport: Transport = "auto",
        **older: Any,
    ) -> None:
        client = client_of_older(type(self), client, older)
        if transport not in TRANSPORTS:
            raise ValueError(f"transport must be one of {TRANSPORTS}, not {transport!r}")
        self.label = label
        client = client if client is not None else default_client()
        super().__init__(client, shared_by_executors(client).groups(transport), serializer)
        if api_burst_limit is not None or api_burst_window_s is not None:
            client._limit_requests(api_burst_limit, api_burst_window_s)
        self._container_id = as_optional_uuid(older.get("container_id"), "container_id")
        #: Asks the service for a task; of futures, which may outlive this executor.
        self._ask_status = partial(_ask_status, self.client)
        self._functions = FunctionCache()
        self._engine = Engine(client, transport=transport, label=label)
        if task_group_id is not None:
            self.task_group_id = task_group_id
        self.endpoint_id = endpoint_id
        self.amqp_port = amqp_port
        self.batch_size = batch_size
        self.resource_specification = resource_specification
        self.user_endpoint_config = user_endpoint_config
        self.result_serializers = result_serializers
        # An executor that nobody holds any more takes no more tasks; those it took go on.
        self._finalizer = weakref.finalize(self, self._engine.close)
        self._finalizer.atexit = False

    @property
    def batch_size(self) -> int | None:
        """Tasks in a request, at most; ``None`` for what suits the requests that are left."""
        return self._engine.outgoing.batch_size

    @batch_size.setter
    def batch_size(self, value: int | None) -> None:
        if value is not None and value < 1:
            raise ValueError(f"batch_size must be at least 1, not {value}")
        self._engine.outgoing.batch_size = value

    @property
    def amqp_port(self) -> int | None:
        """The port of the result queues; ``None`` for the service's choice."""
        return self._engine.amqp_port

    @amqp_port.setter
    def amqp_port(self, value: int | None) -> None:
        if value is not None and value not in _AMQP_PORTS:
            raise ValueError(f"amqp_port must be one of {_AMQP_PORTS}, not {value}")
        if self._engine.started and value != self._engine.amqp_port:
            warnings.warn(
                "results of this executor come already: a new amqp_port changes nothing; set it "
                "before the first submit",
                stacklevel=2,
            )
        self._engine.amqp_port = value

    @property
    def container_id(self) -> uuid.UUID | None:
        """The container that was asked for; the service has dropped containers."""
        return self._container_id

    @container_id.setter
    def container_id(self, value: UUIDLike | None) -> None:
        warn_without_effect("container_id", 3)
        self._container_id = as_optional_uuid(value, "container_id")

    @property
    def task_count_submitted(self) -> int:
        """How many tasks the service has taken from this executor."""
        return self._engine.submitted

    def register_function(
        self, fn: Callable[..., Any], function_id: UUIDLike | None = None, **kwargs: Any
    ) -> str:
        """Register a function now, in place of at its first submit.

        Args:
            fn: the function.
            function_id: the id under which it is registered already; nothing is sent.
            **kwargs: as for :meth:`gcompute.Client.register_function`.

        Returns:
            The function's id.

        Raises:
            ValueError: this executor knows the function already, by another id.
            RuntimeError: the executor is shut down.
        """
        self._check_open()
        known = self._functions.known(fn)
        given = None if function_id is None else str(as_uuid(function_id, "function_id"))
        if known is not None:
            if given is not None and known.function_id == given:
                return given
            raise ValueError(
                f"this executor knows the function {known.name} already"
                + (f", as {known.function_id}" if known.function_id else "")
            )
        registered = given or self.client.register_function(fn, **kwargs)
        self._functions.remember(fn, FunctionReference(function_name(fn), function_id=registered))
        return registered

    def register_source_code(self, source: str, function_name: str, **kwargs: Any) -> str:
        """Register a function given as source code.

        Args:
            source: Python source that defines it.
            function_name: its name in there.
            **kwargs: as for :meth:`gcompute.Client.register_source_code`.

        Returns:
            The function's id, for :meth:`submit_to_registered_function`.

        Raises:
            ValueError: this executor has registered the same source already.
            RuntimeError: the executor is shut down.
        """
        self._check_open()
        known = self._functions.known_source(source)
        if known is not None:
            raise ValueError(f"this executor has registered this source already, as {known}")
        registered: str = self.client.register_source_code(source, function_name, **kwargs)
        self._functions.remember_source(source, registered)
        return registered

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> ComputeFuture[R]:
        """Run ``fn(*args, **kwargs)`` on the endpoint.

        Returns:
            A future at once. What cannot be serialized, or is too large to be sent, fails this
            future and no other.

        Raises:
            RuntimeError: the executor is shut down.
            ValueError: no endpoint is set.
            TypeError: ``fn`` is not callable.
            LoginRequired: nobody is logged in, and nobody can be asked to.
        """
        self._check_open()
        destination = self._current_destination()
        try:
            check_call(fn, args, kwargs)
            reference = self._functions.find(fn, self._serializer)
        except ComputeError as error:
            return _failed(error)
        return self._enqueue(destination, reference, args, kwargs)

    def submit_to_registered_function(
        self,
        function_id: UUIDLike,
        args: tuple[Any, ...] | list[Any] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> ComputeFuture:
        """Run a function that is registered already.

        Args:
            function_id: the function.
            args: its positional arguments, a tuple or list.
            kwargs: its keyword arguments, a dict.

        Returns:
            A future at once, as for :meth:`submit`.

        Raises:
            RuntimeError: the executor is shut down.
            ValueError: no endpoint is set, or ``function_id`` is no UUID.
            TypeError: ``args`` or ``kwargs`` is something else.
        """
        self._check_open()
        destination = self._current_destination()
        reference = self._functions.registered(str(as_uuid(function_id, "function_id")))
        args, kwargs = as_arguments(args, kwargs)
        return self._enqueue(destination, reference, tuple(args), kwargs)

    def map(
        self,
        fn: Callable[..., R],
        *iterables: Iterable[Any],
        timeout: float | None = None,
        chunksize: int = 1,
        buffersize: int | None = None,
    ) -> MappedResults[R]:
        """Run ``fn`` for the items of iterables, as :meth:`concurrent.futures.Executor.map` does.

        The iterables are read while results are taken, in the caller's thread: at once as many
        items as fit, or, of what has no length, until the first result is there; then further
        ones as results are taken. So an endless iterable is no matter. What is not read is not
        run: iterate over the results, and before the executor is shut down.

        Args:
            fn: the function.
            *iterables: the arguments; the shortest ends it.
            timeout: seconds, from now, in which a result must be there when it is asked for.
            chunksize: how many calls go as one task, for calls of milliseconds. Their results
                come together, under the one limit of 10 MiB.
            buffersize: how many tasks are under way or have results that were not taken, at
                most; default 4096. More keep a larger endpoint busy, fewer take less memory.

        Returns:
            An iterator of results, in order. Its ``close()`` cancels what was not sent yet. So
            does an error, which comes in the place of its call's result and ends the iteration:
            that of a call, of an iterable, or of a submit.

        Raises:
            RuntimeError: the executor is shut down.
            ValueError: no endpoint is set, or a size is less than 1.
            TypeError: ``fn`` is not callable, or something is not iterable.
            TimeoutError: from the iterator.
        """
        return map_calls(
            self, fn, iterables, timeout=timeout, chunksize=chunksize, buffersize=buffersize
        )

    def reload_tasks(self, task_group_id: UUIDLike | None = None) -> list[ComputeFuture]:
        """Find the tasks of a task group again, of this process or of an earlier one.

        Args:
            task_group_id: the task group, which becomes this executor's; default the one it has.

        Returns:
            A future a task, in the order in which the service lists them: those that this
            process waits for already, and new ones. Those of finished tasks have ended.

        Raises:
            ValueError: there is no task group.
            NotFound: the service knows none of this id, or it is not this user's.
            ComputeAPIError: the service answers otherwise than with the group's tasks.
            RuntimeError: the executor is shut down.
        """
        self._check_open()
        if task_group_id is not None:
            self.task_group_id = task_group_id
        group = self._groups.resolve(self._group)
        if group is None:
            raise ValueError("no task group is set: reload_tasks(task_group_id) says which")
        answer = self.client.get_task_group(group)
        if str(answer.get("taskgroup_id", group)) != group:
            raise ValueError(
                f"the service was asked for task group {group} and answered with "
                f"{answer['taskgroup_id']}"
            )
        task_ids = [str(task["id"]) for task in answer.get("tasks") or []]
        self._groups[group].listed(task_ids)
        endpoint_id = "" if self._endpoint_id is None else str(self._endpoint_id)
        futures = [self._running_future(task_id) for task_id in task_ids]
        return self._engine.reload(group, futures, self._serializer, endpoint_id)

    def get_worker_hardware_details(self) -> str:
        """Describe the machine that runs the endpoint's tasks; waits for a task there.

        Raises:
            TaskExecutionFailed: the task failed.
        """
        return str(self.submit(hardware_report).result())

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more tasks. May be called several times.

        Args:
            wait: return when every future has ended.
            cancel_futures: cancel the tasks that were not sent yet.
        """
        self._engine.close(cancel=cancel_futures)
        if wait:
            self._engine.wait()

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with leaving.left_by_ctrl_c(self._engine):
            if isinstance(exc_value, KeyboardInterrupt):  # who pressed Ctrl-C sees it wait on
                leaving.tell_of_waiting(self._engine, "the executor is left")
            self.shutdown()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        # Leaving waits for results, and the event loop goes on meanwhile.
        await in_thread("shutdown", self.shutdown)

    def __repr__(self) -> str:
        label = f" {self.label!r}" if self.label else ""
        state = "shut down" if self._engine.closed else f"endpoint {self.endpoint_id}"
        return f"<Executor{label}: {state}, task group {self.task_group_id}>"

    def __reduce_ex__(self, _protocol: object) -> NoReturn:
        """Refuse to be copied or pickled: threads and connections do not travel.

        Raises:
            TypeError: always.
        """
        raise TypeError(
            "an Executor cannot be copied or pickled: make one where it is needed, and find its "
            "tasks there with reload_tasks(task_group_id)"
        )

    def _get_result_watcher(self) -> Self:
        """Give what Parsl's ``GlobusComputeExecutor`` shuts down after this: the same thing."""
        return self

    def _running_future(self, task_id: str) -> ComputeFuture:
        future = ComputeFuture(task_id, ask_status=self._ask_status)
        future.set_running_or_notify_cancel()
        return future

    def _check_open(self) -> None:
        if self._engine.closed:
            raise RuntimeError(f"{self._engine.closed_because}: nothing new can be done with it")

    def _enqueue(
        self,
        destination: Destination,
        reference: FunctionReference,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> ComputeFuture:
        future = ComputeFuture(ask_status=self._ask_status)
        try:
            submission = packed(future, destination, reference, args, kwargs)
        except ComputeError as error:
            return _failed(error)
        self._engine.submit(submission)
        return future


def _ask_status(client: Client, task_id: str) -> dict[str, Any] | None:
    return client._batch_status([task_id]).get(task_id)


def _failed(error: ComputeError) -> ComputeFuture:
    """Give a future that has failed already."""
    without_values(error)  # they have the arguments
    future = ComputeFuture()
    future.set_running_or_notify_cancel()
    settle(future, error=error)
    return future
