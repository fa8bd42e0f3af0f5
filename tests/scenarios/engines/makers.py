"""Engines as a user would set them up; the endpoint's process imports this file."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager


def parsl_high_throughput(workers: int) -> Executor:
    """Parsl's pilot-job executor, with one block of workers on this machine."""
    from parsl.concurrent import ParslPoolExecutor
    from parsl.config import Config
    from parsl.executors import HighThroughputExecutor
    from parsl.providers import LocalProvider

    htex = HighThroughputExecutor(
        address="127.0.0.1",
        loopback_address="127.0.0.1",
        max_workers_per_node=workers,
        cores_per_worker=0.1,
        # So soon is a dead worker noticed.
        heartbeat_period=1,
        heartbeat_threshold=10,
        encrypted=False,
        provider=LocalProvider(init_blocks=1, max_blocks=1),
    )
    executor: Executor = ParslPoolExecutor(Config(executors=[htex]))
    return executor


@contextmanager
def dask_cluster(workers: int) -> Iterator[Executor]:
    """A scheduler and worker processes of dask.distributed."""
    import dask
    from dask.distributed import Client, LocalCluster

    # Else a task that kills its worker is tried on others first.
    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 0}),
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
        Client(cluster) as client,
    ):
        yield client.get_executor()
