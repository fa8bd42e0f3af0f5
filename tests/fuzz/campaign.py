"""How many cases a fuzzing campaign has, and where it starts.

`make test` runs a short campaign from a fixed seed, `make fuzz` a long one from a random seed,
which it prints first. The same seed and number of cases choose the same: requests, bytes,
mutations. At the broker, what is mutated was recorded from pika just before: it has passwords and
tags of that run in it, and may differ by a frame. What comes of a case depends on what was sent
before it as well. So with the same seed a failure of the web service comes again, one of the
broker mostly.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, NamedTuple

from hypothesis import HealthCheck, Phase, seed, settings


class Campaign(NamedTuple):
    """`cases` are HTTP requests; `start` is the seed, None for the fixed one."""

    cases: int
    start: int | None

    def spread(self, over: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorate a hypothesis test that is one of `over` tests which share the cases."""

        def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
            configured = settings(
                max_examples=-(-self.cases // over),
                derandomize=self.start is None,
                database=None,
                deadline=None,
                # The state of a service under fuzz moves on: what failed need not fail again, and
                # what explains a failure is in the message anyway.
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            )(test)
            return configured if self.start is None else seed(self.start)(configured)

        return decorate


def _campaign() -> Campaign:
    start = os.environ.get("GCOMPUTE_FUZZ_SEED")
    # Fewer would not reach what the campaigns check that they have reached.
    cases = max(200, int(os.environ.get("GCOMPUTE_FUZZ_CASES", "1000")))
    return Campaign(cases, int(start) if start else None)


CAMPAIGN = _campaign()
