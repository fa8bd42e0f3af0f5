"""The login of one client: when it asks whom for what, from many threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from gcompute.errors import AuthenticationFailed, ComputeError, LoginRequired, ServiceUnreachable
from gcompute.login import Authorization, Login
from gcompute.login.session import Authorizer
from tests.support.scripted_service import StaticAuthorizer
from tests.unit.login.test_failures import refusal

GARE = {
    "code": "AuthorizationRequired",
    "authorization_parameters": {"session_required_policies": ["p"]},
}


class FakeApp:
    """An app like a program's: it logs in without a prompt."""

    def __init__(self) -> None:
        self.token = 0
        self.logged_in = False
        self.scopes: list[Any] = []
        #: The parameters of each login.
        self.logins: list[Any] = []
        self.closed = 0

    def add_scope_requirements(self, requirements: Any) -> None:
        """Note what is asked for."""
        self.scopes.append(requirements)

    def get_authorizer(self, resource_server: str) -> Authorizer:
        """Be the authorizer too, logged in."""
        self.logged_in = True
        return self

    def get_authorization_header(self) -> str:
        """Give the present token."""
        return f"Bearer token-{self.token}"

    def handle_missing_authorization(self) -> bool:
        """Renew the token."""
        self.token += 1
        return True

    def login_required(self) -> bool:
        """Say whether nobody is logged in."""
        return not self.logged_in

    def login(self, *, auth_params: Any, force: bool) -> None:
        """Note a login."""
        assert force
        self.logins.append(auth_params)
        self.logged_in = True
        self.token += 1

    def logout(self) -> None:
        """Forget the login."""
        self.logged_in = False

    def close(self) -> None:
        """Note the end."""
        self.closed += 1


@pytest.fixture
def app() -> Any:
    """An app."""
    return FakeApp()


def test_making_one_makes_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No app, no file, no error for credentials that nobody needs yet."""
    monkeypatch.setenv("GLOBUS_COMPUTE_USER_DIR", str(tmp_path / "tokens"))
    monkeypatch.setenv("GLOBUS_COMPUTE_CLIENT_SECRET", "half")
    login = Login()
    assert login.app is None
    assert not (tmp_path / "tokens").exists()
    login.close()


def test_an_app_and_an_authorizer_exclude_each_other(app: Any) -> None:
    """Two ways to log in at once are a mistake."""
    with pytest.raises(ValueError, match="app and authorizer exclude each other"):
        Login(app=app, authorizer=StaticAuthorizer())


@pytest.mark.parametrize("argument", ["app", "authorizer"])
def test_a_token_is_no_login(argument: str) -> None:
    """What cannot log in is refused at once; a token that was meant is not shown."""
    with pytest.raises(TypeError, match=f"{argument} must be .* globus_sdk.* not str") as caught:
        Login(**{argument: "canary"})  # type: ignore[arg-type]
    assert "canary" not in str(caught.value)


def test_half_the_credentials_are_named_at_the_first_request(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Both variables, and not the secret."""
    monkeypatch.delenv("GLOBUS_COMPUTE_CLIENT_ID", raising=False)
    monkeypatch.setenv("GLOBUS_COMPUTE_CLIENT_SECRET", "hush")
    with pytest.raises(ValueError, match=r"CLIENT_SECRET is set, .*CLIENT_ID is not") as refused:
        Login().authorize()
    assert "hush" not in str(refused.value)


def test_a_folder_that_is_none_is_an_error_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It says which variable to set."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("GLOBUS_COMPUTE_USER_DIR", str(tmp_path / "file"))
    with pytest.raises(ComputeError, match=r"no folder for tokens.*GLOBUS_COMPUTE_USER_DIR") as no:
        Login().authorize()
    assert isinstance(no.value.__cause__, OSError)


def test_an_app_is_told_the_scope_once(app: Any) -> None:
    """It forgets its authorizers each time."""
    login = Login(app=app)
    login.authorize()
    login.authorize()
    assert len(app.scopes) == 1


def test_the_header_does_not_show_itself(app: Any) -> None:
    """Neither by itself nor in what holds it."""
    for login in (Login(app=app), Login(authorizer=StaticAuthorizer("Bearer token-0"))):
        authorization = login.authorize()
        assert authorization.header == "Bearer token-0"
        assert "token-0" not in repr(authorization)
        assert "token-0" not in repr(login)


def test_an_authorizer_may_have_no_header() -> None:
    """As the one for nobody."""
    assert Login(authorizer=StaticAuthorizer(None)).authorize() == Authorization(None, 0)


# The token is refused


