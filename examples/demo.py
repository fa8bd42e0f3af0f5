"""Run functions on this machine, through everything that a remote endpoint needs.

A local service, with an endpoint of two worker processes, takes the place of the hosted one:
functions are registered and submitted over HTTP, travel over AMQP, and their results stream
back. No account is needed. Run it with ``make demo``.
"""

from __future__ import annotations

import time
from concurrent.futures import as_completed

from gcompute import Client, Executor, TaskExecutionFailed
from gcompute.local import LocalService

LIMIT = 5_000_000
TASKS = 60
PRIMES_BELOW_LIMIT = 348_513


def count_primes(start: int, stop: int) -> int:
    """Count the primes in [start, stop) with a sieve."""
    import math

    is_prime = bytearray([1]) * (stop - start)
    for n in range(2, math.isqrt(stop) + 1):
        first = max(n * n, (start + n - 1) // n * n)
        is_prime[first - start :: n] = bytes(len(range(first, stop, n)))
    return sum(is_prime) - sum(is_prime[: max(0, 2 - start)])


def mean(values: list[float]) -> float:
    """Fail on an empty list, as functions do."""
    return sum(values) / len(values)


def count_all_primes(executor: Executor) -> int:
    """Split the work in tasks, and add up results as they arrive."""
    from tqdm import tqdm

    step = -(-LIMIT // TASKS)
    futures = [
        executor.submit(count_primes, start, min(start + step, LIMIT))
        for start in range(0, LIMIT, step)
    ]
    arrived = tqdm(as_completed(futures), total=TASKS, desc="tasks", unit="task")
    return sum(future.result() for future in arrived)


def show_a_failure(executor: Executor) -> None:
    """Show what a failing function looks like from here."""
    try:
        executor.submit(mean, []).result()
    except TaskExecutionFailed as error:
        print(f"\nA function that raises fails its own future, and no other:\n\n{error}")


def run_a_batch(client: Client, endpoint_id: str) -> list[int]:
    """Send one request with several calls, and wait for their results over HTTP."""
    function_id = client.register_function(count_primes)
    batch = client.create_batch()
    for stop in (10, 100, 1000):
        batch.add(function_id, args=(0, stop))
    task_ids = client.batch_run(endpoint_id, batch)["tasks"][function_id]
    states = client.wait(task_ids, timeout=60)
    return [states[task_id]["result"] for task_id in task_ids]


def main() -> None:
    """Run the demonstration."""
    started = time.perf_counter()
    with LocalService(workers=2) as service:
        print(f"The local service is up at {service.url}, its endpoint is {service.endpoint_id}")

        with service.executor() as executor:
            primes = count_all_primes(executor)
            print(f"{primes} primes below {LIMIT:,}, counted in {TASKS} tasks")
            if primes != PRIMES_BELOW_LIMIT:
                raise SystemExit(f"expected {PRIMES_BELOW_LIMIT}")
            show_a_failure(executor)

        counts = run_a_batch(service.client(), service.endpoint_id)
        print(f"\nA batch through Client: primes below 10, 100, 1000: {counts}")

    print(f"\nAll of it took {time.perf_counter() - started:.1f} s. For the real service:\n")
    print("    executor = service.executor()  ->  executor = gcompute.Executor(endpoint_id)")
    print("    client = service.client()      ->  client = gcompute.Client()")


if __name__ == "__main__":
    main()
