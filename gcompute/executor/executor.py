"""The Executor: Python functions in, futures out."""

from __future__ import annotations

import concurrent.futures
import uuid
import weakref
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any, Literal, Self, TypeVar

from gcompute.awaiting import in_thread
from gcompute.client import Client
from gcompute.errors import ComputeError, SerializationError, TaskTooLarge
from gcompute.executor.engine import Engine
from gcompute.executor.functions import FunctionCache, FunctionReference
from gcompute.executor.future import ComputeFuture, settle
from gcompute.executor.mapping import MappedResults, map_calls
from gcompute.executor.outbox import Destination, Submission, encoded_size
from gcompute.functions import check_call
from gcompute.ids import UUIDLike, as_optional_uuid, as_uuid
from gcompute.json_object import as_json_object
from gcompute.protocol import MAX_REQUEST_BYTES
from gcompute.registration import function_name
from gcompute.serialize import ComputeSerializer, Strategylike
from gcompute.serialize.serializer import official_paths

R = TypeVar("R")

#: Bytes of a request that are kept for everything but the one task in it.
_ENVELOPE_BYTES = 64 * 1024

#: Ports on which the hosted service offers its result queues.
_AMQP_PORTS = (443, 5671, 5672)


class Executor(concurrent.futures.Executor):
    """Runs functions on an endpoint, as :class:`concurrent.futures.Executor` documents it.

    ::

        with Executor(endpoint_id) as executor:
            future = executor.submit(function, 1, 2)
            print(future.result())

    ``async with`` does the same without blocking the event loop while it waits at the end.

    Calls that are submitted while a request is under way go together in the next one. Results
    arrive over AMQP. Safe to use from many threads. Making one sends nothing and starts nothing.

    Args:
        endpoint_id: where to run tasks; may also be set later.
        client: the service; default ``Client()``.
        task_group_id: the task group to add the tasks to; default a new one.
        resource_specification: what each task needs, for endpoints that run MPI functions.
        user_endpoint_config: values for the template of a multi-user endpoint.
        label: names the executor in thread names and messages.
        batch_size: tasks in a request, at most. By default 128 while requests are plentiful, and
            as many as fit when the client's ``request_limit`` is nearly reached.
        amqp_port: the port of the result queues: 443, 5671 or 5672; default the service's choice.
        serializer: for functions, arguments and results; default the client's. ``"auto"``
            chooses, at the first submit, what survives the endpoint's Python; that submit waits
            for an answer of the service.
        result_serializers: strategies that the endpoint tries for results, in order.

    Raises:
        ValueError: an id is no UUID, or a number is out of its range.
        TypeError: a configuration is no dict that JSON can carry.
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
        serializer: ComputeSerializer | Literal["auto"] | None = None,
        result_serializers: Iterable[Strategylike] | None = None,
    ) -> None:
        if batch_size is not None and batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, not {batch_size}")
        if amqp_port is not None and amqp_port not in _AMQP_PORTS:
            raise ValueError(f"amqp_port must be one of {_AMQP_PORTS}, not {amqp_port}")
        self.label = label
        self.client = client if client is not None else Client()
        self._choose_serializer = serializer == "auto"
        if isinstance(serializer, ComputeSerializer):
            self._serializer = self.client.restricted(serializer)
        else:
            self._serializer = self.client.serializer
        #: Asks the service for a task; of futures, which may outlive this executor.
        self._ask_status = partial(_ask_status, self.client)
        self._functions = FunctionCache()
        self._engine = Engine(
            self.client,
            batch_size=batch_size,
            amqp_port=amqp_port,
            label=label,
            serializer=self._serializer,
        )
        #: The settings of tasks to come, as one object; ``None`` when one of them has changed.
        self._destination: Destination | None = None
        self.endpoint_id = endpoint_id
        self.task_group_id = task_group_id
        self.resource_specification = resource_specification
        self.user_endpoint_config = user_endpoint_config
        self.result_serializers = result_serializers
        # An executor that nobody holds any more takes no more tasks; those it took go on.
        self._finalizer = weakref.finalize(self, self._engine.close)
        self._finalizer.atexit = False

    @property
    def endpoint_id(self) -> uuid.UUID | None:
        """Where tasks run; settable at any time, for the tasks submitted from then on."""
        return self._endpoint_id

    @endpoint_id.setter
    def endpoint_id(self, value: UUIDLike | None) -> None:
        self._endpoint_id = as_optional_uuid(value, "endpoint_id")
        self._destination = None

    @property
    def task_group_id(self) -> uuid.UUID | None:
        """The task group of the tasks; ``None`` until the first submit has made one."""
        if self._task_group_id is None and self._engine.task_group_id is not None:
            return uuid.UUID(self._engine.task_group_id)
        return self._task_group_id

    @task_group_id.setter
    def task_group_id(self, value: UUIDLike | None) -> None:
        self._task_group_id = as_optional_uuid(value, "task_group_id")
        if value is None:
            self._engine.task_group_id = None
        self._destination = None

    @property
    def resource_specification(self) -> dict[str, Any] | None:
        """What each task needs, for endpoints that run MPI functions."""
        return self._resource_specification

    @resource_specification.setter
    def resource_specification(self, value: dict[str, Any] | None) -> None:
        self._resource_specification = as_json_object(value, "resource_specification")
        self._destination = None

    @property
    def user_endpoint_config(self) -> dict[str, Any] | None:
        """Values for the template of a multi-user endpoint."""
        return self._user_endpoint_config

    @user_endpoint_config.setter
    def user_endpoint_config(self, value: dict[str, Any] | None) -> None:
        self._user_endpoint_config = as_json_object(value, "user_endpoint_config")
        self._destination = None

    @property
    def result_serializers(self) -> list[str] | None:
        """Import paths of the strategies that the endpoint tries for results, in order."""
        return self._result_serializers

    @result_serializers.setter
    def result_serializers(self, value: Iterable[Strategylike] | None) -> None:
        self._result_serializers = None if value is None else official_paths(value)
        self._destination = None

    @property
    def serializer(self) -> ComputeSerializer:
        """What turns functions and arguments into text, and results into values."""
        return self._serializer

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
            ValueError: this executor knows the function already.
        """
        known = self._functions.known(fn)
        if known is not None:
            raise ValueError(
                f"this executor knows the function {known.name} already"
                + (f", as {known.function_id}" if known.function_id else "")
            )
        if function_id is None:
            registered = self.client.register_function(fn, **kwargs)
        else:
            registered = str(as_uuid(function_id, "function_id"))
        self._functions.remember(fn, FunctionReference(function_name(fn), function_id=registered))
        return registered

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> ComputeFuture:
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
            args: its positional arguments.
            kwargs: its keyword arguments.

        Returns:
            A future at once, as for :meth:`submit`.

        Raises:
            RuntimeError: the executor is shut down.
            ValueError: no endpoint is set, or ``function_id`` is no UUID.
        """
        destination = self._current_destination()
        registered = str(as_uuid(function_id, "function_id"))
        reference = FunctionReference(f"function {registered}", function_id=registered)
        return self._enqueue(destination, reference, tuple(args or ()), dict(kwargs or {}))

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

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take no more tasks. May be called several times.

        Args:
            wait: return when every future has ended.
            cancel_futures: cancel the tasks that were not sent yet.
        """
        self._engine.close(cancel=cancel_futures)
        if wait:
            self._engine.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exc_info: object) -> None:
        # Leaving waits for results, and the event loop goes on meanwhile.
        await in_thread("shutdown", self.shutdown)

    def __repr__(self) -> str:
        label = f" {self.label!r}" if self.label else ""
        state = "shut down" if self._engine.closed else f"endpoint {self.endpoint_id}"
        return f"<Executor{label}: {state}, task group {self.task_group_id}>"

    def _current_destination(self) -> Destination:
        if self._engine.closed:
            raise RuntimeError("the executor is shut down: no new tasks can be submitted")
        destination = self._destination
        if destination is None:
            if self._endpoint_id is None:
                raise ValueError("no endpoint is set: Executor(endpoint_id=...) says where to run")
            if self.client.login_required():
                self.client.login()  # here, where somebody can be asked, and not in a thread
            if self._choose_serializer:
                self._serializer = self.client.serializer_for(self._endpoint_id)
            destination = self._destination = Destination(
                endpoint_id=self._endpoint_id,
                task_group_id=self._task_group_id,
                resource_specification=self._resource_specification,
                user_endpoint_config=self._user_endpoint_config,
                result_serializers=tuple(
                    self.client.result_serializers
                    if self._result_serializers is None
                    else self._result_serializers
                ),
            )
        return destination

    def _enqueue(
        self,
        destination: Destination,
        reference: FunctionReference,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> ComputeFuture:
        future = ComputeFuture(ask_status=self._ask_status)
        try:
            payload = self._serializer.pack_arguments(args, kwargs)
        except SerializationError as error:
            named = SerializationError(f"a call of {reference.name}: {error.reason}")
            named.__cause__ = error.__cause__
            return _failed(named)
        size = encoded_size(payload)
        if size > MAX_REQUEST_BYTES - _ENVELOPE_BYTES:
            return _failed(_too_large(reference.name, size))
        self._engine.submit(Submission(future, destination, reference, payload, size))
        return future


def _ask_status(client: Client, task_id: str) -> dict[str, Any] | None:
    return client._batch_status([task_id]).get(task_id)


def _failed(error: ComputeError) -> ComputeFuture:
    """Give a future that has failed already."""
    future = ComputeFuture()
    future.set_running_or_notify_cancel()
    settle(future, error=error)
    return future


def _too_large(name: str, size: int) -> TaskTooLarge:
    return TaskTooLarge(
        f"the arguments of a call of {name} have {size:,} bytes serialized, a request may have "
        f"{MAX_REQUEST_BYTES:,}: pass large values by file or object store",
        size=size,
        limit=MAX_REQUEST_BYTES,
    )
