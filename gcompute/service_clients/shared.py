"""The operations that the interface has in one version only: reads, tasks, containers.

All are of version 2, and version 3 has nothing in their place.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from gcompute.ids import UUIDLike, as_uuid
from gcompute.service_clients import tasks
from gcompute.service_clients.base import Document, ServiceClient
from gcompute.service_clients.response import ComputeResponse

if TYPE_CHECKING:
    from gcompute_api.models import (
        BatchStatusResponse,
        BuildContainerResponse,
        ContainerBuild,
        ContainerResponse,
        Endpoint,
        EndpointListEntry,
        EndpointStatus,
        Function,
        FunctionDeletion,
        RegisterContainerResponse,
        ResultQueue,
        SubmitResponseV2,
        TaskGroup,
        TaskStatus,
        Version,
    )


class SharedOperations(ServiceClient):
    """Operations that clients of both versions offer."""

    # -- the service ------------------------------------------------------------------------

    def get_version(self, service: str | None = None) -> ComputeResponse[str | Version]:
        """Get the service's version.

        Args:
            service: ``"all"`` for an object with the oldest SDK and agent that are still served;
                default ``"api"``, the version as text.

        ``GET /v2/version``
        """
        return self._read("service.get_version", service=service)

    def check_version(self, service: str | None = None) -> ComputeResponse[None]:
        """Check that the service is there; the answer has headers and no body.

        ``HEAD /v2/version``
        """
        return self._read("service.check_version", service=service)

    def check_authentication(self) -> ComputeResponse[str]:
        """Check that the token is accepted; the answer is a text for people.

        ``GET /v2/authenticate``
        """
        return self._read("service.check_authentication")

    def get_result_amqp_url(self) -> ComputeResponse[ResultQueue]:
        """Get access to the result queues: ``connection_url`` with fresh credentials.

        A task group's queue is ``queue_prefix`` followed by the group's id; it is there once a
        submit asked for it.

        ``GET /v2/get_amqp_result_connection_url``
        """
        return self._read("tasks.get_result_amqp_url")

    # -- endpoints --------------------------------------------------------------------------

    def get_endpoint(self, endpoint_id: UUIDLike) -> ComputeResponse[Endpoint]:
        """Get what is registered about an endpoint.

        ``GET /v2/endpoints/{endpoint_uuid}``
        """
        endpoint = as_uuid(endpoint_id, "endpoint_id")
        return self._read("endpoints.get_endpoint", endpoint_uuid=endpoint)

    def get_endpoint_status(self, endpoint_id: UUIDLike) -> ComputeResponse[EndpointStatus]:
        """Get whether an endpoint is online, and its last report.

        ``GET /v2/endpoints/{endpoint_uuid}/status``
        """
        endpoint = as_uuid(endpoint_id, "endpoint_id")
        return self._read("endpoints.get_endpoint_status", endpoint_uuid=endpoint)

    def get_endpoints(self, role: str | None = None) -> ComputeResponse[list[EndpointListEntry]]:
        """List endpoints.

        Args:
            role: ``"owner"`` for one's own, ``"any"`` for all that one may use; default the
                service's choice.

        ``GET /v2/endpoints``
        """
        return self._read("endpoints.get_endpoints", role=role)

    # -- functions --------------------------------------------------------------------------

    def get_function(self, function_id: UUIDLike) -> ComputeResponse[Function]:
        """Get a function's name, description and code.

        ``GET /v2/functions/{function_uuid}``
        """
        function = as_uuid(function_id, "function_id")
        return self._read("functions.get_function", function_uuid=function)

    def delete_function(self, function_id: UUIDLike) -> ComputeResponse[FunctionDeletion]:
        """Delete a function.

        ``DELETE /v2/functions/{function_uuid}``
        """
        function = as_uuid(function_id, "function_id")
        return self._act("functions.delete_function", function_uuid=function)

    # -- tasks ------------------------------------------------------------------------------

    def get_task(self, task_id: UUIDLike) -> ComputeResponse[TaskStatus]:
        """Get the state of a task, and its serialized result or its exception.

        It is finished when ``status`` is ``"success"`` or ``"failed"``. The result is what
        ``serializer.deserialize`` loads, which runs code that the endpoint chose.

        ``GET /v2/tasks/{task_uuid}``
        """
        task = as_uuid(task_id, "task_id")
        return self._read("tasks.get_task", tasks.with_task_uuid, task_uuid=task)

    def get_task_batch(
        self, task_ids: UUIDLike | Iterable[UUIDLike]
    ) -> ComputeResponse[BatchStatusResponse]:
        """Get the states and results of one or many tasks: ``results``, by task id.

        ``POST /v2/batch_status``
        """
        document = {"task_ids": tasks.id_list(task_ids)}
        return self._send(
            "tasks.get_task_batch", document, tasks.with_task_uuid_each, repeatable=True
        )

    def get_task_group(self, task_group_id: UUIDLike) -> ComputeResponse[TaskGroup]:
        """List the tasks of a task group.

        ``GET /v2/taskgroup/{task_group_uuid}``
        """
        group = as_uuid(task_group_id, "task_group_id")
        return self._read("task_groups.get_task_group", task_group_uuid=group)

    def _submit_v2(self, data: Document) -> ComputeResponse[SubmitResponseV2]:
        """Submit tasks that name their endpoints, as lists or as objects."""
        if not tasks.is_batch(data):
            return self._send("tasks.submit_v2", data)
        body = tasks.batch_v2(data, self.serializer)
        return self._send("tasks.submit_v2", body, tasks.with_task_uuids)

    # -- containers -------------------------------------------------------------------------

    def register_container(self, data: Document) -> ComputeResponse[RegisterContainerResponse]:
        """Register a container image that exists.

        Args:
            data: ``name``, ``type``, ``location``, and a ``description``.

        ``POST /v2/containers``
        """
        return self._send("containers.register_container", data)

    def build_container(self, data: Document) -> ComputeResponse[BuildContainerResponse]:
        """Have a container image built.

        Args:
            data: ``name``, the lists ``apt``, ``pip`` and ``conda``, and a ``description`` or
                ``payload_url``.

        ``POST /v2/containers/build``
        """
        return self._send("containers.build_container", data)

    def get_container_build(self, container_id: UUIDLike) -> ComputeResponse[ContainerBuild]:
        """Get how far the build of a container image has come.

        ``GET /v2/containers/build/{container_uuid}``
        """
        container = as_uuid(container_id, "container_id")
        return self._read("containers.get_container_build", container_uuid=container)

    def get_container(
        self, container_id: UUIDLike, container_type: str
    ) -> ComputeResponse[ContainerResponse]:
        """Get a container image for a container technology, such as ``"docker"``.

        ``GET /v2/containers/{container_uuid}/{container_type}``
        """
        return self._read(
            "containers.get_container",
            container_uuid=as_uuid(container_id, "container_id"),
            container_type=container_type,
        )
