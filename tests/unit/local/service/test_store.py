"""The state file: what is written is there again, and results find their tasks."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from gcompute.local.store import Store, StoreUnusable
from gcompute.local.store.endpoints import OFFLINE_AFTER_S
from gcompute.local.store.functions import Function
from gcompute.local.store.logins import Login
from gcompute.local.store.outcomes import Outcome, Verdict
from gcompute.local.store.tasks import (
    FAILED,
    RECEIVED,
    RUNNING,
    SUCCESS,
    WAITING,
    Batch,
    NewTask,
    TaskGroup,
)
from gcompute.local.store.users import User

OWNER, ENDPOINT, FUNCTION, GROUP = (str(uuid.uuid4()) for _ in range(4))
REGISTRATION = {"endpoint_name": "e"}


def fill(store: Store, *, has_queue: bool = True) -> None:
    """Add a user with an endpoint, a function and a task group."""
    with store.transaction():
        store.users.add(User(OWNER, "somebody"))
        store.users.add_token("token", OWNER)
        store.endpoints.register(ENDPOINT, OWNER, REGISTRATION, 1.0)
        store.functions.add(Function(FUNCTION, OWNER, "f", "3\n01\n"), 1.0)
        store.tasks.keep_group(TaskGroup(GROUP, OWNER, has_queue, 1.0))


def submit(store: Store, count: int = 1) -> list[NewTask]:
    """Add tasks in one batch."""
    tasks = [NewTask(str(uuid.uuid4()), FUNCTION, f"payload {i}") for i in range(count)]
    with store.transaction():
        store.tasks.add_batch(Batch("r", GROUP, ENDPOINT, OWNER, {"num_nodes": 1}, []), tasks, 2.0)
    return tasks


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store with a user who has an endpoint, a function and a task group."""
    opened = Store(tmp_path)
    fill(opened)
    yield opened
    opened.close()


def test_a_store_reads_back_what_it_wrote(tmp_path: Path) -> None:
    """Everything is there again after closing and opening, the service's identity too."""
    first = Store(tmp_path)
    fill(first)
    identity, local = first.identity(), first.local_endpoint()
    tasks = submit(first, 3)
    first.close()
    second = Store(tmp_path)
    assert (second.identity(), second.local_endpoint()) == (identity, local)
    assert second.users.named("somebody") == (User(OWNER, "somebody"), "token")
    assert [task.id for task in second.tasks.unfinished()] == [task.id for task in tasks]
    assert second.tasks.unfinished()[0].resource_specification == {"num_nodes": 1}
    # Numbers go on where they were.
    submit(second)
    assert [task.seq for task in second.tasks.unfinished()] == [1, 2, 3, 4]
    second.close()


def _submit_and_die(folder: str) -> None:
    store = Store(Path(folder))
    fill(store)
    submit(store, 5)
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_was_committed_survives_a_kill(tmp_path: Path) -> None:
    """A process that is killed right after a submit has not lost it."""
    process = multiprocessing.get_context("spawn").Process(
        target=_submit_and_die, args=(str(tmp_path),)
    )
    process.start()
    process.join(60)
    assert process.exitcode == -signal.SIGKILL
    store = Store(tmp_path)
    assert len(store.tasks.unfinished(undispatched=True)) == 5
    store.close()


def test_an_error_leaves_nothing_behind(store: Store) -> None:
    """A transaction is written as a whole or not at all."""
    tasks = [NewTask("same", FUNCTION, "")] * 2
    with pytest.raises(sqlite3.IntegrityError), store.transaction():
        store.tasks.add_batch(Batch("r", GROUP, ENDPOINT, OWNER, None, []), tasks, 2.0)
    assert store.tasks.unfinished() == []
    assert submit(store)


def test_one_service_a_folder(tmp_path: Path, store: Store) -> None:
    """A second service on the folder is told which process has it."""
    with pytest.raises(StoreUnusable, match=f"process {os.getpid()}"):
        Store(tmp_path)


