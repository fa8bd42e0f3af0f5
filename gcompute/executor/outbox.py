"""What waits to be submitted, and how it is grouped into requests.

Pure: no threads, no clock, no I/O. Submissions come in one by one, batches go out: a batch has
one destination, at most so many tasks and so many bytes, and keeps the order in which the tasks
came. Destinations take turns: the one that waits longest since its last batch goes first.
"""

from __future__ import annotations

import functools
import json
import uuid
from collections import OrderedDict, deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from gcompute.executor.functions import FunctionReference
from gcompute.executor.future import ComputeFuture
from gcompute.executor.groups import GroupChoice
from gcompute.serialize import ComputeSerializer


@dataclass(frozen=True, eq=False)
class Destination:
    """What all tasks of one request share. Two are the same only if they are one object."""

    endpoint_id: uuid.UUID
    #: Loads the results.
    serializer: ComputeSerializer
    group: GroupChoice = field(default_factory=GroupChoice)
    resource_specification: dict[str, Any] | None = None
    user_endpoint_config: dict[str, Any] | None = None
    result_serializers: tuple[str, ...] = ()

    def key(self) -> Hashable:
        """Give what two destinations for the same kind of task have in common."""
        settings = json.dumps([self.resource_specification, self.user_endpoint_config])
        return self.endpoint_id, self.serializer, self.group, settings, self.result_serializers

    @functools.cached_property
    def endpoint_text(self) -> str:
        """The endpoint's id as text."""
        return str(self.endpoint_id)


@dataclass(frozen=True, eq=False, slots=True)
class Submission:
    """One call on its way out."""

    future: ComputeFuture
    destination: Destination
    function: FunctionReference
    #: Packed ``[args, kwargs]``.
    payload: str
    #: Bytes of the payload in a request.
    size: int


class Outbox:
    """Groups submissions into batches.

    Args:
        max_bytes: bytes of payload in a batch, at most; a single larger task goes alone.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        #: No queue in here is empty.
        self._waiting: OrderedDict[Destination, deque[Submission]] = OrderedDict()

    def __len__(self) -> int:
        return sum(len(queue) for queue in self._waiting.values())

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def add(self, submission: Submission) -> None:
        """Take a submission in."""
        queue = self._waiting.get(submission.destination)
        if queue is None:  # in one step, with the submission: a Ctrl-C may come at any other
            self._waiting[submission.destination] = deque((submission,))
        else:
            queue.append(submission)

    def take(self, max_tasks: int) -> list[Submission]:
        """Give the next batch, of at most so many tasks; empty when nothing waits."""
        if not self._waiting:
            return []
        destination, queue = self._waiting.popitem(last=False)
        batch = [queue.popleft()]
        size = batch[0].size
        while queue and len(batch) < max_tasks and size + queue[0].size <= self._max_bytes:
            size += queue[0].size
            batch.append(queue.popleft())
        if queue:
            self._waiting[destination] = queue
        return batch

    def clear(self) -> list[Submission]:
        """Give everything that waits, and forget it."""
        submissions = [s for queue in self._waiting.values() for s in queue]
        self._waiting.clear()
        return submissions


def encoded_size(payload: str) -> int:
    """Give the bytes, at most, of a text and its comma in a JSON request.

    The usual text is not written out for that: its newlines, quotes and backslashes take two
    bytes each. Of another text it is the size that JSON takes in ASCII, which some releases of
    httpx send, and others shorten.
    """
    if not payload.isascii() or not payload.replace("\n", "").isprintable():
        return len(json.dumps(payload)) + 2
    return len(payload) + payload.count("\n") + payload.count('"') + payload.count("\\") + 4
