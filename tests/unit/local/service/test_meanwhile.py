"""Two who want the same at the same moment: while one waits for the broker, the other goes on."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from gcompute.local.errors import ServiceError
from gcompute.local.identities import Identities
from gcompute.local.names import Names
from gcompute.local.operations import HANDLERS, Call
from gcompute.local.service import Service
from gcompute.local.store import Store
from gcompute.local.user import User

NOW = 1_000_000.0
ENDPOINT, GROUP = str(uuid.uuid4()), str(uuid.uuid4())


class SlowBroker:
    """Stands for provisioning, dispatcher, results; what happens meanwhile, a test says."""

    def __init__(self) -> None:
        #: What happens during the next question of a kind.
        self.meanwhile: dict[str, Callable[[], Awaitable[object]]] = {}
        self.names = Names("gcompute", "secret")
        self.shut: list[str] = []
        self.removed: list[str] = []
        self.commanded: list[str] = []
        self.sent: list[Any] = []

    async def _ask(self, kind: str) -> None:
        happens = self.meanwhile.pop(kind, None)
        if happens is not None:
            await happens()

    async def declare_endpoint(self, endpoint_id: str, *, multi_user: bool) -> None:
        await self._ask("declare")

    async def declare_group(self, user_id: str, task_group_id: str) -> None:
        await self._ask("group")

    async def describe_endpoint(self, endpoint_id: str, *, multi_user: bool) -> dict[str, Any]:
        await self._ask("describe")
        return {"endpoint_id": endpoint_id, "heartbeat_queue_info": {}}

    async def shut_out(self, endpoint_id: str) -> None:
        self.shut.append(endpoint_id)

    async def remove_endpoint(self, endpoint_id: str) -> None:
        self.removed.append(endpoint_id)

    async def fail_deleted(self, endpoint_id: str) -> None:
        await self._ask("fail")

    async def forget_commands(self, endpoint_id: str) -> None:
        self.commanded.clear()

    def command(self, endpoint_id: str, command: Any, now: float) -> None:
        self.commanded.append(endpoint_id)

    def send(self, tasks: Any, buffers: Any) -> None:
        self.sent += tasks


class World:
    """A service with two users and that broker."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.users = Identities(store, [User("ada"), User("bob")])
        self.broker = SlowBroker()
        broker = cast(Any, self.broker)
        self.service = Service(store, self.users, cast(Any, None), broker, broker, broker, "none")

    async def call(self, user: str, operation: str, body: Any = None, **path: str) -> Any:
        """Call an operation as a user."""
        (caller,) = (identity.user for identity in self.users if identity.user.name == user)
        call = Call(caller=caller, path=path, query={}, body=body, now=NOW)
        return await HANDLERS[operation](self.service, call)

    async def register(self, user: str, **more: Any) -> Any:
        """Register the endpoint as a user."""
        body = {"endpoint_name": user, "endpoint_uuid": ENDPOINT} | more
        return await self.call(user, "register_endpoint_v2", body)

    async def function(self, user: str) -> str:
        """Register a function as a user."""
        code = {"function_name": "f", "function_code": "3\n01\n"}
        answer = await self.call(user, "register_function_v2", code)
        return str(answer["function_uuid"])

    def owner(self) -> str:
        """Give the name of the endpoint's owner."""
        endpoint = self.store.endpoints.find(ENDPOINT)
        assert endpoint is not None
        found = self.users.find(endpoint.owner)
        assert found is not None
        return found.name


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A service with an empty store."""
    store = Store(tmp_path)
    yield World(store)
    store.close()


def test_one_of_two_gets_an_endpoints_id(world: World) -> None:
    """Who comes first; the other is refused, and his registration changes nothing."""

    async def both() -> None:
        world.broker.meanwhile["declare"] = lambda: world.register("ada")
        with pytest.raises(ServiceError) as refused:
            await world.register("bob")
        assert refused.value.http_status == 403

    asyncio.run(both())
    assert world.owner() == "ada"
    endpoint = world.store.endpoints.find(ENDPOINT)
    assert endpoint is not None
    assert endpoint.name == "ada"


@pytest.mark.parametrize(
    ("moment", "shut_out"), [("declare", [ENDPOINT]), ("describe", [ENDPOINT, ENDPOINT])]
)
def test_a_lock_counts_for_a_registration_under_way(
    world: World, moment: str, shut_out: list[str]
) -> None:
    """It is refused; credentials that were made after the lock are void."""

    async def both() -> None:
        await world.register("ada")
        world.broker.meanwhile[moment] = lambda: world.call(
            "ada", "lock_endpoint", endpoint_uuid=ENDPOINT
        )
        with pytest.raises(ServiceError) as refused:
            await world.register("ada")
        assert refused.value.http_status == 423

    asyncio.run(both())
    assert world.broker.shut == shut_out


def test_one_of_two_gets_a_task_group(world: World) -> None:
    """The older submit makes groups; nobody's task ends in the group of another."""

    async def submit(user: str) -> Any:
        function = await world.function(user)
        endpoint = str(uuid.uuid4())
        body = {"endpoint_name": user, "endpoint_uuid": endpoint}
        await world.call(user, "register_endpoint_v2", body)
        tasks = {"task_group_id": GROUP, "tasks": [[function, endpoint, "x"]]}
        return await world.call(user, "submit_v2", tasks)

    async def both() -> None:
        world.broker.meanwhile["group"] = lambda: submit("ada")
        with pytest.raises(ServiceError) as refused:
            await submit("bob")
        assert refused.value.code == "TASK_GROUP_ACCESS_FORBIDDEN"
        await asyncio.sleep(0)

    asyncio.run(both())
    group = world.store.tasks.find_group(GROUP)
    assert group is not None
    assert group.owner == world.users.owner.user.id
    assert len(world.store.tasks.in_group(GROUP)) == len(world.broker.sent) == 1


