"""Functions through futures: see :class:`Executor`."""

from gcompute.executor.executor import Executor
from gcompute.executor.future import ComputeFuture

__all__ = ["ComputeFuture", "Executor"]
