"""A bar that shows how many futures have ended, and how many of them badly.

``tqdm`` draws it, on standard error, in terminals and notebooks; where standard error is
neither, as in a batch job's log, nothing is shown.
"""

from __future__ import annotations

import concurrent.futures
from typing import Any


class ProgressBar:
    """Counts futures as they end.

    Args:
        total: how many there are.

    Raises:
        ImportError: tqdm is not installed.
    """

    def __init__(self, total: int) -> None:
        try:
            from tqdm.auto import tqdm
        except ImportError as error:
            raise ImportError(
                "progress=True needs tqdm, which is not installed: pip install 'gcompute[progress]'"
            ) from error
        self._failed = 0
        self._bar: Any = tqdm(total=total, unit="task", disable=None)

    def count(self, future: concurrent.futures.Future[Any]) -> None:
        """Count a future that has ended; a cancelled one counts as failed."""
        if has_failed(future):
            self._failed += 1
            self._bar.set_postfix(failed=self._failed, refresh=False)
        self._bar.update()

    def close(self) -> None:
        """Leave the bar as it is. May be called several times."""
        self._bar.close()


def has_failed(future: concurrent.futures.Future[Any]) -> bool:
    """Tell whether a future that has ended gives no result."""
    return future.cancelled() or future.exception(0) is not None
