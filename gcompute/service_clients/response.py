"""The answer of an operation: its generated model, and the JSON it came as.

Passwords in addresses, as the answers about queues have them, are left out of ``str`` and
``repr``; they are in the values.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, ValuesView
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from gcompute.errors import ComputeAPIError
from gcompute.http import find_operation
from gcompute.http.answers import decode

if TYPE_CHECKING:
    import httpx

M = TypeVar("M", covariant=True)

#: A password in an address: ``amqps://user:password@host``.
_PASSWORD = re.compile(r"(//[^\s/:@\"]*:)[^\s/@\"]+(?=@)")


@dataclass(frozen=True, slots=True)
class _Decoded:
    """An answer as the generated parsers read it: decoded once, and a success of any kind."""

    content: Any
    status_code: int = 200

    def json(self) -> Any:
        return self.content


@dataclass(frozen=True, slots=True)
class _ParserSettings:
    """What the generated parsers ask of a client."""

    raise_on_unexpected_status: bool = True


class ComputeResponse(Generic[M]):
    """The successful answer of an operation.

    It reads like its JSON: ``response["task_group_id"]``, ``in``, ``get``, ``keys``, ``items``,
    ``values`` and iteration where that is an object; an index, ``len`` and iteration where it is
    a list.

    Args:
        operation: the operation that was answered, as ``tag.name``.
        response: the answer.
        reading: gives what :attr:`data` is to be, from the decoded JSON, where that is an object.

    Attributes:
        data: the decoded JSON, with the further names that document 000 of the reference has;
            ``None`` for an answer without a body.

    Raises:
        ComputeAPIError: the answer is no JSON.
    """

    def __init__(
        self,
        operation: str,
        response: httpx.Response,
        *,
        reading: Callable[[dict[str, Any]], Any] | None = None,
    ) -> None:
        # The response itself is not kept: its request has the token.
        self._operation = operation
        self._request = f"{response.request.method} {response.request.url.path}"
        self._status, self._reason = response.status_code, response.reason_phrase
        self._headers = response.headers
        self._content, self._encoding = response.content, response.encoding or "utf-8"
        self._decoded = decode(response, self._request)
        self.data: Any = self._decoded
        if reading is not None and isinstance(self._decoded, dict):
            self.data = reading(self._decoded)

    @cached_property
    def parsed(self) -> M:
        """The answer as the generated model; text, a list of models or ``None`` where it is that.

        Raises:
            ComputeAPIError: the answer lacks what the model cannot be without.
        """
        if self._decoded is None and not self._content:
            return None  # type: ignore[return-value]  # of operations that answer with nothing
        parse = find_operation(self._operation)._parse_response
        try:
            model: M = parse(client=_ParserSettings(), response=_Decoded(self._decoded))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ComputeAPIError(
                http_status=self.http_status,
                message=f"the answer does not fit its model: {type(error).__name__}: {error}; "
                "data has it as it came",
                raw_json=self._decoded if isinstance(self._decoded, dict) else None,
                request=self._request,
                headers=self.headers,
                text=self.text,
            ) from error
        return model

    # -- the answer of HTTP -----------------------------------------------------------------

    @property
    def http_status(self) -> int:
        """The HTTP status code."""
        return self._status

    @property
    def http_reason(self) -> str:
        """The phrase of the status, such as ``"OK"``."""
        return self._reason

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers; their names in any case."""
        return self._headers

    @property
    def content_type(self) -> str | None:
        """The media type, where the answer tells one."""
        return self.headers.get("Content-Type")

    @property
    def text(self) -> str:
        """The body as it came."""
        return self._content.decode(self._encoding, "replace")

    @property
    def binary_content(self) -> bytes:
        """The body as it came, in bytes."""
        return self._content

    # -- the JSON ---------------------------------------------------------------------------

    def __getitem__(self, key: str | int | slice) -> Any:
        """Give a field of an object, or an entry of a list.

        Raises:
            KeyError, IndexError: there is no such field or entry.
            TypeError: the answer is neither object nor list, or not what the key is for.
        """
        if isinstance(self.data, dict | list):
            return self.data[key]  # type: ignore[index]  # a wrong kind of key is the TypeError
        raise TypeError(f"the answer of {self._request} has no fields: it is {self.data!r:.200}")

    def get(self, key: str, default: Any = None) -> Any:
        """Give a field, or ``default`` where the answer has none of that name."""
        return self.data.get(key, default) if isinstance(self.data, dict) else default

    def __contains__(self, item: object) -> bool:
        """Tell whether there is such a field, or such an entry."""
        return isinstance(self.data, dict | list) and item in self.data

    def __iter__(self) -> Iterator[Any]:
        """Give the names of an object's fields, or the entries of a list."""
        return iter(self._collection())

    def __len__(self) -> int:
        """Count the fields of an object, or the entries of a list."""
        return len(self._collection())

    def __bool__(self) -> bool:
        """Tell whether there is anything in the answer; one without a body counts as true."""
        return self.data is None or bool(self.data)

    def keys(self) -> KeysView[str]:
        """Give the names of the fields."""
        return self._object().keys()

    def values(self) -> ValuesView[Any]:
        """Give the values of the fields."""
        return self._object().values()

    def items(self) -> ItemsView[str, Any]:
        """Give the fields, names and values."""
        return self._object().items()

    def _collection(self) -> dict[str, Any] | list[Any]:
        if isinstance(self.data, dict | list):
            return self.data
        raise TypeError(f"the answer of {self._request} is no object or list: {self.data!r:.200}")

    def _object(self) -> dict[str, Any]:
        if isinstance(self.data, dict):
            return self.data
        raise TypeError(f"the answer of {self._request} is no object: it has no names of fields")

    def __repr__(self) -> str:
        if isinstance(self.data, dict):
            content = f": {', '.join(self.data)}"
        else:
            content = f": {len(self.data)} entries" if isinstance(self.data, list) else ""
        return f"<ComputeResponse {self.http_status} of {self._request}{content}>"

    def __str__(self) -> str:
        """Give the JSON for people, without the passwords in addresses."""
        if self.data is None:
            return self.text
        shown = self.data if isinstance(self.data, str) else json.dumps(self.data, indent=2)
        return _PASSWORD.sub(r"\1***", shown)
