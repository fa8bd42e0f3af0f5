"""What a scenario is, and what it may do.

A scenario is a user's script as a function of a `Stage`. The recorder plays it with the official
SDK on its stage; the tests play the same text with each of our clients on theirs. So it uses what
both have, and asks the stage for the rest. Where a scenario needs more than a service with an
endpoint, it says so, as the hosted service does not have everything.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

#: Groups of scenarios, and folders of recordings: by what is called.
FAMILIES = ("operations", "client", "executor")

#: What a scenario may need that not every service has.
NEEDS = {
    "agent": "an endpoint that runs tasks",
    "assured": "that the endpoint is a high-assurance one",
    "users": "a second user",
    "group": "a group that all users are in, and that the local service knows",
    "expired": "a token that was valid once",
    "faults": "something between client and service that answers in its place",
    "offline": "queues of endpoints that nobody serves, which are left behind",
}

#: The code of an answer that was given in the service's place.
INJECTED = "INJECTED"

#: Users. Scenarios name them; what they are called in truth is nowhere in a recording.
ADA, BOB, STRANGER, LATE = "ada", "bob", "stranger", "late"


class Stage(Protocol):
    """What a scenario plays on."""

    @property
    def endpoint_id(self) -> str:
        """An endpoint of ada's that runs tasks."""

    def identity(self, user: str) -> str:
        """Give the id by which others name a user."""

    def client(self, user: str = ADA, **options: Any) -> Any:
        """Make a ``Client``; it checks no versions unless told to."""

    def executor(self, **options: Any) -> Any:
        """Make an ``Executor`` of ada's; the stage closes it."""

    def call(
        self,
        operation: str,
        *path: str,
        body: Any = None,
        query: Mapping[str, Any] | None = None,
        user: str = ADA,
    ) -> Any:
        """Call an operation of the API document by its id; give the decoded answer."""

    def function(self, name: str) -> Callable[..., Any]:
        """Give one of the functions of :mod:`tools.recording.functions`."""

    def payload(self, *args: Any, **kwargs: Any) -> str:
        """Serialize the arguments of a task."""

    def code(self, name: str) -> str:
        """Serialize a function, as registrations have it."""

    def note(self, name: str, value: Any) -> None:
        """Say what a user sees here; every client must see the same."""

    def ending(self, call: Callable[[], Any]) -> Any:
        """Give what a call gives, or describe the error that it raises."""

    def raised(self, call: Callable[[], Any]) -> dict[str, Any]:
        """Describe the error that a call raises; it must raise one."""

    def warned(self, name: str) -> AbstractContextManager[None]:
        """Note the warnings of a block."""

    def until_finished(self, *task_ids: str) -> None:
        """Wait until the service has the results; nothing of this is recorded."""

    def inject(self, status: int, *, retry_after: int | None = None, times: int = 1) -> None:
        """Have requests from now on answered in the service's place."""

    def disturb(self, how: str) -> None:
        """Do to the connection of results what a broker may do."""


@dataclass(frozen=True)
class Scenario:
    """A script, and what it needs."""

    name: str
    play: Callable[[Stage], None]
    needs: frozenset[str]

    @property
    def family(self) -> str:
        """The folder of its recording."""
        return self.name.partition("/")[0]

    @property
    def proves(self) -> str:
        """What it shows, in a sentence."""
        return (inspect.getdoc(self.play) or "").partition("\n\n")[0].replace("\n", " ")


#: All scenarios, by name, in the order of their definition.
SCENARIOS: dict[str, Scenario] = {}


def by_endpoint(names: Iterable[str]) -> Iterator[tuple[bool, list[str]]]:
    """Part scenarios by the endpoint that they need.

    Yields:
        Whether it is a high-assurance one, and the names of these scenarios; there are some.
    """
    parts: dict[bool, list[str]] = {False: [], True: []}
    for name in names:
        parts["assured" in SCENARIOS[name].needs].append(name)
    yield from ((assured, part) for assured, part in parts.items() if part)


def scenario(
    family: str, *needs: str
) -> Callable[[Callable[[Stage], None]], Callable[[Stage], None]]:
    """Make a function a scenario of a family.

    Raises:
        ValueError: there is no such family or need, or the name is taken.
    """
    if family not in FAMILIES or not NEEDS.keys() >= set(needs):
        raise ValueError(f"unknown family {family!r}, or needs {needs} not among {sorted(NEEDS)}")

    def register(play: Callable[[Stage], None]) -> Callable[[Stage], None]:
        name = f"{family}/{play.__name__}"
        if name in SCENARIOS:
            raise ValueError(f"two scenarios are called {name}")
        SCENARIOS[name] = Scenario(name, play, frozenset(needs))
        return play

    return register
