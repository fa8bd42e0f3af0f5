"""From a call to the arguments of an httpx request, by the generated bindings.

Operations are imported when they are first called, which keeps ``import gcompute`` light.
"""

from __future__ import annotations

import enum
import functools
import importlib
import typing
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import httpx

from gcompute.calls import Call


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
    return importlib.import_module(f"gcompute_api.api.{name}")


def build_request(call: Call) -> dict[str, Any]:
    """Give the arguments of the httpx request that makes a call.

    Raises:
        KeyError, ValueError, TypeError: the body or a parameter does not fit the operation.
    """
    operation = find_operation(call.operation)
    hints = operation._get_kwargs.__annotations__
    arguments = {name: _fit(value, hints[name]) for name, value in call.parameters.items()}
    if call.body is not None:
        arguments["body"] = _body_model(call.operation).from_dict(call.body)
    return operation._get_kwargs(**arguments)


def _fit(value: Any, hint: Any) -> Any:
    """Give text as the enumeration that a parameter wants, where it wants one."""
    for wanted in (hint, *typing.get_args(hint)):
        if isinstance(value, str) and isinstance(wanted, type) and issubclass(wanted, enum.Enum):
            return wanted(value)
    return value


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
        raise ValueError(f"base_url must be an http or https address, not {base_url!r}")
    return url
