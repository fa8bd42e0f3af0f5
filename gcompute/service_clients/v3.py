"""The client of version 3 of the interface, which takes from version 2 what 3 has nothing for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, overload
from uuid import UUID

from gcompute.ids import UUIDLike, as_optional_uuid, as_uuid
from gcompute.recipes.tasks import create_batch
from gcompute.serialize import Strategylike
from gcompute.service_clients import endpoints, functions, tasks
from gcompute.service_clients.base import Document
from gcompute.service_clients.response import ComputeResponse
from gcompute.service_clients.shared import SharedOperations
from gcompute.service_clients.warning import warn_caller

if TYPE_CHECKING:
    from gcompute_api.models import (
        AllowedFunctions,
        EndpointConsole,
        EndpointLock,
        EndpointRegistration,
        MultiUserEndpointRegistration,
        RegisterFunctionResponse,
        SubmitResponse,
        SubmitResponseV2,
        SubscriptionAdminVerified,
    )


class ComputeClientV3(SharedOperations):
    """Calls the operations of version 3, and those of version 2 that 3 has nothing for.

    ::

        with ComputeClientV3(app=app) as client:
            answer = client.submit_task(endpoint_id, function_id, [21])
            print(client.get_task(answer["task_uuid"]).parsed.status)

    The arguments and errors are those of :class:`~gcompute.service_clients.base.ServiceClient`.
    """

    # -- endpoints --------------------------------------------------------------------------

    def register_endpoint(
        self, data: Document
    ) -> ComputeResponse[EndpointRegistration | MultiUserEndpointRegistration]:
        """Register a new endpoint.

        Args:
            data: ``endpoint_name``, ``metadata``, ``public``, ``allowed_functions``, ... A
                ``description`` goes into the metadata.

        Returns:
            ``endpoint_id``, also as ``endpoint_uuid``, and how its agent reaches its queues.

        ``POST /v3/endpoints``
        """
        body = endpoints.registration(data)
        return self._send("endpoints.register_endpoint", body, endpoints.with_endpoint_uuid)

    def update_endpoint(
        self, endpoint_id: UUIDLike, data: Document
    ) -> ComputeResponse[EndpointRegistration | MultiUserEndpointRegistration]:
        """Replace what is registered about an endpoint, or change a part of it.

        Args:
            endpoint_id: the endpoint.
            data: the whole registration; or, without ``endpoint_name``, what is to change.
                In that case the rest is read first, and said again; policy and administrators
                cannot be read, so name them if there are any.

        Returns:
            As :meth:`register_endpoint`. The credentials of the queues are fresh ones.

        ``PUT /v3/endpoints/{endpoint_uuid}``
        """
        endpoint = as_uuid(endpoint_id, "endpoint_id")
        body = endpoints.registration(data)
        if "endpoint_name" not in body:
            allowlist = self.get_endpoint_allowlist(endpoint).data
            body = endpoints.whole_update(body, self.get_endpoint(endpoint).data, allowlist)
            if not body.keys() >= {"authentication_policy", "admins"}:
                warn_caller(
                    "an update replaces the whole registration; this one names a part of it, and "
                    "the rest was read and is sent again, except for authentication_policy and "
                    "admins, which cannot be read: if the endpoint has any, name them too"
                )
        return self._send(
            "endpoints.update_endpoint",
            body,
            endpoints.with_endpoint_uuid,
            endpoint_uuid=endpoint,
        )

    def lock_endpoint(self, endpoint_id: UUIDLike) -> ComputeResponse[EndpointLock]:
        """Stop an endpoint, and refuse its registration for a while.

        ``POST /v3/endpoints/{endpoint_uuid}/lock``
        """
        endpoint = as_uuid(endpoint_id, "endpoint_id")
        return self._act("endpoints.lock_endpoint", endpoint_uuid=endpoint)

    def delete_endpoint(self, endpoint_id: UUIDLike) -> ComputeResponse[None]:
        """Delete an endpoint's registration; nothing is promised about the answer's body.

        ``DELETE /v3/endpoints/{endpoint_uuid}``
        """
        endpoint = as_uuid(endpoint_id, "endpoint_id")
        return self._act("endpoints.delete_endpoint", endpoint_uuid=endpoint)

    def get_endpoint_allowlist(self, endpoint_id: UUIDLike) -> ComputeResponse[AllowedFunctions]:
        """Get which functions an endpoint may run.

        ``GET /v3/endpoints/{endpoint_uuid}/allowed_functions``
        """
        endpoint = as_uuid(endpoint_id, "endpoint_id")
        return self._read("endpoints.get_endpoint_allowlist", endpoint_uuid=endpoint)

    def get_endpoint_console(
        self,
        endpoint_id: UUIDLike,
        user_endpoint_id: UUIDLike | None = None,
        include_fields: str | Iterable[str] | None = None,
    ) -> ComputeResponse[EndpointConsole]:
        """Get what an endpoint's user endpoints are doing, for its administrators.

        Args:
            endpoint_id: the endpoint.
            user_endpoint_id: one of its user endpoints; default all.
            include_fields: the fields to tell, with commas between them or one by one; default
                all.

        ``GET /v3/endpoints/{endpoint_uuid}/console``
        """
        listed = include_fields is None or isinstance(include_fields, str)
        return self._read(
            "endpoints.get_endpoint_console",
            endpoint_uuid=as_uuid(endpoint_id, "endpoint_id"),
            user_endpoint_id=as_optional_uuid(user_endpoint_id, "user_endpoint_id"),
            include_fields=include_fields if listed else ",".join(include_fields or ()),
        )

    def set_subscription_admin_verified(
        self, endpoint_id: UUIDLike, subscription_admin_verified: bool
    ) -> ComputeResponse[SubscriptionAdminVerified]:
        """Say whether an administrator of the subscription vouches for an endpoint.

        ``PUT /v3/endpoints/{endpoint_uuid}/subscription-admin-verified``
        """
        return self._send(
            "endpoints.set_subscription_admin_verified",
            {"subscription_admin_verified": subscription_admin_verified},
            endpoint_uuid=as_uuid(endpoint_id, "endpoint_id"),
        )

    # -- functions --------------------------------------------------------------------------

    def register_function(
        self, function_data: Document | None = None, *, data: Document | None = None
    ) -> ComputeResponse[RegisterFunctionResponse]:
        """Register a function.

        Args:
            function_data: ``function_name``, ``function_code``, and ``description``, ``meta`` (or
                ``metadata``), ``group``, ``public``, ``ha_endpoint_id``, ``serialized``. The code
                is a serialized function, packed or not, or Python source.
            data: the same, by another name.

        Returns:
            ``function_uuid``.

        ``POST /v3/functions``
        """
        document = functions.one_document(function_data, data)
        return self._send("functions.register_function", functions.registration_v3(document))

    def submit_function(
        self, function_document: Document
    ) -> ComputeResponse[RegisterFunctionResponse]:
        """Register a function: another name of :meth:`register_function`."""
        return self.register_function(function_document)

    # -- tasks ------------------------------------------------------------------------------

    @overload
    def submit(self, endpoint_id: UUIDLike, data: Document) -> ComputeResponse[SubmitResponse]: ...

    @overload
    def submit(self, data: Document, /) -> ComputeResponse[SubmitResponseV2]: ...

    @overload
    def submit(self, *, data: Document) -> ComputeResponse[SubmitResponseV2]: ...

    def submit(
        self, endpoint_id: UUIDLike | Document | None = None, data: Document | None = None
    ) -> ComputeResponse[Any]:
        """Submit tasks: ``submit(endpoint_id, data)``, or ``submit(data)`` to any endpoints.

        Args:
            endpoint_id: where to run them.
            data: with an endpoint, ``tasks`` (function id to a list of payloads),
                ``task_group_id``, ``create_queue``, ``user_endpoint_config``,
                ``resource_specification``, ``user_runtime``, ``result_serializers``. Without one,
                as :meth:`ComputeClientV2.submit`, which takes tasks that name their endpoints.

        Returns:
            With an endpoint ``tasks`` (function id to a list of task ids), ``task_group_id``,
            ``endpoint_id``, ``request_id``. Without one ``results``, and ``task_uuids``.

        Raises:
            ComputeAPIError: the service refuses the submit or, without an endpoint, one of its
                tasks; ``raw_json`` then has the ids of the others.

        ``POST /v3/endpoints/{endpoint_uuid}/submit``, or ``POST /v2/submit``
        """
        if isinstance(endpoint_id, UUID | str):
            endpoint = as_uuid(endpoint_id, "endpoint_id")
            return self._send("tasks.submit", data, endpoint_uuid=endpoint)
        document = data if endpoint_id is None else endpoint_id
        if document is None or (data is not None and endpoint_id is not None):
            raise TypeError("submit takes an endpoint and a document, or a document alone")
        return self._submit_v2(document)

    def submit_task(
        self,
        endpoint_uuid: UUIDLike,
        function_uuid: UUIDLike,
        function_args: list[Any] | tuple[Any, ...] | None = None,
        function_kwargs: dict[str, Any] | None = None,
        *,
        task_group_id: UUIDLike | None = None,
        create_queue: bool = False,
        user_endpoint_config: dict[str, Any] | None = None,
        resource_specification: dict[str, Any] | None = None,
        result_serializers: Iterable[Strategylike] | None = None,
    ) -> ComputeResponse[SubmitResponse]:
        """Submit one task, with its arguments as Python values.

        Args:
            endpoint_uuid: where to run it.
            function_uuid: the registered function.
            function_args: its positional arguments.
            function_kwargs: its keyword arguments.
            task_group_id: the task group to add it to; default a new one.
            create_queue: whether to make a queue for the group's results.
            user_endpoint_config: values for the template of a multi-user endpoint.
            resource_specification: what it needs, for endpoints that run MPI functions.
            result_serializers: strategies that the endpoint tries for the result, in order.

        Returns:
            ``task_uuid``, and the rest of what :meth:`submit` answers.

        Raises:
            ComputeAPIError: the service refuses it.
            SerializationError: an argument cannot be sent.

        ``POST /v3/endpoints/{endpoint_uuid}/submit``
        """
        batch = create_batch(
            self,
            task_group_id,
            resource_specification,
            user_endpoint_config,
            create_queue,
            result_serializers,
        )
        batch.add(function_uuid, *tasks.arguments(function_args, function_kwargs))
        return self._send(
            "tasks.submit",
            batch.prepare(),
            tasks.with_only_task,
            endpoint_uuid=as_uuid(endpoint_uuid, "endpoint_uuid"),
        )
