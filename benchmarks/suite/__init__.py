"""The benchmarks, in the order in which they run. A new one is a module and a line here."""

from __future__ import annotations

from benchmarks.setting import Benchmark
from benchmarks.suite import (
    arrays,
    batches,
    bursts,
    call_series,
    call_streams,
    floor,
    import_cost,
    large_results,
    many_tasks,
    pending_futures,
    results,
    scaling,
    service_history,
    service_rates,
    service_start,
    single_calls,
    warm_calls,
)

BENCHMARKS: tuple[Benchmark, ...] = (
    import_cost.BENCHMARK,
    batches.BENCHMARK,
    results.BENCHMARK,
    arrays.BENCHMARK,
    warm_calls.BENCHMARK,
    call_series.BENCHMARK,
    bursts.BENCHMARK,
    pending_futures.BENCHMARK,
    large_results.BENCHMARK,
    scaling.BENCHMARK,
    single_calls.BENCHMARK,
    many_tasks.BENCHMARK,
    call_streams.BENCHMARK,
    floor.BENCHMARK,
    service_start.BENCHMARK,
    service_rates.BENCHMARK,
    service_history.BENCHMARK,
)
