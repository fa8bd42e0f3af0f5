"""The client of version 2 of the interface."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from gcompute.ids import UUIDLike, as_optional_uuid, as_uuid
from gcompute.service_clients import endpoints, functions, tasks
from gcompute.service_clients.base import Document
from gcompute.service_clients.documents import given
from gcompute.service_clients.response import ComputeResponse
from gcompute.service_clients.shared import SharedOperations

if TYPE_CHECKING:
    from gcompute_api.models import (
        EndpointDeletion,
        EndpointLockV2,
        EndpointRegistrationV2,
        MultiUserEndpointRegistrationV2,
        RegisterFunctionResponseV2,
        SubmitResponseV2,
    )


class ComputeClientV2(SharedOperations):
    """Calls the operations of version 2, which :class:`ComputeClientV3` succeeds.

    The arguments and errors are those of :class:`~gcompute.service_clients.base.ServiceClient`.
    """

    def register_endpoint(
        self, data: Document
    ) -> ComputeResponse[EndpointRegistrationV2 | MultiUserEndpointRegistrationV2]:
        """Register an endpoint, or a known one again.

        Args:
            data: ``endpoint_name``, ``endpoint_uuid`` (default a new one), ``metadata``, ... A
                ``description`` goes into the metadata.

        Returns:
            ``endpoint_id``, also as ``endpoint_uuid``, and how its agent reaches its queues.

        ``POST /v2/endpoints``
        """
        body = {"endpoint_uuid": str(uuid.uuid4())} | endpoints.registration(data)
        return self._send("endpoints.register_endpoint_v2", body, endpoints.with_endpoint_uuid)

    def lock_endpoint(self, endpoint_id: UUIDLike) -> ComputeResponse[EndpointLockV2]:
        """Stop an endpoint, and refuse its registration for a while.

        ``POST /v2/endpoints/{endpoint_uuid}/lock``
        """
        endpoint = as_uuid(endpoint_id, "endpoint_id")
        return self._act("endpoints.lock_endpoint_v2", endpoint_uuid=endpoint)

    def delete_endpoint(self, endpoint_id: UUIDLike) -> ComputeResponse[EndpointDeletion]:
        """Delete an endpoint's registration.

        ``DELETE /v2/endpoints/{endpoint_uuid}``
        """
        endpoint = as_uuid(endpoint_id, "endpoint_id")
        return self._act("endpoints.delete_endpoint_v2", endpoint_uuid=endpoint)

    def register_function(
        self, function_data: Document | None = None, *, data: Document | None = None
    ) -> ComputeResponse[RegisterFunctionResponseV2]:
        """Register a function.

        Args:
            function_data: ``function_name``, ``function_code``, and ``description``,
                ``metadata``, ``container_uuid``, ``group``, ``public``. The code is a serialized
                function, packed or not, or Python source.
            data: the same, by another name.

        Returns:
            ``function_uuid``.

        ``POST /v2/functions``
        """
        document = functions.one_document(function_data, data)
        return self._send("functions.register_function_v2", functions.registration_v2(document))

    def submit_function(
        self, function_document: Document
    ) -> ComputeResponse[RegisterFunctionResponseV2]:
        """Register a function: another name of :meth:`register_function`."""
        return self.register_function(function_document)

    def submit(self, data: Document) -> ComputeResponse[SubmitResponseV2]:
        """Submit tasks to any endpoints.

        Args:
            data: ``tasks``, and ``task_group_id``, ``create_websocket_queue``. A task is a list
                of function id, endpoint id and payload, or an object with ``endpoint``,
                ``function``, and ``args`` and ``kwargs`` as Python values.

        Returns:
            ``results``, an entry a task in their order. For tasks that are objects also
            ``task_uuids``, their ids.

        Raises:
            ComputeAPIError: the service refuses the submit or, where tasks are objects, one of
                them; ``raw_json`` then has the ids of the others.

        ``POST /v2/submit``
        """
        return self._submit_v2(data)

    def submit_task(
        self,
        endpoint_uuid: UUIDLike,
        function_uuid: UUIDLike,
        function_args: list[Any] | tuple[Any, ...] | None = None,
        function_kwargs: dict[str, Any] | None = None,
        *,
        task_group_id: UUIDLike | None = None,
        create_websocket_queue: bool = True,
    ) -> ComputeResponse[SubmitResponseV2]:
        """Submit one task, with its arguments as Python values.

        Args:
            endpoint_uuid: where to run it.
            function_uuid: the registered function.
            function_args: its positional arguments.
            function_kwargs: its keyword arguments.
            task_group_id: the task group to add it to; default a new one.
            create_websocket_queue: whether to make a queue for the group's results.

        Returns:
            ``task_uuid``, and the rest of what :meth:`submit` answers.

        Raises:
            ComputeAPIError: the service refuses it.
            SerializationError: an argument cannot be sent.

        ``POST /v2/submit``
        """
        payload = self.serializer.pack_arguments(*tasks.arguments(function_args, function_kwargs))
        body = {
            "tasks": [tasks.task_v2(endpoint_uuid, function_uuid, payload)],
            "create_websocket_queue": create_websocket_queue,
            **given({"task_group_id": as_optional_uuid(task_group_id, "task_group_id")}),
        }
        return self._send("tasks.submit_v2", body, tasks.with_one_task_uuid)
