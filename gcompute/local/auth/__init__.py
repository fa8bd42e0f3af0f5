"""The part of Globus Auth that a login to the local service needs.

::

    authorize page --(a user's token)-------> code --+
                                    client secret ---+--> tokens --> the web service
                                    refresh token ---+

In come OAuth 2 requests as ``globus_sdk`` sends them: authorization code with PKCE, client
credentials, refresh, revocation, and questions about identities. Out go tokens that the web
service of the same process takes for the identity that they belong to, until they expire or are
revoked.

Each user of the service has two identities that can log in: himself, and a client with a secret
for his programs. He proves who he is by his token of the service, as anybody on this machine can
reach the port.
"""

from __future__ import annotations

from .service import AuthService
from .web import auth_routes

__all__ = ["AuthService", "auth_routes"]