@pytest.mark.parametrize("operation", ["submit", "submit_v2"])
def test_an_endpoint_that_is_deleted_gets_no_task(world: World, operation: str) -> None:
    """As nobody would ever run it, or say so: the submit is refused."""

    async def delete() -> None:
        world.store.endpoints.delete(ENDPOINT, NOW)

    async def both() -> None:
        await world.register("ada")
        function = await world.function("ada")
        body, path = {
            "submit": (
                {"create_queue": True, "tasks": {function: ["x"]}},
                {"endpoint_uuid": ENDPOINT},
            ),
            "submit_v2": ({"tasks": [[function, ENDPOINT, "x"]]}, {}),
        }[operation]
        world.broker.meanwhile["group"] = delete
        with pytest.raises(ServiceError) as refused:
            await world.call("ada", operation, body, **path)
        assert refused.value.code == "ENDPOINT_NOT_FOUND"

    asyncio.run(both())
    assert world.store.tasks.unfinished() == []


@pytest.mark.parametrize("again", [False, True])
def test_an_endpoint_that_is_registered_again_keeps_its_queues(world: World, again: bool) -> None:
    """While the tasks of the one that is deleted fail, which may take a while."""

    async def both() -> None:
        await world.register("ada")
        if again:
            world.broker.meanwhile["fail"] = lambda: world.register("ada")
        await world.call("ada", "delete_endpoint", endpoint_uuid=ENDPOINT)

    asyncio.run(both())
    assert world.broker.removed == ([] if again else [ENDPOINT])
    assert (world.store.endpoints.find(ENDPOINT) is not None) == again


def test_a_locked_manager_has_nothing_started(world: World) -> None:
    """Tasks that are submitted to it wait, and nobody gets credentials for them."""

    async def run() -> None:
        await world.register("ada", multi_user=True)
        tasks = {"tasks": {await world.function("ada"): ["x"]}}
        await world.call("ada", "submit", tasks, endpoint_uuid=ENDPOINT)
        assert world.broker.commanded == [ENDPOINT]
        await world.call("ada", "lock_endpoint", endpoint_uuid=ENDPOINT)
        asked: list[str] = []

        async def granted() -> None:
            asked.append("credentials")

        world.broker.meanwhile["describe"] = granted
        await world.call("ada", "submit", tasks, endpoint_uuid=ENDPOINT)
        await asyncio.sleep(0)
        assert asked == []

    asyncio.run(run())
    assert world.broker.commanded == [ENDPOINT]
    assert len(world.broker.sent) == 2
    assert len(world.broker.shut) == 2