def test_a_state_of_another_version_is_refused(tmp_path: Path) -> None:
    """The message names the file and both versions."""
    Store(tmp_path).close()
    connection = sqlite3.connect(tmp_path / "state.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(StoreUnusable, match=r"state\.sqlite.*99"):
        Store(tmp_path)


def test_a_file_that_is_no_state_is_refused(tmp_path: Path) -> None:
    """Garbage in place of the state is an error that says what to do."""
    (tmp_path / "state.sqlite").write_bytes(b"garbage" * 1000)
    with pytest.raises(StoreUnusable, match="pass another state_dir"):
        Store(tmp_path)


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    """That is not for want of room, and the message does not say so."""
    (tmp_path / "state.sqlite").mkdir()
    with pytest.raises(StoreUnusable, match="read and write it, or pass another state_dir"):
        Store(tmp_path)


def test_tasks_move_through_their_states(store: Store) -> None:
    """Received, with the broker, running as the endpoint reports, finished."""
    (task,) = submit(store)

    def state() -> str:
        record = store.tasks.record(task.id, OWNER)
        assert record is not None
        return record.state

    assert state() == RECEIVED
    store.tasks.mark_dispatched(1, 1, 3.0)
    assert state() == WAITING
    store.tasks.report(ENDPOINT, [(task.id, {"execution-start": 4.0})])
    assert state() == RUNNING
    store.outcomes.keep([Outcome(task.id, ENDPOINT, True, b"body")], 5.0)
    assert state() == SUCCESS
    # News that are late change nothing any more.
    store.tasks.mark_dispatched(1, 1, 6.0)
    store.tasks.report(ENDPOINT, [(task.id, {"waiting-for-nodes": 6.0})])
    record = store.tasks.record(task.id, OWNER)
    assert record is not None
    assert (record.state, record.dispatched_at, record.completed_at) == (SUCCESS, 3.0, 5.0)
    assert record.transitions == {"execution-start": 4.0}


def test_a_report_of_another_endpoint_changes_nothing(store: Store) -> None:
    """Only the endpoint that has a task can say how it stands."""
    (task,) = submit(store)
    store.tasks.report(str(uuid.uuid4()), [(task.id, {"execution-start": 4.0})])
    record = store.tasks.record(task.id, OWNER)
    assert record is not None
    assert record.state == RECEIVED


def test_each_result_gets_its_verdict(store: Store) -> None:
    """The first result of the right endpoint counts; all others are dropped by kind."""
    task, other = submit(store, 2)
    outcomes = [
        Outcome(task.id, str(uuid.uuid4()), True, b"forged"),
        Outcome(task.id, ENDPOINT, True, b"first"),
        Outcome(task.id, ENDPOINT, False, b"second"),
        Outcome(str(uuid.uuid4()), ENDPOINT, True, b"stray"),
        Outcome(other.id, ENDPOINT, False, b"failure"),
    ]
    verdicts, forwards = store.outcomes.keep(outcomes, 5.0)
    assert verdicts == [
        Verdict.FOREIGN,
        Verdict.STORED,
        Verdict.DUPLICATE,
        Verdict.UNKNOWN,
        Verdict.STORED,
    ]
    assert [forward.body for forward in forwards] == [b"first", b"failure"]
    failed = store.tasks.record(other.id, OWNER)
    assert failed is not None
    assert (failed.state, failed.body) == (FAILED, b"failure")


def test_results_are_to_be_forwarded_until_they_are(store: Store) -> None:
    """What the broker did not confirm is given again; the rest only if it lost its queues."""
    tasks = submit(store, 3)
    _, forwards = store.outcomes.keep(
        [Outcome(task.id, ENDPOINT, True, b"") for task in tasks], 5.0
    )
    store.outcomes.mark_forwarded([forwards[0].seq])
    assert [f.task_id for f in store.outcomes.to_forward()] == [t.id for t in tasks[1:]]
    assert [f.seq for f in store.outcomes.to_forward(after=2)] == [3]
    store.outcomes.forget_forwarding(5.1)
    assert len(store.outcomes.to_forward()) == 2
    store.outcomes.forget_forwarding(5.0)
    assert len(store.outcomes.to_forward()) == 3


def test_what_a_client_has_had_is_not_forwarded_again(store: Store) -> None:
    """Also where it was quicker than the broker's confirmation."""
    first, second, third = submit(store, 3)
    _, forwards = store.outcomes.keep(
        [Outcome(task.id, ENDPOINT, True, b"") for task in (first, second, third)], 5.0
    )
    store.outcomes.mark_consumed([first.id, "unknown"])
    store.outcomes.mark_forwarded([forward.seq for forward in forwards])
    store.outcomes.mark_consumed([third.id])
    store.outcomes.forget_forwarding(5.0)
    assert [forward.task_id for forward in store.outcomes.to_forward()] == [second.id]


def test_a_group_without_queue_has_nothing_to_forward(tmp_path: Path) -> None:
    """Its results wait for who fetches them over HTTP."""
    store = Store(tmp_path)
    fill(store, has_queue=False)
    (task,) = submit(store)
    _, forwards = store.outcomes.keep([Outcome(task.id, ENDPOINT, True, b"")], 5.0)
    assert forwards == []
    store.outcomes.forget_forwarding(0.0)
    assert store.outcomes.to_forward() == []
    store.close()


def test_a_group_keeps_its_queue(store: Store) -> None:
    """A later submit without a queue does not take it away."""
    store.tasks.keep_group(TaskGroup(GROUP, OWNER, False, 9.0))
    group = store.tasks.find_group(GROUP)
    assert group == TaskGroup(GROUP, OWNER, True, 1.0)


def test_dispatched_tasks_are_sent_again_only_where_asked(store: Store) -> None:
    """After a reconnection the confirmed ones are left out, after a loss of queues not."""
    submit(store, 4)
    store.tasks.mark_dispatched(2, 3, 3.0)
    assert [task.seq for task in store.tasks.unfinished(undispatched=True)] == [1, 4]
    assert [task.seq for task in store.tasks.unfinished()] == [1, 2, 3, 4]
    assert [task.seq for task in store.tasks.unfinished(after=2, limit=1)] == [3]
    assert store.tasks.unfinished(endpoint=str(uuid.uuid4())) == []
    store.tasks.forget_dispatch()
    assert len(store.tasks.unfinished(undispatched=True)) == 4


def test_a_page_of_large_tasks_is_short(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends with the task that makes it too large, and has at least one; so for results."""
    monkeypatch.setattr("gcompute.local.store.tasks.PAGE_BYTES", len("payload 0") + 1)
    tasks = submit(store, 5)
    assert [task.seq for task in store.tasks.unfinished()] == [1, 2]
    assert [task.seq for task in store.tasks.unfinished(after=4)] == [5]
    store.outcomes.keep([Outcome(task.id, ENDPOINT, True, bytes(20)) for task in tasks], 5.0)
    assert [forward.seq for forward in store.outcomes.to_forward(after=1)] == [2]


def test_deaths_of_an_endpoint_are_counted_with_each_task(store: Store) -> None:
    """A task that was there often enough is named; one that came later is not yet."""
    (first,) = submit(store)
    assert store.tasks.count_loss(ENDPOINT, 2) == []
    submit(store)
    store.tasks.mark_dispatched(1, 2, 3.0)
    assert store.tasks.count_loss(ENDPOINT, 2) == [first.id]
    assert len(store.tasks.unfinished(undispatched=True)) == 2


def test_tasks_are_their_owners(store: Store) -> None:
    """Somebody else's task is no task."""
    (task,) = submit(store)
    assert store.tasks.record(task.id, str(uuid.uuid4())) is None


def test_an_endpoint_is_online_while_it_reports(store: Store) -> None:
    """Before its first report, after two minutes of silence and after its goodbye it is not."""

    def online(now: float) -> bool:
        endpoint = store.endpoints.find(ENDPOINT)
        assert endpoint is not None
        return endpoint.is_online(now)

    assert not online(10.0)
    store.endpoints.report(ENDPOINT, {"heartbeat_period": 30}, 10.0)
    assert online(10.0 + OFFLINE_AFTER_S - 1)
    assert not online(10.0 + OFFLINE_AFTER_S)
    store.endpoints.report(ENDPOINT, {"heartbeat_period": 0}, 20.0)
    assert not online(20.0)
    store.endpoints.report(ENDPOINT, {"heartbeat_period": 30}, 30.0)
    store.endpoints.silence(ENDPOINT)
    assert not online(30.0)


def test_deleted_things_stay_for_the_tasks_that_need_them(store: Store) -> None:
    """They are found only where that is asked for."""
    store.endpoints.delete(ENDPOINT, 5.0)
    store.functions.delete(FUNCTION, 5.0)
    assert store.endpoints.find(ENDPOINT) is None
    assert list(store.endpoints.all()) == []
    assert store.endpoints.ever() == [ENDPOINT]
    assert store.endpoints.find(ENDPOINT, deleted=True) is not None
    assert store.functions.find(FUNCTION) is None
    assert store.functions.find(FUNCTION, deleted=True) is not None


def test_source_code_becomes_what_a_worker_reads() -> None:
    """Source text is wrapped as the strategy `st` would write it; packed code stays."""
    source = Function("id", OWNER, "f", "def f(): pass", serialized=False)
    assert source.buffer == "18\nst\nf:def f(): pass"
    packed = Function("id", OWNER, "f", "3\n01\n")
    assert packed.buffer == "3\n01\n"


def test_a_full_disk_ends_a_transaction_for_good(store: Store) -> None:
    """Nothing of it is kept, wherever it failed, and the next one finds room again."""
    connection = store._connection
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(sqlite3.OperationalError, match="full"):
        add_users(store, 100)
    assert not connection.in_transaction
    connection.execute(f"PRAGMA max_page_count = {2 * pages + 1000}")
    with store.transaction():
        store.users.add(User("later", "later"))
    assert store.users.find("later") is not None
    assert store.users.find("user 0") is None


def add_users(store: Store, count: int) -> None:
    """Add users who take some room, in one transaction."""
    with store.transaction():
        for number in range(count):
            store.users.add(User(f"user {number}", "x" * 10_000))


def test_a_commit_that_fails_is_undone(store: Store) -> None:
    """As on a disk that is full when the log is written: the connection can go on."""
    store._connection.execute("PRAGMA foreign_keys = ON")
    with pytest.raises(sqlite3.IntegrityError):
        add_token_of_nobody(store)
    assert not store._connection.in_transaction
    assert store.users.find("somebody else") is None
    with store.transaction():
        store.users.add(User("later", "later"))


def add_token_of_nobody(store: Store) -> None:
    """Break a rule that is looked at when the transaction ends, so that the commit fails."""
    with store.transaction():
        store._connection.execute("PRAGMA defer_foreign_keys = ON")
        store.users.add(User("somebody else", "somebody else"))
        store._connection.execute("INSERT INTO tokens VALUES ('token of nobody', 'nobody')")


def test_groups_in_flight_wait_for_results_or_have_some_to_forward(store: Store) -> None:
    """A group whose results its queue has is not among them, nor is one without a queue."""

    def names() -> set[str]:
        return {group.id for group in store.tasks.groups_in_flight()}

    with store.transaction():
        store.tasks.keep_group(TaskGroup("without", OWNER, False, 1.0))
        batch = Batch("r", "without", ENDPOINT, OWNER, None, [])
        store.tasks.add_batch(batch, [NewTask("waits", FUNCTION, "payload")], 2.0)
    assert names() == set()
    (task,) = submit(store)
    assert names() == {GROUP}
    with store.transaction():
        _, (forward,) = store.outcomes.keep([Outcome(task.id, ENDPOINT, True, b"x")], 3.0)
    assert names() == {GROUP}
    with store.transaction():
        store.outcomes.mark_forwarded([forward.seq])
    assert names() == set()


def test_dispatch_is_forgotten_for_one_endpoint(store: Store) -> None:
    """Only unfinished tasks are to be sent again, and those of others are not."""
    other = str(uuid.uuid4())
    first, second = submit(store, 2)
    with store.transaction():
        store.endpoints.register(other, OWNER, REGISTRATION, 1.0)
        batch = Batch("r", GROUP, other, OWNER, None, [])
        store.tasks.add_batch(batch, [NewTask("elsewhere", FUNCTION, "payload")], 2.0)
        store.tasks.mark_dispatched(1, 3, 3.0)
        store.outcomes.keep([Outcome(first.id, ENDPOINT, True, b"x")], 4.0)
        store.tasks.forget_dispatch(ENDPOINT)
    assert [task.id for task in store.tasks.unfinished(undispatched=True)] == [second.id]
    with store.transaction():
        store.tasks.forget_dispatch()
    again = [task.id for task in store.tasks.unfinished(undispatched=True)]
    assert again == [second.id, "elsewhere"]


def test_what_is_noted_can_be_replaced(store: Store) -> None:
    """Other than what is remembered, which stays as it was first."""
    assert store.noted("port") is None
    store.note("port", "1")
    store.note("port", "2")
    assert store.noted("port") == "2"
    assert store.remembered("port", "3") == "2"


def test_logins_are_kept_until_they_are_forgotten(store: Store) -> None:
    """The last password of a name counts."""
    store.logins.keep(Login("ada", "first", "w", "r"))
    store.logins.keep(Login("ada", "second", "w", "r"))
    store.logins.keep(Login("bob", "his", "", "r"))
    assert {(login.name, login.password) for login in store.logins.all()} == {
        ("ada", "second"),
        ("bob", "his"),
    }
    store.logins.forget("ada")
    store.logins.forget("nobody")
    assert store.logins.all() == [Login("bob", "his", "", "r")]
    assert "his" not in repr(store.logins.all())
