"""What a refused request demands of the next login.

A 403 may carry a Globus Auth Requirements Error (GARE): the scopes, policies or identities that
the login must have for the request to succeed. Source: ``docs/wire.md#addresses-and-identity``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from globus_sdk.gare import GlobusAuthorizationParameters


def demanded_logins(document: object) -> list[GlobusAuthorizationParameters]:
    """Read the logins that an answer demands, in their order; none where it is no GARE.

    Args:
        document: the decoded body of an answer with status 403.
    """
    if not isinstance(document, Mapping):
        return []
    from globus_sdk.gare import to_gares

    parts = document.get("errors")
    documents: list[Any] = [dict(document)]
    if isinstance(parts, list):
        documents += [part for part in parts if isinstance(part, dict)]
    demanded = []
    for gare in to_gares(documents):
        parameters = gare.authorization_parameters
        if parameters.session_message is None:
            reason = gare.extra.get("reason")
            parameters.session_message = reason if isinstance(reason, str) else None
        demanded.append(parameters)
    return demanded
