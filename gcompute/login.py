"""Who the user is, for a client that was given neither an app nor an authorizer.

``globus_sdk`` does the work: a ``ClientApp`` when client credentials are in the environment,
else a ``UserApp``, which prompts at the first request and keeps its tokens.
Source: ``docs/wire.md#addresses-and-identity``.
"""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from gcompute import environment
from gcompute.protocol import COMPUTE_RESOURCE_SERVER, COMPUTE_SCOPE, NATIVE_CLIENT_ID

if TYPE_CHECKING:
    import globus_sdk

    from gcompute.http import Authorizer


def default_app(environment_name: str | None = None) -> globus_sdk.GlobusApp:
    """Make the app that the environment asks for. Nothing is sent, nobody is prompted.

    Raises:
        ValueError: one half of the client credentials is missing.
    """
    import globus_sdk
    from globus_sdk.token_storage import SQLiteTokenStorage

    name = environment_name or environment.globus_environment()
    client_id, secret = environment.client_credentials()
    namespace = f"clientprofile/{name}/{client_id}" if secret else f"user/{name}"
    config = globus_sdk.GlobusAppConfig(
        request_refresh_tokens=True,
        token_storage=SQLiteTokenStorage(
            environment.user_dir() / "storage.db",
            namespace=namespace,
            connect_params={"check_same_thread": False},  # requests come from several threads
        ),
    )
    if secret:
        return globus_sdk.ClientApp(
            platform.node(), client_id=client_id, client_secret=secret, config=config
        )
    return globus_sdk.UserApp(
        platform.node(), client_id=client_id or NATIVE_CLIENT_ID, config=config
    )


def app_authorizer(app: globus_sdk.GlobusApp) -> Authorizer:
    """Give the authorizer of an app for the service, logging in where that is needed."""
    app.add_scope_requirements({COMPUTE_RESOURCE_SERVER: [COMPUTE_SCOPE]})
    return app.get_authorizer(COMPUTE_RESOURCE_SERVER)
