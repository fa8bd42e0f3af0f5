"""What has become of the deliveries of one channel, and how the broker is told.

Pure. A delivery is *handled* (to be acknowledged), or *held*: its task is not known here, or
not yet, so it stays unacknowledged until it is handled after all or released, for whoever else
consumes the queue. Acknowledging one with ``multiple`` acknowledges all before it, so that is
only done below the first that is held. Source: ``docs/wire.md#amqp-0-9-1``.
"""

from __future__ import annotations


class Acknowledgements:
    """Gathers what is to be acknowledged. Deliveries come in the order of their tags."""

    def __init__(self) -> None:
        #: Tags that were handled since the last :meth:`take`.
        self._handled: list[int] = []
        self._held: set[int] = set()

    def handled(self, tag: int) -> None:
        """Note that a delivery is done with; it may have been held."""
        self._held.discard(tag)
        self._handled.append(tag)

    def held(self, tag: int) -> None:
        """Note that a delivery is to stay as it is for now."""
        self._held.add(tag)

    def release(self, tag: int) -> bool:
        """Say whether a delivery is still held, to be given back; it is not any more."""
        if tag not in self._held:
            return False
        self._held.discard(tag)
        return True

    def take(self) -> list[tuple[int, bool]]:
        """Give what is to be acknowledged now: tags, each with or without all before it."""
        tags, self._handled = sorted(self._handled), []
        if not tags or not self._held:
            return [(tag, True) for tag in tags[-1:]]
        first_held = min(self._held)
        below = [tag for tag in tags if tag < first_held]
        above = [tag for tag in tags if tag > first_held]
        return [(tag, True) for tag in below[-1:]] + [(tag, False) for tag in above]
