"""Requests that Globus Auth refuses, by the names that OAuth 2 has for the reasons."""

from __future__ import annotations


class AuthFailure(Exception):
    """A refused request.

    Attributes:
        http_status: the status of the answer.
        error: the reason's name. Source: RFC 6749, section 5.2.
    """

    def __init__(self, http_status: int, error: str, description: str) -> None:
        super().__init__(description)
        self.http_status = http_status
        self.error = error

    def body(self) -> dict[str, str]:
        """Give the body of the answer."""
        return {"error": self.error, "error_description": str(self)}


def invalid_request(description: str) -> AuthFailure:
    """Something is missing, or not as it should be."""
    return AuthFailure(400, "invalid_request", description)


def invalid_scope(scope: str) -> AuthFailure:
    """No resource server has this scope."""
    return AuthFailure(400, "invalid_scope", f"unknown scope {scope!r}")


def invalid_grant(description: str) -> AuthFailure:
    """A code or refresh token that is unknown, used, expired, revoked or another client's."""
    return AuthFailure(400, "invalid_grant", description)


def invalid_client() -> AuthFailure:
    """Not a client, or not its secret."""
    return AuthFailure(401, "invalid_client", "the client and its secret are not known here")


def invalid_token() -> AuthFailure:
    """A bearer token that is none of this service, or has not the scope."""
    return AuthFailure(401, "invalid_token", "the bearer token is not valid here")
