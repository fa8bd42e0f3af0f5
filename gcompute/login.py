"""Who the user is, for a client that was given neither an app nor an authorizer.

``globus_sdk`` does the work: a ``ClientApp`` when client credentials are in the environment,
else a ``UserApp``, which prompts at the first request and keeps its tokens.
Source: ``docs/wire.md#addresses-and-identity``.
"""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterator
from typing import TYPE_CHECKING

from gcompute import environment
from gcompute.errors import AuthenticationFailed, ServiceUnreachable
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


@contextlib.contextmanager
def login_errors() -> Iterator[None]:
    """Translate what ``globus_sdk`` raises while it logs in or renews a token.

    Raises:
        ServiceUnreachable: Globus Auth gave no answer; trying again may help.
        AuthenticationFailed: a new login is needed, or a terminal to prompt on.
    """
    try:
        yield
    except Exception as error:
        import globus_sdk

        unavailable = isinstance(error, globus_sdk.NetworkError) or (
            isinstance(error, globus_sdk.GlobusAPIError) and error.http_status >= 500
        )
        message = f"Globus Auth gave no token: {error}"
        if unavailable:
            raise ServiceUnreachable(
                f"{message}; check the network, and try again later", sent=False
            ) from error
        if isinstance(error, globus_sdk.GlobusError | EOFError):
            raise AuthenticationFailed(http_status=401, message=message) from error
        raise


def require_scope(app: globus_sdk.GlobusApp) -> None:
    """Have an app ask for the service's scope; once, since this forgets its authorizers."""
    app.add_scope_requirements({COMPUTE_RESOURCE_SERVER: [COMPUTE_SCOPE]})


def app_authorizer(app: globus_sdk.GlobusApp) -> Authorizer:
    """Give the authorizer of an app for the service, logging in where that is needed.

    The app keeps it while its token lasts, so this may be called for each request.
    """
    return app.get_authorizer(COMPUTE_RESOURCE_SERVER)
