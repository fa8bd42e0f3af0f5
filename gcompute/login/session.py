"""The login of one client.

::

    authorize()  --> the header, from the authorizer given or that of an app
    renew()      <-- the service refused the token (401)
    satisfy()    <-- the service demands another login (403 with a GARE)

:class:`Login` owns the app that it makes, not one that it was given. ``globus_sdk`` apps are not
made for threads: everything that touches the app happens under one lock, also the prompt, so
that many threads log in once and renew once. A thread that was refused says with which
authorization, and finds out whether another thread has a new one already.

What can fail is translated here (:mod:`gcompute.login.failures`); nothing that comes out shows a
token in its repr.
"""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from gcompute.errors import ComputeError
from gcompute.forking import tell_of_forks
from gcompute.login.apps import app_authorizer, default_app, require_scope
from gcompute.login.failures import Secret, login_errors, oauth_error
from gcompute.login.requirements import demanded_logins

if TYPE_CHECKING:
    import globus_sdk
    from globus_sdk.gare import GlobusAuthorizationParameters

_AUTH_RESOURCE_SERVER = "auth.globus.org"
#: How long closing waits for a request to Globus Auth that is under way, in seconds.
_CLOSE_S = 1.0


class Authorizer(Protocol):
    """What is needed of a ``globus_sdk`` authorizer."""

    def get_authorization_header(self) -> str | None:
        """Give the value of the header, renewing the token first where that is due."""

    def handle_missing_authorization(self) -> bool:
        """Renew a token that was refused; say whether repeating makes sense."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """What a request was sent with."""

    #: Value of the Authorization header, which its repr does not show; ``None`` for no header.
    header: str | None
    #: How many logins there had been.
    logins: int


class Login:
    """Says who the user is, on each request.

    Making one sends nothing and makes no file. Safe to use from many threads; any of its methods
    but :meth:`close` may prompt and wait for a person, and may ask Globus Auth.

    Args:
        environment_name: the Globus environment; default ``GLOBUS_SDK_ENVIRONMENT``.
        app: the app that logs in; default the one that the environment asks for.
        authorizer: has the token, in place of an app.

    Raises:
        ValueError: both an app and an authorizer are given.
        TypeError: one of them is something else, such as a token.
    """

    def __init__(
        self,
        environment_name: str | None = None,
        *,
        app: globus_sdk.GlobusApp | None = None,
        authorizer: Authorizer | None = None,
    ) -> None:
        if app is not None and authorizer is not None:
            raise ValueError("app and authorizer exclude each other: give one of them")
        # Said now, and without the value: what is given in an authorizer's place is often a token.
        if authorizer is not None and not hasattr(authorizer, "get_authorization_header"):
            raise TypeError(
                "authorizer must be an authorizer of globus_sdk, such as "
                f"globus_sdk.AccessTokenAuthorizer(token), not {type(authorizer).__name__}"
            )
        if app is not None and not hasattr(app, "get_authorizer"):
            raise TypeError(
                "app must be a globus_sdk.GlobusApp, such as globus_sdk.UserApp, not "
                f"{type(app).__name__}"
            )
        self._environment_name = environment_name
        self._authorizer = authorizer
        #: The app given, or the one made at the first request.
        self._app = app
        self._owns_app = app is None
        self._scope_required = False
        #: How often somebody or something was made to log in.
        self._logins = 0
        #: Held while the app is made, asked or logged in.
        self._lock = threading.Lock()
        tell_of_forks(self)

    def abandon(self) -> None:
        """Be usable in a forked process: whoever held the lock, in a request, is not there."""
        self._lock = threading.Lock()

    @property
    def app(self) -> globus_sdk.GlobusApp | None:
        """The app; ``None`` with an authorizer, and before one is made."""
        return self._app

    @property
    def authorizer(self) -> Authorizer | None:
        """The authorizer that was given."""
        return self._authorizer

    # -- on each request --------------------------------------------------------------------

    def authorize(self) -> Authorization:
        """Give the header for a request, logging in or renewing the token where that is due.

        Raises:
            LoginRequired: a login is needed, and nobody can be asked for it.
            AuthenticationFailed: Globus Auth refuses the login.
            ServiceUnreachable: Globus Auth gave no answer.
        """
        with self._lock, login_errors():
            return Authorization(self._header(), self._logins)

    def renew(self, refused: Authorization) -> bool:
        """Renew a token that the service refused; say whether repeating makes sense.

        Args:
            refused: what the request was sent with; where its header is not the present one,
                another thread has renewed the token.

        Raises:
            LoginRequired: as :meth:`authorize`, and so the others.
        """
        with self._lock, login_errors():
            if self._header() != refused.header:
                return True
            if not self._find_authorizer().handle_missing_authorization():
                return False
            # Renews it now, before the next thread asks.
            return self._header() is not None

    def satisfy(self, document: object, refused: Authorization) -> bool:
        """Log in as an answer demands; say whether repeating the request makes sense.

        Args:
            document: the decoded body of an answer with status 403.
            refused: what the request was sent with; where there has been a login since, the
                request is worth repeating before there is another.

        Raises:
            LoginRequired: as :meth:`authorize`, and so the others.
        """
        if self._authorizer is not None:
            return False
        demanded = demanded_logins(document)
        if not demanded:
            return False
        with self._lock, login_errors():
            if self._logins != refused.logins:
                return True
            app = self._ready_app()
            for parameters in demanded:
                self._prompt(app, parameters)
        return True

    # -- by the user's own wish -------------------------------------------------------------

    def login(
        self,
        *,
        force: bool = False,
        auth_params: GlobusAuthorizationParameters | None = None,
    ) -> None:
        """Log in where that is needed.

        Args:
            force: log in again also where it is not.
            auth_params: what the login must have, as ``globus_sdk`` takes it; implies ``force``.

        Raises:
            LoginRequired: as :meth:`header`, and so the others.
        """
        if self._authorizer is not None:
            _warn_of_authorizer("login")
            return
        with self._lock, login_errors():
            app = self._ready_app()
            if force or auth_params is not None or app.login_required():
                self._prompt(app, auth_params)

    def login_required(self) -> bool:
        """Tell whether the next request will need a login first; nobody is prompted."""
        if self._authorizer is not None:
            return False
        with self._lock, login_errors():
            return self._ready_app().login_required()

    def logout(self) -> None:
        """Revoke the tokens and remove them; the next request needs a login.

        With an authorizer there is nothing of ours to remove, and a warning says so.
        """
        if self._authorizer is not None:
            _warn_of_authorizer("logout")
            return
        with self._lock, login_errors():
            self._ready_app().logout()
            # An app remembers whose tokens it had, and would refuse another person.
            self._drop_app()

    def whoami(self) -> dict[str, Any]:
        """Tell who is logged in, logging in where that is needed.

        Returns:
            ``id`` of the identity, and ``username``, ``name``, ``email``: ``None`` where unknown.

        Raises:
            ComputeError: the client has an authorizer, whose token is for another service.
            LoginRequired: as :meth:`header`, and so the others.
        """
        if self._authorizer is not None:
            raise ComputeError(
                "an authorizer does not tell whose token it has: use an app, or ask who made it"
            )
        import globus_sdk

        with self._lock, login_errors():
            app = self._ready_app()
            self._header()
            client = globus_sdk.AuthClient(
                authorizer=app.get_authorizer(_AUTH_RESOURCE_SERVER),
                environment=app.config.environment,
            )
            try:
                return _identity(client)
            finally:
                client.close()

    def close(self) -> None:
        """Close the connections of the app that was made here. A later request makes another."""
        # Not while a prompt waits for a person, who may never come.
        if self._lock.acquire(timeout=_CLOSE_S):
            try:
                self._drop_app()
            finally:
                self._lock.release()

    # -- with the lock held -----------------------------------------------------------------

    def _ready_app(self) -> globus_sdk.GlobusApp:
        """Give the app, making it where there is none."""
        if self._app is None:
            try:
                self._app = default_app(self._environment_name)
            except OSError as error:
                raise ComputeError(
                    f"there is no folder for tokens ({error}): set GLOBUS_COMPUTE_USER_DIR to "
                    "one that can be written, or pass an authorizer"
                ) from error
        if not self._scope_required:
            require_scope(self._app)
            self._scope_required = True
        return self._app

    def _find_authorizer(self) -> Authorizer:
        if self._authorizer is not None:
            return self._authorizer
        return self._app_authorizer()

    def _app_authorizer(self) -> Authorizer:
        app = self._ready_app()
        _check_prompt(app)
        return app_authorizer(app)

    def _header(self) -> str | None:
        header = self._fetch_header()
        return None if header is None else Secret(header)

    def _fetch_header(self) -> str | None:
        if self._authorizer is not None:
            return self._authorizer.get_authorization_header()
        import globus_sdk

        try:
            return self._app_authorizer().get_authorization_header()
        except globus_sdk.AuthAPIError as error:
            app = self._app
            # A refresh token that was revoked, or not used for half a year.
            if oauth_error(error) != "invalid_grant" or not isinstance(app, globus_sdk.UserApp):
                raise
        self._prompt(app)
        return self._app_authorizer().get_authorization_header()

    def _prompt(
        self,
        app: globus_sdk.GlobusApp,
        auth_params: GlobusAuthorizationParameters | None = None,
    ) -> None:
        _check_prompt(app, certain=True)
        app.login(auth_params=auth_params, force=True)
        self._logins += 1

    def _drop_app(self) -> None:
        app = self._app
        if app is None or not self._owns_app:
            return
        self._app, self._scope_required = None, False
        app.close()
        app.token_storage.close()


def _check_prompt(app: globus_sdk.GlobusApp, *, certain: bool = False) -> None:
    """Raise where an app of the user's would prompt, and nobody can be asked.

    Args:
        app: the app.
        certain: whether a login follows in any case.
    """
    import globus_sdk

    from gcompute.login.prompt import asks_on_terminal, nobody_to_ask
    from gcompute.login.terminal import can_prompt

    if not isinstance(app, globus_sdk.UserApp) or not asks_on_terminal(app) or can_prompt():
        return
    if certain or app.login_required():
        raise nobody_to_ask()


def _identity(client: globus_sdk.AuthClient) -> dict[str, Any]:
    """Ask who a token stands for; a token for ``openid`` alone only tells the id."""
    info = client.userinfo()
    found = client.get_identities(ids=info["sub"])["identities"]
    identity = found[0] if found else {}
    return {
        "id": info["sub"],
        "username": info.get("preferred_username") or identity.get("username"),
        "name": info.get("name") or identity.get("name"),
        "email": info.get("email") or identity.get("email"),
    }


def _warn_of_authorizer(what: str) -> None:
    warnings.warn(
        f"{what} does nothing for a client that was given an authorizer: its token is not ours to "
        "get or to end",
        UserWarning,
        stacklevel=3,
    )
