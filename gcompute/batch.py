"""Many invocations in one submit request."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from gcompute.ids import UUIDLike, as_optional_uuid, as_uuid
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
        self._serializer = serializer or ComputeSerializer()

    @property
    def task_group_id(self) -> uuid.UUID | None:
        """The task group to add the tasks to; ``None`` for a new one."""
        return self._task_group_id

    @task_group_id.setter
    def task_group_id(self, value: UUIDLike | None) -> None:
        self._task_group_id = as_optional_uuid(value, "task_group_id")

    def __len__(self) -> int:
        """Count the invocations."""
        return sum(len(payloads) for payloads in self.tasks.values())

    def __repr__(self) -> str:
        group = f", task group {self.task_group_id}" if self.task_group_id else ""
        return f"<Batch: {len(self)} tasks of {len(self.tasks)} functions{group}>"

    def add(
        self,
        function_id: UUIDLike,
        args: tuple[Any, ...] | list[Any] | None = None,
        kwargs: dict[str, Any] | None = None,
    ) -> None:
        """Add an invocation.

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
        function = as_uuid(function_id, "function_id")
        if args is not None and not isinstance(args, tuple | list):
            raise TypeError(f"args must be a tuple or a list, not {type(args).__name__}")
        if kwargs is not None and not isinstance(kwargs, dict):
            raise TypeError(f"kwargs must be a dict, not {type(kwargs).__name__}")
        for key in kwargs or ():
            if not isinstance(key, str):
                raise TypeError(f"kwargs must have text for keys, not {key!r}")
        payload = self._serializer.pack_arguments(() if args is None else args, kwargs or {})
        self.tasks.setdefault(function, []).append(payload)

    def prepare(self) -> dict[str, Any]:
        """Give the body of the submit request, ready for JSON.

        Source: ``openapi/compute.yaml#/components/schemas/SubmitRequest``.
        """
        body: dict[str, Any] = {
            "create_queue": self.request_queue,
            "tasks": {str(function): list(texts) for function, texts in self.tasks.items()},
        }
        optional = {
            "task_group_id": self.task_group_id and str(self.task_group_id),
            "resource_specification": self.resource_specification,
            "user_endpoint_config": self.user_endpoint_config,
            "user_runtime": self.user_runtime and asdict(self.user_runtime),
            "result_serializers": self.result_serializers,
        }
        return body | {name: value for name, value in optional.items() if value}
