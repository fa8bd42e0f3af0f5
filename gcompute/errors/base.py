"""The root of all errors, and how they are pickled."""

from __future__ import annotations

from typing import Any


class ComputeError(Exception):
    """The root of every error of this package."""

    def __reduce__(self) -> tuple[Any, ...]:
        # Exception.__reduce__ calls the class with self.args, which does not fit
        # constructors with keyword-only arguments: rebuild from the state instead.
        return _rebuild, (type(self), self.args, self.__dict__)


def _rebuild(cls: type[ComputeError], args: tuple[Any, ...], state: dict[str, Any]) -> ComputeError:
    error = cls.__new__(cls, *args)
    error.args = args
    error.__dict__.update(state)
    return error
