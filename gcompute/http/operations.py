"""From a call to the arguments of an httpx request, by the generated bindings.

Operations are imported when they are first called, which keeps ``import gcompute`` light.
"""

from __future__ import annotations

import enum
import functools
import importlib
import io
import json
import typing
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import httpx

from gcompute.calls import Call
from gcompute.forking import no_fork

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class Operation(Protocol):
    """A module of the generated bindings: one operation of the service."""

    @property
    def __name__(self) -> str:
        """The module's import path."""

    @property
    def _get_kwargs(self) -> Callable[..., dict[str, Any]]:
        """Build the arguments of the httpx request."""

    @property
    def _parse_response(self) -> Callable[..., Any]:
        """Turn an httpx response into the generated model of its status."""


class Model(Protocol):
    """A generated model."""

    def to_dict(self) -> dict[str, Any]:
        """Give the JSON object."""


@functools.cache
def find_operation(name: str) -> Operation:
    """Import an operation, named as ``tag.name``."""
    with no_fork:
        return importlib.import_module(f"gcompute_api.api.{name}")


def build_request(call: Call) -> dict[str, Any]:
    """Give the arguments of the httpx request that makes a call; the body is encoded already.

    Raises:
        TypeError: the operation has no such parameter.
        ValueError: a parameter or the body does not fit the operation, or is nothing that JSON
            can carry; the text names the parameter or the field.
    """
    operation = find_operation(call.operation)
    hints = operation._get_kwargs.__annotations__
    unknown = call.parameters.keys() - hints.keys()
    if unknown:
        raise TypeError(f"{call.operation} has no parameter {', '.join(sorted(unknown))}")
    arguments = {name: _fit(name, value, hints[name]) for name, value in call.parameters.items()}
    with no_fork:  # models import others where they use them
        if call.body is not None:
            arguments["body"] = _body(call.operation, call.body)
        request = operation._get_kwargs(**arguments)
    if "json" in request:
        request["content"] = _encoded(call.operation, request.pop("json"))
    return request


def _fit(name: str, value: Any, hint: Any) -> Any:
    """Give text as the enumeration that a parameter wants, where it wants one."""
    for wanted in (hint, *typing.get_args(hint)):
        if isinstance(value, str) and isinstance(wanted, type) and issubclass(wanted, enum.Enum):
            try:
                return wanted(value)
            except ValueError:
                known = ", ".join(repr(member.value) for member in wanted)
                raise ValueError(f"{name} must be one of {known}, not {value!r}") from None
    return value


def _body(operation: str, document: dict[str, Any]) -> Model:
    """Give a body as the operation's model."""
    try:
        return _body_model(operation).from_dict(document)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        wrong = _culprit(operation, document, error)
        why = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
        raise ValueError(f"{operation} cannot be sent this {wrong}: {why}") from error


def _culprit(operation: str, document: dict[str, Any], error: Exception) -> str:
    """Name the field that the model is against.

    That is the last, in the order in which the model reads them, without which it would say
    something else: without one that it cannot be without and reads earlier, it misses that one.
    """
    model = _body_model(operation)
    culprit = "document"
    if isinstance(error, KeyError) and error.args[0] in model.__annotations__.keys() - document:
        return culprit
    for name in [name for name in model.__annotations__ if name in document]:
        rest = {key: value for key, value in document.items() if key != name}
        try:
            model.from_dict(rest)
        except (AttributeError, KeyError, TypeError, ValueError) as other:
            if repr(other) == repr(error):
                continue
        culprit = name
    return culprit


def _encoded(operation: str, document: Any) -> bytes:
    """Encode a body, once for all attempts, piece by piece: the text is never there as a whole."""
    body = io.BytesIO()
    try:
        for piece in _JSON.iterencode(document):
            body.write(piece.encode())
        return body.getvalue()
    except (TypeError, ValueError) as error:
        raise ValueError(f"{operation} cannot be sent what JSON cannot carry: {error}") from error


def described(request: Mapping[str, Any]) -> str:
    """Name a request in a message: method and path."""
    return f"{request['method'].upper()} {request['url']}"


class _ModelClass(Protocol):
    def from_dict(self, src_dict: Mapping[str, Any]) -> Model: ...


@functools.cache
def _body_model(name: str) -> _ModelClass:
    model: _ModelClass = find_operation(name)._get_kwargs.__annotations__["body"]
    return model


def service_url(base_url: str) -> httpx.URL:
    """Check the address of a service.

    Raises:
        ValueError: it is no http(s) address.
    """
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL:
        url = httpx.URL("")
    if url.scheme not in ("http", "https") or not url.host:
        shown = base_url.rpartition("@")[2]  # a password may come before it
        raise ValueError(f"base_url must be an http or https address, not {shown!r}")
    return url
