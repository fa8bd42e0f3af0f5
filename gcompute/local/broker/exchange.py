"""Exchanges: which queues get a message that is published with a routing key.

In: bindings and routing keys. Out: names of queues. No queue is touched here, and nothing does
I/O. Direct, fanout and topic exchanges; the default exchange is the virtual host's business,
because its bindings are the queues themselves.
Source: AMQP 0-9-1 specification, section 3.1.3.
"""

from __future__ import annotations

from functools import lru_cache

KINDS = frozenset(("direct", "fanout", "topic"))


class Exchange:
    """One exchange with its bindings.

    The attributes other than the bindings are those of `exchange.declare`, and never change.
    """

    def __init__(
        self,
        name: str,
        kind: str,
        *,
        durable: bool = False,
        auto_delete: bool = False,
        internal: bool = False,
    ) -> None:
        self.name = name
        self.kind = kind
        self.durable = durable
        self.auto_delete = auto_delete
        self.internal = internal
        #: How many bindings there are.
        self.binding_count = 0
        #: Binding key to the names of the queues bound with it, in order of binding; no key
        #: without a queue.
        self._bindings: dict[str, dict[str, None]] = {}

    @property
    def in_use(self) -> bool:
        """Whether a queue is bound."""
        return bool(self._bindings)

    def is_bound(self, queue: str, key: str) -> bool:
        """Tell whether there is a binding."""
        return queue in self._bindings.get(key, ())

    def bind(self, queue: str, key: str) -> None:
        """Bind a queue; binding twice is binding once."""
        if not self.is_bound(queue, key):
            self._bindings.setdefault(key, {})[queue] = None
            self.binding_count += 1

    def unbind(self, queue: str, key: str) -> bool:
        """Undo a binding; tell whether there was one."""
        if not self.is_bound(queue, key):
            return False
        del self._bindings[key][queue]
        if not self._bindings[key]:
            del self._bindings[key]
        self.binding_count -= 1
        return True

    def unbind_all(self, queue: str) -> bool:
        """Undo all bindings of a queue that is going away; tell whether there was one."""
        keys = [key for key, queues in self._bindings.items() if queue in queues]
        for key in keys:
            self.unbind(queue, key)
        return bool(keys)

    def route(self, key: str) -> list[str]:
        """Return the queues that get a message with routing key `key`, each once."""
        if self.kind == "direct":
            return list(self._bindings.get(key, ()))
        if self.kind == "fanout":
            matching = list(self._bindings.values())
        else:
            matching = [q for pattern, q in self._bindings.items() if topic_matches(pattern, key)]
        return list(dict.fromkeys(queue for queues in matching for queue in queues))


@lru_cache(maxsize=4096)
def topic_matches(pattern: str, key: str) -> bool:
    """Tell whether a topic pattern covers a routing key.

    Both are words with dots between them; in the pattern `*` stands for one word, `#` for any
    number of words, none included.
    """
    expected = pattern.split(".") if pattern else []
    # Follow all readings at once: a regular expression would take exponential time for many `#`.
    reached = _past_hashes(expected, {0})
    for word in key.split(".") if key else ():
        stepped: set[int] = set()
        for index in reached - {len(expected)}:
            if expected[index] == "#":
                stepped.add(index)
            elif expected[index] in ("*", word):
                stepped.add(index + 1)
        reached = _past_hashes(expected, stepped)
    return len(expected) in reached


def _past_hashes(expected: list[str], reached: set[int]) -> set[int]:
    """Add the places that are reached when the `#` at a place takes no word."""
    for index in list(reached):
        place = index
        while place < len(expected) and expected[place] == "#":
            place += 1
            reached.add(place)
    return reached
