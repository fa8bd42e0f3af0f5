"""How long to go on trying to submit a batch that the service surely did not take.

Pure: told the time. A service that has answered before is waited for: it restarts, or a laptop
lid was closed. One that never answered is most likely a wrong address, and somebody waits to
hear that; where the request was sent and the answer broke off, some attempts more tell which.
"""

from __future__ import annotations

from gcompute.backoff import Backoff
from gcompute.errors import ComputeError, RateLimited, ServiceFailed, ServiceUnreachable

#: Seconds for which a service that has answered before is waited for.
_PATIENCE_S = 600.0

#: How often a batch is sent that the service answers with a failure of its own, or not to the end.
_MAX_FAILURES = 4


class Patience:
    """Decides about one request.

    Args:
        service_known: whether the service has answered before.
        backoff: says how long to wait between attempts.
    """

    def __init__(self, *, service_known: bool, backoff: Backoff | None = None) -> None:
        self._service_known = service_known
        self._backoff = backoff or Backoff(first_s=0.5, limit_s=15.0)
        #: When it failed first; ``None`` before.
        self._since: float | None = None
        self._failures = 0

    def after(self, error: ComputeError, now: float) -> float | None:
        """Give the seconds to wait before the next attempt; ``None`` to give up."""
        if self._since is None:
            self._since = now
        if isinstance(error, ServiceUnreachable) and (self._service_known or not error.sent):
            patient = self._service_known
        elif isinstance(error, ServiceFailed | ServiceUnreachable):
            self._failures += 1
            patient = self._failures < _MAX_FAILURES
        else:
            patient = isinstance(error, RateLimited)
        if not patient or now - self._since > _PATIENCE_S:
            return None
        return max(self._backoff.next_s(), getattr(error, "retry_after_s", None) or 0.0)
