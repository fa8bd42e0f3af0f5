"""Which resource server a scope belongs to, by how the scope is spelled."""

from __future__ import annotations

import re

from gcompute.protocol import COMPUTE_RESOURCE_SERVER, COMPUTE_SCOPE

from .failures import invalid_scope

AUTH_RESOURCE_SERVER = "auth.globus.org"

_OF_AUTH = frozenset({"openid", "email", "profile"})
_URN = re.compile(r"urn:globus:auth:scope:([^:]+):\w+")
_URL = re.compile(r"https://auth\.globus\.org/scopes/([^/]+)/\w+")


def by_resource_server(requested: str) -> dict[str, list[str]]:
    """Sort requested scopes by resource server, in the order of the request.

    Args:
        requested: scopes, separated by spaces. What one depends on, in brackets after it, is
            consented to with it and is no part of the answer.

    Raises:
        AuthFailure: a scope is spelled like none.
    """
    sorted_: dict[str, list[str]] = {}
    for scope in dict.fromkeys(_without_dependencies(requested).split()):
        sorted_.setdefault(_resource_server(scope), []).append(scope)
    return sorted_


def _resource_server(scope: str) -> str:
    if scope in _OF_AUTH:
        return AUTH_RESOURCE_SERVER
    if scope == COMPUTE_SCOPE:
        return COMPUTE_RESOURCE_SERVER
    match = _URN.fullmatch(scope) or _URL.fullmatch(scope)
    if match is None:
        raise invalid_scope(scope)
    return match[1]


def _without_dependencies(requested: str) -> str:
    """Drop what is in brackets, which may be nested."""
    kept, depth = [], 0
    for character in requested:
        depth += character == "["
        if not depth:
            kept.append(character)
        depth -= character == "]" and depth > 0
    return "".join(kept)
