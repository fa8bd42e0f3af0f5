"""The app for a client that was given neither an app nor an authorizer.

A ``ClientApp`` when client credentials are in the environment, else a ``UserApp``. Tokens are
kept where the official package keeps them, in the same format and under the same names, so that
each finds the logins of the other. Source: ``docs/wire.md#addresses-and-identity``.
"""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from gcompute import environment
from gcompute.protocol import COMPUTE_RESOURCE_SERVER, COMPUTE_SCOPE, NATIVE_CLIENT_ID

if TYPE_CHECKING:
    import globus_sdk

    from gcompute.login.session import Authorizer


def default_app(environment_name: str | None = None) -> globus_sdk.GlobusApp:
    """Make the app that the environment variables ask for. Nothing is sent, nobody prompted.

    Args:
        environment_name: the Globus environment; default ``GLOBUS_SDK_ENVIRONMENT``.

    Raises:
        ValueError: there is a client secret, but no client id.
        OSError: the folder for tokens cannot be used.
    """
    import globus_sdk

    from gcompute.login.prompt import TerminalLogin
    from gcompute.login.tokens import token_storage

    name = environment_name or environment.globus_environment()
    client_id, secret = environment.client_credentials()
    namespace = f"clientprofile/{name}/{client_id}" if secret else f"user/{name}"
    config = globus_sdk.GlobusAppConfig(
        request_refresh_tokens=True,
        token_storage=token_storage(environment.user_dir() / "storage.db", namespace),
        # A ClientApp asks nobody, and refuses to be told how.
        login_flow_manager=None if secret else TerminalLogin,
        # A service on this machine has no Globus Auth of its own, but by
        # GLOBUS_SDK_SERVICE_URL_AUTH, which counts in every environment.
        environment="production" if name == "local" else name,
    )
    if secret:
        return globus_sdk.ClientApp(
            platform.node(), client_id=client_id, client_secret=secret, config=config
        )
    return globus_sdk.UserApp(
        platform.node(), client_id=client_id or NATIVE_CLIENT_ID, config=config
    )


def require_scope(app: globus_sdk.GlobusApp) -> None:
    """Have an app ask for the service's scope; once, since this forgets its authorizers."""
    app.add_scope_requirements({COMPUTE_RESOURCE_SERVER: [COMPUTE_SCOPE]})


def app_authorizer(app: globus_sdk.GlobusApp) -> Authorizer:
    """Give the authorizer of an app for the service, logging in where that is needed.

    The app keeps it while its token lasts, so this may be called for each request.
    """
    return app.get_authorizer(COMPUTE_RESOURCE_SERVER)