def test_a_token_that_another_thread_renewed_is_left_alone(app: Any) -> None:
    """The refused one is not the present one."""
    login = Login(app=app)
    old = login.authorize()
    assert login.renew(old) is True
    assert login.renew(old) is True
    assert login.authorize().header == "Bearer token-1"


def test_a_token_that_cannot_be_renewed_is_not_sent_again() -> None:
    """An authorizer with one token has no other."""
    login = Login(authorizer=StaticAuthorizer())
    assert login.renew(login.authorize()) is False


# The login is not enough


def test_a_login_is_made_as_demanded(app: Any) -> None:
    """With the parameters of the answer."""
    login = Login(app=app)
    assert login.satisfy(GARE, login.authorize()) is True
    assert [parameters.session_required_policies for parameters in app.logins] == [["p"]]


def test_each_demand_of_an_answer_is_met(app: Any) -> None:
    """One login after the other, then the request is worth repeating."""
    login = Login(app=app)
    assert login.satisfy({"errors": [GARE, GARE]}, login.authorize()) is True
    assert len(app.logins) == 2


def test_an_answer_that_demands_nothing_is_not_repeated(app: Any) -> None:
    """It is the service's refusal."""
    login = Login(app=app)
    assert login.satisfy({"code": "FORBIDDEN"}, login.authorize()) is False
    assert login.satisfy(None, login.authorize()) is False
    assert app.logins == []


def test_an_authorizer_cannot_log_in() -> None:
    """Its owner sees the refusal."""
    login = Login(authorizer=StaticAuthorizer())
    assert login.satisfy(GARE, login.authorize()) is False


def test_threads_that_are_refused_together_log_in_once(app: Any) -> None:
    """Also where the token changed for another reason in between."""
    login = Login(app=app)
    refused = [login.authorize() for _ in range(8)]
    login.renew(refused[0])
    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(lambda old: login.satisfy(GARE, old), refused))
    assert len(app.logins) == 1


# What Globus Auth says


@pytest.mark.parametrize(
    ("status", "expected"),
    [(502, ServiceUnreachable), (400, AuthenticationFailed), (401, AuthenticationFailed)],
)
def test_failures_are_errors_of_ours(status: int, expected: type[ComputeError]) -> None:
    """From every method that may ask; a program's login is not tried a second time."""

    class Failing(FakeApp):
        asked = 0

        def get_authorizer(self, resource_server: str) -> Authorizer:
            Failing.asked += 1
            raise refusal(status)

    failing: Any = Failing()
    login = Login(app=failing)
    refused = Authorization("Bearer old", 0)
    for attempt in (login.authorize, lambda: login.renew(refused), login.whoami):
        with pytest.raises(expected) as caught:
            attempt()
        assert not isinstance(caught.value, LoginRequired)
    assert Failing.asked == 3


# By the user's own wish


def test_a_login_that_is_not_needed_is_not_made(app: Any) -> None:
    """Unless it is forced, or must have something."""
    login = Login(app=app)
    assert login.login_required() is True
    login.login()
    assert login.login_required() is False
    login.login()
    assert len(app.logins) == 1
    login.login(force=True)
    parameters: Any = object()
    login.login(auth_params=parameters)
    assert app.logins == [None, None, parameters]


def test_an_app_of_the_users_is_not_closed(app: Any) -> None:
    """Neither by closing nor by logging out."""
    login = Login(app=app)
    login.login()
    login.logout()
    login.close()
    assert app.closed == 0
    assert login.app is app
    assert login.login_required() is True


@pytest.mark.parametrize("what", ["login", "logout"])
def test_an_authorizer_makes_logins_pointless(what: str) -> None:
    """A warning at the caller's line says so, and shows no token."""
    login = Login(authorizer=StaticAuthorizer("Bearer canary"))
    with pytest.warns(UserWarning, match=f"{what} does nothing for a client that") as caught:
        getattr(login, what)()
    assert caught[0].filename == __file__
    assert "canary" not in str(caught[0].message)
    assert login.login_required() is False


def test_an_authorizer_does_not_tell_who_has_it() -> None:
    """The error says what does."""
    with pytest.raises(ComputeError, match="use an app"):
        Login(authorizer=StaticAuthorizer()).whoami()


def test_closing_does_not_wait_for_a_person(app: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody who was asked and went away keeps no program from ending."""
    monkeypatch.setattr("gcompute.login.session._CLOSE_S", 0.01)
    asked, answered = threading.Event(), threading.Event()

    def ask(**_: Any) -> None:
        asked.set()
        assert answered.wait(10)

    monkeypatch.setattr(app, "login", ask)
    login = Login(app=app)
    thread = threading.Thread(target=login.login)
    thread.start()
    assert asked.wait(10)
    login.close()
    assert not answered.is_set()
    answered.set()
    thread.join(10)
    assert not thread.is_alive()
