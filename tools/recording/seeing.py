"""What users see in a scenario: values, errors and warnings, noted in order.

Both kinds of stages note by this, so that what the official user saw can be compared with what
ours see. An error is described by what both clients tell of it.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Json = Any


class Seeing:
    """The part of a stage that notes.

    Args:
        api_error: the client's class of errors that the service answers with.
        task_failed: its class for tasks that failed.
        others: its other errors.
    """

    def __init__(
        self,
        api_error: type[Exception],
        task_failed: type[Exception],
        others: tuple[type[Exception], ...],
    ) -> None:
        self._api_error = api_error
        self._task_failed = task_failed
        self._others = others
        #: What the user saw, in order.
        self.seen: list[dict[str, Json]] = []

    def note(self, name: str, value: Json) -> None:
        """Note what the user sees."""
        self.seen.append({name: value})

    def ending(self, call: Callable[[], Any]) -> Any:
        """Give what a call gives, or describe the error that it raises."""
        try:
            return call()
        except (self._api_error, self._task_failed, *self._others) as error:
            return self._describe(error)

    def raised(self, call: Callable[[], Any]) -> dict[str, Json]:
        """Describe the error that a call raises; it must raise one."""
        answers: list[Any] = []
        described = self.ending(lambda: answers.append(call()))
        assert not answers, f"expected an error, got {answers[0]!r}"
        assert isinstance(described, dict)
        return described

    @contextmanager
    def warned(self, name: str) -> Iterator[None]:
        """Note the warnings of a block."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            yield
        self.note(name, [str(warning.message) for warning in caught])

    def _describe(self, error: Any) -> dict[str, Json]:
        kind = type(error)
        if issubclass(kind, self._api_error):
            told = error.raw_json
            code = told.get("code") if isinstance(told, dict) else None
            return {"error": "api", "http_status": error.http_status, "code": code}
        if issubclass(kind, self._task_failed):
            return {"error": "TaskExecutionFailed", "remote": error.remote_data.splitlines()[-1:]}
        return {"error": kind.__name__}
