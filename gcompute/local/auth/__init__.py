"""The part of Globus Auth that a login to the local service needs.

::

    authorize page --(the service's token)--> code --+
                                    client secret ---+--> tokens --> the web service
                                    refresh token ---+

In come OAuth 2 requests as ``globus_sdk`` sends them: authorization code with PKCE, client
credentials, refresh, revocation, and questions about identities. Out go tokens that the web
service of the same process takes for the identity that they belong to, until they expire or are
revoked.

Two identities can log in: the person who owns the service, and one client with a secret. The
person proves who he is by the service's own token, as anybody on this machine can reach the port.
"""

from __future__ import annotations

from .service import AuthService
from .web import auth_routes

__all__ = ["AuthService", "auth_routes"]
