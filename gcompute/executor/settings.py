"""What the tasks of an executor are submitted with: where, how, and in which task group.

Each setting may change at any time, for the tasks submitted from then on. Together they make a
:class:`~gcompute.executor.outbox.Destination`, which tasks of one request share.
"""

from __future__ import annotations

import uuid
from collections.abc import Hashable, Iterable
from typing import Any, Literal

from gcompute.client import Client
from gcompute.executor.groups import GroupChoice, TaskGroups
from gcompute.executor.outbox import Destination
from gcompute.ids import UUIDLike, as_optional_uuid
from gcompute.json_object import as_json_object
from gcompute.serialize import ComputeSerializer, Strategylike
from gcompute.serialize.serializer import official_paths

#: Destinations that are remembered; more are only needed where each task has settings of its own.
_DESTINATIONS = 64


class TaskSettings:
    """The settings, as properties that check what they are set to.

    Args:
        client: the service.
        groups: the task groups of the client's executors.
        serializer: for arguments and results, or ``"auto"``; default the client's.
    """

    def __init__(
        self,
        client: Client,
        groups: TaskGroups,
        serializer: ComputeSerializer | Literal["auto"] | None,
    ) -> None:
        self.client = client
        self._groups = groups
        self._choose_serializer = serializer == "auto"
        if isinstance(serializer, ComputeSerializer):
            self._serializer = client.restricted(serializer)
        else:
            self._serializer = client.serializer
        self._endpoint_id: uuid.UUID | None = None
        self._group = GroupChoice()
        self._resource_specification: dict[str, Any] | None = None
        self._user_endpoint_config: dict[str, Any] | None = None
        self._result_serializers: list[str] | None = None
        #: The settings of tasks to come, as one object; ``None`` when one of them has changed.
        self._destination: Destination | None = None
        #: Destinations by what they consist of.
        self._destinations: dict[Hashable, Destination] = {}

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
        """The task group of the tasks; ``None`` until a submit has made one.

        Set to ``None``, the next submit makes a new one.
        """
        group = self._groups.resolve(self._group)
        if group is None:
            return None
        self._groups.told(group)
        return uuid.UUID(group)

    @task_group_id.setter
    def task_group_id(self, value: UUIDLike | None) -> None:
        group = as_optional_uuid(value, "task_group_id")
        if group is None:
            self._group = GroupChoice(shares=False)
        else:
            self._group = GroupChoice(str(group))
            self._groups.named(str(group))
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
        """What turns functions and arguments into text, and results into values.

        Set, it is used for the tasks submitted from then on; functions that were registered
        stay as they were sent.
        """
        return self._serializer

    @serializer.setter
    def serializer(self, value: ComputeSerializer) -> None:
        if not isinstance(value, ComputeSerializer):
            raise TypeError(f"serializer must be a ComputeSerializer, not {type(value).__name__}")
        self._choose_serializer = False
        self._serializer = self.client.restricted(value)
        self._destination = None

    def _current_destination(self) -> Destination:
        """Give the destination of a task that is submitted now.

        Raises:
            ValueError: no endpoint is set.
            LoginRequired: nobody is logged in, and nobody can be asked to.
        """
        destination = self._destination
        if destination is None:
            if self._endpoint_id is None:
                raise ValueError("no endpoint is set: Executor(endpoint_id=...) says where to run")
            if self.client.login_required():
                self.client.login()  # here, where somebody can be asked, and not in a thread
            if self._choose_serializer:
                self._serializer = self.client.serializer_for(self._endpoint_id)
            destination = self._destination = self._make_destination(self._endpoint_id)
        return destination

    def _make_destination(self, endpoint_id: uuid.UUID) -> Destination:
        """Give the destination for the settings as they are.

        Settings that were used before give the same one, so that a program which changes them to
        and fro (as Parsl does, for each task) does not send a request a task.
        """
        serializers = self._result_serializers
        made = Destination(
            endpoint_id=endpoint_id,
            serializer=self._serializer,
            group=self._group,
            resource_specification=self._resource_specification,
            user_endpoint_config=self._user_endpoint_config,
            result_serializers=tuple(
                self.client.result_serializers if serializers is None else serializers
            ),
        )
        if len(self._destinations) >= _DESTINATIONS:
            self._destinations.clear()
        return self._destinations.setdefault(made.key(), made)
