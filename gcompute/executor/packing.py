"""A call becomes a submission, or the error that says why it cannot be sent.

In the caller's thread, so that a mistake is known at once and holds up nobody else's call.
"""

from __future__ import annotations

from typing import Any

from gcompute.errors import SerializationError, TaskTooLarge
from gcompute.executor.functions import FunctionReference
from gcompute.executor.future import ComputeFuture
from gcompute.executor.outbox import Destination, Submission, encoded_size
from gcompute.protocol import MAX_REQUEST_BYTES

#: Bytes of a request that are kept for everything but the one task in it.
_ENVELOPE_BYTES = 64 * 1024


def packed(
    future: ComputeFuture,
    destination: Destination,
    reference: FunctionReference,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Submission:
    """Serialize a call.

    Args:
        future: what its result is to end.
        destination: where it goes, and how.
        reference: the function.
        args: its positional arguments.
        kwargs: its keyword arguments.

    Raises:
        SerializationError: names the function, and the argument that cannot be serialized.
        TaskTooLarge: no request can carry the arguments.
    """
    try:
        payload = destination.serializer.pack_arguments(args, kwargs)
    except SerializationError as error:
        named = SerializationError(f"a call of {reference.name}: {error.reason}")
        raise named from error.__cause__
    size = encoded_size(payload)
    if size > MAX_REQUEST_BYTES - _ENVELOPE_BYTES:
        raise TaskTooLarge(
            f"the arguments of a call of {reference.name} have {size:,} bytes serialized, a "
            f"request may have {MAX_REQUEST_BYTES:,}: pass large values by file or object store",
            size=size,
            limit=MAX_REQUEST_BYTES,
        )
    return Submission(future, destination, reference, payload, size)
