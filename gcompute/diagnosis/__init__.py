"""What stands between this machine and a task's result, in one report that can be shown around.

>>> report = gcompute.diagnose(endpoint_id)
>>> print(report)

Nobody is prompted, nothing is changed, nothing raises, and nothing hangs: each check has a time
limit, and what depends on a check that failed is not tried.

::

    api.diagnose --> plan: which checks, in which order
                       |
                  schedule: each on a thread, with a time limit     facts: what checks found for
                       |                                            later ones, secrets included
    command <----- report <---- redaction

- :mod:`~gcompute.diagnosis.outcome`: what a check says.
- :mod:`~gcompute.diagnosis.facts`: what is diagnosed, and what checks learn for each other.
- :mod:`~gcompute.diagnosis.software`, :mod:`~gcompute.diagnosis.variables`,
  :mod:`~gcompute.diagnosis.settings`, :mod:`~gcompute.diagnosis.logs`: this machine.
- :mod:`~gcompute.diagnosis.network`, :mod:`~gcompute.diagnosis.web`,
  :mod:`~gcompute.diagnosis.queues`: the way to the services.
- :mod:`~gcompute.diagnosis.account`, :mod:`~gcompute.diagnosis.endpoint`: what they say.

This package looks at what the rest of the client hides behind its seams. So it imports httpx and
pika by itself, reads the environment as it is, and does without the client's patience.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gcompute.diagnosis.api import diagnose
    from gcompute.diagnosis.outcome import Check, State
    from gcompute.diagnosis.report import Report

__all__ = ["Check", "Report", "State", "diagnose"]

_MODULES = {"Check": "outcome", "Report": "report", "State": "outcome", "diagnose": "api"}


def __getattr__(name: str) -> Any:
    # The program imports the command for its help alone.
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
