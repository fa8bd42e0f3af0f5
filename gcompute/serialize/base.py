"""What a serialization strategy is.

A strategy turns one kind of Python object (callables, or everything else) into text and back.
The text starts with the strategy's identifier, two characters and a newline, by which a reader
finds the strategy again. Source: ``docs/wire.md#serialized-buffers``.
"""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from typing import Any, ClassVar

from gcompute.errors import DeserializationError, SerializationError

from .packing import pack_buffers, unpack_buffers

#: Two characters and a newline.
IDENTIFIER_LENGTH = 3


class SerializationStrategy(ABC):
    """Turns one kind of Python object into text and back.

    Subclass it for a strategy of your own: set ``identifier`` and ``for_code`` and implement
    both methods. Defining the class registers it for reading; an endpoint can only read it
    when the same class is installed there.
    """

    #: Identifier to the strategy that reads it. Filled when a subclass is defined.
    _registry: ClassVar[dict[str, SerializationStrategy]] = {}

    #: Two characters that no other strategy has, and a newline.
    identifier: ClassVar[str]
    #: Whether this strategy is for callables; otherwise for everything else.
    for_code: ClassVar[bool]
    #: Whether another minor version of Python can load what this writes.
    survives_versions: ClassVar[bool] = False

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if inspect.isabstract(cls) or "identifier" not in cls.__dict__:
            return
        if len(cls.identifier) != IDENTIFIER_LENGTH or cls.identifier[-1] != "\n":
            raise ValueError(
                f"{cls.__name__}.identifier must be two characters and a newline, "
                f"not {cls.identifier!r}"
            )
        taken = cls._registry.get(cls.identifier)
        if taken is not None and not _is_defined_again(cls, type(taken)):
            raise ValueError(
                f"identifier {cls.identifier!r} of {cls.__name__} is already used by "
                f"{type(taken).__name__}"
            )
        cls._registry[cls.identifier] = cls()

    @classmethod
    def find(cls, identifier: str) -> SerializationStrategy | None:
        """Give the strategy that reads an identifier (two characters and a newline)."""
        return cls._registry.get(identifier)

    @classmethod
    def get_cached_by_id(cls, identifier: str) -> SerializationStrategy | None:
        """Give the strategy that reads an identifier; the official name of :meth:`find`."""
        return cls.find(identifier)

    @classmethod
    def get_cached_by_class(cls, type_: type[SerializationStrategy]) -> SerializationStrategy:
        """Give the strategy that reads what a class writes.

        Raises:
            KeyError: the class has never been defined with an identifier.
        """
        return cls._registry[type_.identifier]

    @abstractmethod
    def serialize(self, data: Any) -> str:
        """Turn an object into text that starts with the identifier.

        Raises whatever the object's own serialization raises.
        """

    @abstractmethod
    def deserialize(self, payload: str) -> Any:
        """Turn a text that this strategy wrote back into the object."""

    def chomp(self, payload: str) -> str:
        """Strip the identifier off a text.

        Raises:
            DeserializationError: the text starts with something else.
        """
        if not payload.startswith(self.identifier):
            raise DeserializationError(
                f"{type(self).__name__} reads texts that start with {self.identifier!r}, "
                f"not with {payload[:IDENTIFIER_LENGTH]!r}"
            )
        return payload[IDENTIFIER_LENGTH:]


class ComboSerializationStrategy(SerializationStrategy, ABC):
    """Sends the work of several strategies along; the reader takes the first that loads."""

    #: The strategies to try, in the order in which a reader tries them.
    strategies: ClassVar[tuple[type[SerializationStrategy], ...]]

    def serialize(self, data: Any) -> str:
        """Pack the texts of all strategies that can handle the object.

        Raises:
            SerializationError: none can.
        """
        buffers: list[str] = []
        failures: list[Exception] = []
        for cls in self.candidates(data):
            try:
                buffers.append(self._registry[cls.identifier].serialize(data))
            except Exception as error:
                failures.append(error)
        if not buffers:
            raise SerializationError(
                f"none of {_names(self.strategies)} can serialize {brief(data)}"
            ) from ExceptionGroup("what each strategy says", failures)
        return self.identifier + self.join(buffers)

    def deserialize(self, payload: str) -> Any:
        """Load the first text that loads.

        Raises:
            DeserializationError: none does.
        """
        failures: list[Exception] = []
        for buffer in self.split(self.chomp(payload)):
            strategy = self.find(buffer[:IDENTIFIER_LENGTH])
            if strategy is None:
                continue
            try:
                return strategy.deserialize(buffer)
            except Exception as error:
                failures.append(error)
        raise DeserializationError(f"none of the texts of {type(self).__name__} loads here") from (
            ExceptionGroup("what each strategy says", failures) if failures else None
        )

    def candidates(self, data: Any) -> tuple[type[SerializationStrategy], ...]:
        """Give the strategies whose text would be of use for an object: all, unless overridden."""
        del data
        return self.strategies

    def join(self, buffers: list[str]) -> str:
        """Put the texts of the single strategies into one."""
        return pack_buffers(buffers)

    def split(self, joined: str) -> list[str]:
        """Take apart what :meth:`join` made."""
        return unpack_buffers(joined)


def brief(value: Any) -> str:
    """Describe a value in a line, whatever its ``repr`` does."""
    try:
        text = repr(value)
    except Exception:
        text = "(no repr)"
    return f"{text if len(text) <= 80 else text[:77] + '...'} ({type(value).__name__})"


def _is_defined_again(cls: type, earlier: type) -> bool:
    """Tell whether a class replaces itself: a notebook's cell was run again."""
    return (cls.__module__, cls.__qualname__) == (earlier.__module__, earlier.__qualname__)


def _names(classes: tuple[type, ...]) -> str:
    return ", ".join(cls.__name__ for cls in classes)
