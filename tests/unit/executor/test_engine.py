"""What runs behind an Executor: gathering, cancelling, shutting down, and letting go."""

from __future__ import annotations

import concurrent.futures
import gc
import threading
import weakref

import pytest

from gcompute import ComputeFuture
from gcompute.budget import RequestsLeft
from gcompute.errors import AuthenticationFailed, NotFound, ResultsUnavailable, ServiceUnreachable
from tests.unit.executor.stand_ins import (
    FUNCTION,
    WAIT_S,
    Service,
    Stream,
    answer_all,
    double,
    executor_of,
)

# Gathering


def test_what_queues_up_goes_together(service: Service) -> None:
    """While a request is under way, calls gather; the next request has them all."""
    answer_all(service)
    service.gate.clear()
    with executor_of(service) as executor:
        futures = [executor.submit(double, 0)]
        assert service.arrived.acquire(timeout=WAIT_S)
        futures += [executor.submit(double, n) for n in range(1, 100)]
        service.gate.set()
        assert [f.result(WAIT_S) for f in futures] == ["done"] * 100
    assert service.sent() == list(range(100))
    assert len(service.requests) == 2
    assert len(service.registered) == 1


def test_a_batch_size_is_a_maximum(service: Service) -> None:
    """No request has more tasks."""
    answer_all(service)
    service.gate.clear()
    with executor_of(service, batch_size=3) as executor:
        futures = [executor.submit(double, n) for n in range(10)]
        service.gate.set()
        concurrent.futures.wait(futures, WAIT_S)
    sizes = [sum(map(len, request["tasks"].values())) for _, request in service.requests]
    assert max(sizes) <= 3
    assert service.sent() == list(range(10))


@pytest.mark.parametrize(("plentiful", "sizes"), [(True, [1, 128, 128, 43]), (False, [1, 299])])
def test_requests_grow_when_they_are_scarce(
    service: Service, plentiful: bool, sizes: list[int]
) -> None:
    """128 tasks go together while there is budget to spare, and all when there is little."""
    answer_all(service)
    service.gate.clear()
    with executor_of(service) as executor:
        futures = [executor.submit(double, 0)]
        assert service.arrived.acquire(timeout=WAIT_S)
        futures += [executor.submit(double, n) for n in range(1, 300)]
        service.plentiful = plentiful
        service.gate.set()
        assert [f.result(WAIT_S) for f in futures] == ["done"] * 300
    assert [len(texts) for _, r in service.requests for texts in r["tasks"].values()] == sizes
    assert service.sent() == list(range(300))


def test_calls_gather_beside_others_when_requests_are_scarce(service: Service) -> None:
    """But not for ever: the end of the executor sends what is left."""
    service.plentiful, service.more_in_s = False, 1000.0
    with executor_of(service) as executor:
        sent = threading.Event()
        service.on_submit = lambda ids: sent.set()
        first = executor.submit(double, 0)
        assert sent.wait(WAIT_S)
        others = [executor.submit(double, n) for n in (1, 2, 3)]
        assert not any(future.running() for future in others)
        answer_all(service)
        executor.shutdown(wait=False)
        assert [f.result(WAIT_S) for f in others] == ["done"] * 3
        Stream.last.result(first.task_id, "done")
    assert [sum(map(len, r["tasks"].values())) for _, r in service.requests] == [1, 3]


