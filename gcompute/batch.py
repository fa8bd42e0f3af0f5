"""Many invocations in one submit request."""

from __future__ import annotations

import inspect
import uuid
import warnings
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, overload

from gcompute.arguments import as_arguments
from gcompute.ids import UUIDLike, as_optional_uuid, as_uuid
from gcompute.json_object import as_json_object
from gcompute.runtime import UserRuntime
from gcompute.serialize import ComputeSerializer
from gcompute.serialize.serializer import Strategylike, official_paths


class Batch:
    """Collects invocations of registered functions, for one endpoint, in order.

    Made by :meth:`gcompute.Client.create_batch`, sent by :meth:`gcompute.Client.batch_run`.
    Not for use by several threads at once.

    Args:
        task_group_id: the task group to add the tasks to; ``None`` for a new one.
        resource_specification: what each task needs, for endpoints that run MPI functions.
        user_endpoint_config: values for the configuration template of a multi-user endpoint.
        request_queue: whether the service is to make a result queue for the task group.
        serializer: for args and kwargs; default :class:`gcompute.serialize.ComputeSerializer`.
        user_runtime: what this client's machine runs.
        result_serializers: strategies that the endpoint tries for results, in order.

    Raises:
        TypeError: a specification or configuration is no dict that JSON can carry.
        ValueError: ``task_group_id`` is no UUID.
        SerdeError: a strategy is unknown.
    """

    def __init__(
        self,
        task_group_id: UUIDLike | None,
        resource_specification: dict[str, Any] | None = None,
        user_endpoint_config: dict[str, Any] | None = None,
        request_queue: bool = False,
        serializer: ComputeSerializer | None = None,
        user_runtime: UserRuntime | None = None,
        result_serializers: Iterable[Strategylike] | None = None,
    ) -> None:
        self.task_group_id = task_group_id
        self.resource_specification = resource_specification
        self.user_endpoint_config = user_endpoint_config
        self.request_queue = request_queue
        self.user_runtime = user_runtime
        self.result_serializers = official_paths(result_serializers)
        #: Function id to the payloads of its invocations, in the order of their addition.
        self.tasks: dict[uuid.UUID, list[str]] = {}
        #: Endpoint and function of each invocation, where they name their endpoints.
        self._invocations: list[tuple[uuid.UUID, uuid.UUID]] = []
        self._serializer = serializer or ComputeSerializer()

    @property
    def task_group_id(self) -> uuid.UUID | None:
        """The task group to add the tasks to; ``None`` for a new one."""
        return self._task_group_id

    @task_group_id.setter
    def task_group_id(self, value: UUIDLike | None) -> None:
        self._task_group_id = as_optional_uuid(value, "task_group_id")

    @property
    def resource_specification(self) -> dict[str, Any] | None:
        """What each task needs, for endpoints that run MPI functions."""
        return self._resource_specification

    @resource_specification.setter
    def resource_specification(self, value: dict[str, Any] | None) -> None:
        self._resource_specification = as_json_object(value, "resource_specification")

    @property
    def user_endpoint_config(self) -> dict[str, Any] | None:
        """Values for the configuration template of a multi-user endpoint."""
        return self._user_endpoint_config

    @user_endpoint_config.setter
    def user_endpoint_config(self, value: dict[str, Any] | None) -> None:
        self._user_endpoint_config = as_json_object(value, "user_endpoint_config")

    def __len__(self) -> int:
        """Count the invocations."""
        return sum(len(payloads) for payloads in self.tasks.values())

    def __repr__(self) -> str:
        group = f", task group {self.task_group_id}" if self.task_group_id else ""
        return f"<Batch: {len(self)} tasks of {len(self.tasks)} functions{group}>"

    @overload
    def add(
        self,
        function_id: UUIDLike,
        args: tuple[Any, ...] | list[Any] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None: ...

    @overload
    def add(
        self, *args: Any, endpoint_id: UUIDLike, function_id: UUIDLike, **kwargs: Any
    ) -> None: ...

    def add(self, *args: Any, **kwargs: Any) -> None:
        """Add an invocation: ``add(function_id, args=(...), kwargs={...})``.

        The older form ``add(*args, endpoint_id=..., function_id=..., **kwargs)`` works as well,
        with a DeprecationWarning; its batch is sent with ``batch_run(batch)``.

        Args:
            function_id: the registered function.
            args: positional arguments of the function.
            kwargs: keyword arguments of the function.

        Raises:
            TypeError: ``args`` is no tuple or list, or ``kwargs`` no dict with text for keys.
            ValueError: ``function_id`` is no UUID.
            SerializationError: names the argument that cannot be serialized; the batch stays
                as it was.
        """
        if "endpoint_id" in kwargs:
            self._add_older(*args, **kwargs)
        elif self._invocations:
            raise ValueError(
                "the invocations of this batch name their endpoints (the older form); this one "
                "does not: add all in the same form"
            )
        else:
            self._add(*args, **kwargs)

    def _add_older(
        self, *args: Any, endpoint_id: UUIDLike, function_id: UUIDLike, **kwargs: Any
    ) -> None:
        warnings.warn(
            "batch.add(x, endpoint_id=..., function_id=...) is the older form: use "
            "batch.add(function_id, args=(x,)) and batch_run(endpoint_id, batch)",
            DeprecationWarning,
            stacklevel=3,
        )
        if len(self) > len(self._invocations):
            raise ValueError(
                "this invocation names its endpoint (the older form), others of this batch do "
                "not: add all in the same form"
            )
        endpoint = as_uuid(endpoint_id, "endpoint_id")
        self._add(function_id, args, kwargs)
        self._invocations.append((endpoint, as_uuid(function_id, "function_id")))

    def _add(
        self,
        function_id: UUIDLike,
        args: tuple[Any, ...] | list[Any] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        function = as_uuid(function_id, "function_id")
        payload = self._serializer.pack_arguments(*as_arguments(args, kwargs))
        self.tasks.setdefault(function, []).append(payload)

    def by_endpoint(
        self,
    ) -> list[tuple[uuid.UUID, dict[str, Any], list[tuple[int, uuid.UUID]]]]:
        """Split a batch of the older form by the endpoints of its invocations.

        Returns:
            For each endpoint the body of its submit request, and its invocations: the position
            of each in the batch, and its function.

        Raises:
            ValueError: the invocations name no endpoints.
        """
        if not self._invocations:
            raise ValueError(
                "the invocations of this batch name no endpoint: use batch_run(endpoint_id, batch)"
            )
        payloads = {function: iter(texts) for function, texts in self.tasks.items()}
        requests: dict[uuid.UUID, dict[uuid.UUID, list[str]]] = {}
        positions: dict[uuid.UUID, list[tuple[int, uuid.UUID]]] = {}
        for position, (endpoint, function) in enumerate(self._invocations):
            texts = requests.setdefault(endpoint, {}).setdefault(function, [])
            texts.append(next(payloads[function]))
            positions.setdefault(endpoint, []).append((position, function))
        return [
            (endpoint, self._request(tasks), positions[endpoint])
            for endpoint, tasks in requests.items()
        ]

    def prepare(self) -> dict[str, Any]:
        """Give the body of the submit request, ready for JSON.

        Source: ``openapi/compute.yaml#/components/schemas/SubmitRequest``.
        """
        return self._request(self.tasks)

    def _request(self, tasks: dict[uuid.UUID, list[str]]) -> dict[str, Any]:
        body: dict[str, Any] = {
            "create_queue": self.request_queue,
            "tasks": {str(function): list(texts) for function, texts in tasks.items()},
        }
        optional = {
            "task_group_id": self.task_group_id and str(self.task_group_id),
            "resource_specification": self.resource_specification,
            "user_endpoint_config": self.user_endpoint_config,
            "user_runtime": self.user_runtime and asdict(self.user_runtime),
            "result_serializers": self.result_serializers,
        }
        return body | {name: value for name, value in optional.items() if value}


# What help() and editors show is the present form, not what accepts both.
Batch.add.__signature__ = inspect.signature(Batch._add)  # type: ignore[attr-defined]