def test_calls_gather_for_whatever_time(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    """A budget may be spent for ever: no thread can wait so long, and none dies of it."""
    asked = threading.Semaphore(0)

    def requests_left() -> RequestsLeft:
        asked.release()
        return RequestsLeft(0, 20, float("inf"))

    monkeypatch.setattr(service, "_requests_left", requests_left)
    executor = executor_of(service)
    first = executor.submit(double, 0)
    assert service.arrived.acquire(timeout=WAIT_S)
    answer_all(service)
    second = executor.submit(double, 1)
    for _ in range(3):  # twice for the first, and again with the lock that a shutdown needs
        assert asked.acquire(timeout=WAIT_S)
    executor.shutdown(wait=False)
    assert second.result(WAIT_S) == "done"
    if not first.done():
        Stream.last.result(first.task_id, "done")
    executor.shutdown()


def test_one_call_after_another_waits_for_no_others(service: Service) -> None:
    """Also when requests are scarce: nothing else is to come while the caller waits."""
    service.plentiful, service.more_in_s = False, 1000.0
    answer_all(service)
    with executor_of(service) as executor:
        for n in range(50):
            assert executor.submit(double, n).result(WAIT_S) == "done"
    assert len(service.requests) == 50


def test_a_refused_batch_leaves_the_executor_alive(service: Service) -> None:
    """Its futures fail with the service's words; the next submit works."""
    service.refusal = NotFound(http_status=404, code="ENDPOINT_NOT_FOUND")
    with executor_of(service) as executor:
        with pytest.raises(NotFound, match="ENDPOINT_NOT_FOUND"):
            executor.submit(double, 1).result(WAIT_S)
        service.refusal = None
        answer_all(service)
        assert executor.submit(double, 2).result(WAIT_S) == "done"


def test_results_that_cannot_be_had_fail_what_waits(service: Service) -> None:
    """A refused login at the queues ends the futures; the executor still takes tasks."""
    with executor_of(service, transport="amqp") as executor:
        started = threading.Event()
        service.on_submit = lambda ids: started.set()
        future = executor.submit(double, 1)
        assert started.wait(WAIT_S)
        answer_all(service)
        assert executor.submit(double, 2).result(WAIT_S) == "done"  # so the first is pending
        Stream.last.listener.refused(AuthenticationFailed(http_status=401))
        with pytest.raises(ResultsUnavailable, match="401"):
            future.result(WAIT_S)
        assert executor.submit(double, 3).result(WAIT_S) == "done"


# Cancelling


def test_a_task_that_was_not_sent_can_be_cancelled(service: Service) -> None:
    """It is never sent; one that is on its way says no."""
    answer_all(service)
    service.gate.clear()
    with executor_of(service) as executor:
        first = executor.submit(double, 1)
        assert service.arrived.acquire(timeout=WAIT_S)
        second, third = executor.submit(double, 2), executor.submit(double, 3)
        assert second.cancel()
        assert not first.cancel()
        service.gate.set()
        assert third.result(WAIT_S) == "done"
        assert not third.cancel()
    assert service.sent() == [1, 3]
    assert second.cancelled()


def test_waiting_sees_a_cancelled_future(service: Service) -> None:
    """``concurrent.futures.wait`` returns when a cancelled task's turn comes."""
    answer_all(service)
    service.gate.clear()
    with executor_of(service) as executor:
        executor.submit(double, 1)
        assert service.arrived.acquire(timeout=WAIT_S)
        second = executor.submit(double, 2)
        second.cancel()
        service.gate.set()
        assert concurrent.futures.wait([second], WAIT_S).done == {second}


# Shutting down


def test_a_shutdown_waits_for_every_future(service: Service) -> None:
    """And for the threads; results that were handled are acknowledged before the stream stops."""
    answer_all(service)
    before = set(threading.enumerate())
    executor = executor_of(service)
    futures = [executor.submit(double, n) for n in range(20)]
    executor.shutdown()
    assert all(f.done() for f in futures)
    assert Stream.last.calls[-2:] == ["acknowledge 20", "stop"]
    assert Stream.last.calls.count("stop") == 1
    assert set(threading.enumerate()) <= before


def test_a_shutdown_may_be_repeated(service: Service) -> None:
    """Waiting or not, with tasks or without."""
    answer_all(service)
    executor = executor_of(service)
    future = executor.submit(double, 1)
    for wait in (False, True, True, False):
        executor.shutdown(wait=wait)
    assert future.done()
    unused = executor_of(service)
    unused.shutdown()
    unused.shutdown()


def test_a_shutdown_without_waiting_loses_nothing(service: Service) -> None:
    """It returns at once; what was taken in is still sent, and ends."""
    answer_all(service)
    service.gate.clear()
    executor = executor_of(service)
    futures = [executor.submit(double, n) for n in range(5)]
    executor.shutdown(wait=False)
    assert not any(f.done() for f in futures)
    service.gate.set()
    assert [f.result(WAIT_S) for f in futures] == ["done"] * 5
    executor.shutdown()


def test_a_shutdown_that_cancels_sends_nothing_more(service: Service) -> None:
    """What is on its way goes on; what waits is cancelled, and told to those who wait."""
    answer_all(service)
    service.gate.clear()
    executor = executor_of(service)
    first = executor.submit(double, 1)
    assert service.arrived.acquire(timeout=WAIT_S)
    rest = [executor.submit(double, n) for n in range(2, 10)]
    assert rest[0].cancel()
    executor.shutdown(wait=False, cancel_futures=True)
    assert all(f.cancelled() for f in rest)
    assert concurrent.futures.wait(rest, WAIT_S).done == set(rest)
    service.gate.set()
    assert first.result(WAIT_S) == "done"
    executor.shutdown()
    assert service.sent() == [1]


def test_a_shutdown_that_cancels_waits_for_no_service(service: Service) -> None:
    """A batch that is sent again and again, since the service is away, fails now."""
    answer_all(service)
    executor = executor_of(service)
    executor.submit(double, 1).result(WAIT_S)
    service.refusal = ServiceUnreachable("away", sent=False)
    future = executor.submit(double, 2)
    for _ in range(3):  # the first task's, and two attempts
        assert service.arrived.acquire(timeout=WAIT_S)
    executor.shutdown(cancel_futures=True)
    assert isinstance(future.exception(0), ServiceUnreachable)


@pytest.mark.parametrize("does", ["shuts down", "waits", "exits"])
def test_a_callback_of_a_cancelled_task_holds_up_no_other(service: Service, does: str) -> None:
    """The rest is cancelled by the same thread, whatever a callback does there."""
    answer_all(service)
    service.gate.clear()
    executor = executor_of(service)
    executor.submit(double, 0)
    assert service.arrived.acquire(timeout=WAIT_S)
    futures = [executor.submit(double, n) for n in range(1, 4)]
    raised: list[BaseException] = []

    def callback(_future: object) -> None:
        if does == "shuts down":
            executor.shutdown()
        elif does == "waits":
            with pytest.raises(RuntimeError, match="a callback cannot wait"):
                futures[2].result(WAIT_S)
        else:
            raise SystemExit(3)

    def leave() -> None:
        try:
            executor.shutdown(wait=False, cancel_futures=True)
        except SystemExit as error:
            raised.append(error)

    futures[0].add_done_callback(callback)
    leaving = threading.Thread(target=leave, daemon=True)
    leaving.start()
    leaving.join(WAIT_S)
    assert not leaving.is_alive()
    assert all(future.cancelled() for future in futures)
    assert len(raised) == (does == "exits")
    service.gate.set()
    executor.shutdown()


@pytest.mark.parametrize("step", ["cancel", "set_running_or_notify_cancel"])
@pytest.mark.parametrize("done", [False, True])
def test_a_shutdown_that_is_interrupted_has_cancelled_all(
    service: Service, monkeypatch: pytest.MonkeyPatch, step: str, done: bool
) -> None:
    """A Ctrl-C takes effect after that, and nobody waits for what will never end."""
    answer_all(service)
    service.gate.clear()
    executor = executor_of(service)
    executor.submit(double, 0)
    assert service.arrived.acquire(timeout=WAIT_S)
    futures = [executor.submit(double, n) for n in range(1, 4)]
    usual = getattr(ComputeFuture, step)
    calls: list[ComputeFuture] = []

    def interrupted(future: ComputeFuture) -> object:
        calls.append(future)
        if len(calls) == 2 and not done:
            raise KeyboardInterrupt
        result: object = usual(future)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return result

    with monkeypatch.context() as patched:
        patched.setattr(ComputeFuture, step, interrupted)
        with pytest.raises(KeyboardInterrupt):
            executor.shutdown(wait=False, cancel_futures=True)
    assert len(concurrent.futures.wait(futures, WAIT_S).done) == 3
    assert all(future.cancelled() for future in futures)
    service.gate.set()
    executor.shutdown()


def test_a_shutdown_cancels_beside_a_future_that_somebody_has_ended(service: Service) -> None:
    """One that its user has ended is left as it is."""
    answer_all(service)
    service.gate.clear()
    executor = executor_of(service)
    executor.submit(double, 0)
    assert service.arrived.acquire(timeout=WAIT_S)
    futures = [executor.submit(double, n) for n in range(1, 4)]
    futures[1].set_result("mine")
    executor.shutdown(wait=False, cancel_futures=True)
    assert [future.cancelled() for future in futures] == [True, False, True]
    service.gate.set()
    executor.shutdown()


def test_after_a_shutdown_nothing_is_taken(service: Service) -> None:
    """RuntimeError, as the standard library has it, for every way to submit."""
    executor = executor_of(service)
    executor.shutdown()
    with pytest.raises(RuntimeError, match="shut down"):
        executor.submit(double, 1)
    with pytest.raises(RuntimeError, match="shut down"):
        executor.submit_to_registered_function(FUNCTION)
    with pytest.raises(RuntimeError, match="shut down"):
        list(executor.map(double, [1]))
    assert "shut down" in repr(executor)


@pytest.mark.parametrize("waiting", [0, 5])
@pytest.mark.parametrize("wait", [False, True])
def test_a_shutdown_in_a_callback_does_not_deadlock(
    service: Service, waiting: int, wait: bool
) -> None:
    """The callback runs on the thread that ends the other futures: it cannot wait for them."""
    service.gate.clear()
    returned = threading.Event()
    executor = executor_of(service)

    def callback(_future: object) -> None:
        executor.shutdown(wait=wait)
        returned.set()

    futures = [executor.submit(double, n) for n in range(1 + waiting)]
    futures[0].add_done_callback(callback)
    answer_all(service)
    service.gate.set()
    assert returned.wait(WAIT_S)
    assert [f.result(WAIT_S) for f in futures] == ["done"] * (1 + waiting)
    executor.shutdown()


def test_a_shutdown_in_a_callback_of_a_failure_does_not_deadlock(service: Service) -> None:
    """The same on the thread that sends."""
    service.gate.clear()
    service.refusal = NotFound(http_status=404)
    returned = threading.Event()
    executor = executor_of(service)

    def callback(_future: object) -> None:
        executor.shutdown()
        returned.set()

    futures = [executor.submit(double, n) for n in range(3)]
    futures[0].add_done_callback(callback)
    service.gate.set()
    assert returned.wait(WAIT_S)
    assert all(isinstance(f.exception(WAIT_S), NotFound) for f in futures)
    executor.shutdown()


def test_a_submit_in_a_callback_is_taken(service: Service) -> None:
    """A chain of tasks, each started by the one before."""
    answer_all(service)
    with executor_of(service) as executor:
        chained: concurrent.futures.Future[ComputeFuture] = concurrent.futures.Future()
        first = executor.submit(double, 1)
        first.add_done_callback(lambda _: chained.set_result(executor.submit(double, 2)))
        assert chained.result(WAIT_S).result(WAIT_S) == "done"


# Letting go


def test_an_executor_that_nobody_holds_still_ends_its_futures(service: Service) -> None:
    """It is collected; its tasks are sent, its futures end, its threads leave."""
    answer_all(service)
    service.gate.clear()
    before = set(threading.enumerate())
    executor = executor_of(service)
    gone = weakref.ref(executor)
    futures = [executor.submit(double, n) for n in range(3)]
    threads = set(threading.enumerate()) - before
    del executor
    gc.collect()
    assert gone() is None
    service.gate.set()
    assert [f.result(WAIT_S) for f in futures] == ["done"] * 3
    for thread in threads:
        thread.join(WAIT_S)
        assert not thread.is_alive()


def test_a_future_that_nobody_holds_is_forgotten(service: Service) -> None:
    """Once it has ended, nothing of the engine keeps it."""
    answer_all(service)
    with executor_of(service) as executor:
        future = executor.submit(double, 1)
        future.result(WAIT_S)
        gone = weakref.ref(future)
        del future
        executor.submit(double, 2).result(WAIT_S)  # the delivery has turned to another one
        gc.collect()
        assert gone() is None
