"""Logins that a diagnosis looks at, where no service is needed for that."""

from __future__ import annotations

from pathlib import Path

import pytest

from gcompute.diagnosis import account, api
from gcompute.diagnosis.facts import Facts, Subject
from gcompute.diagnosis.outcome import State
from gcompute.diagnosis.redaction import Redactor
from tests.support.scripted_service import StaticAuthorizer


def test_the_token_of_an_authorizer_is_a_secret() -> None:
    """With and without the name of its scheme."""
    facts = Facts(Redactor())
    outcome = account.check_token(Subject(authorizer=StaticAuthorizer("Bearer canary")), facts)
    assert outcome.state is State.OK
    assert "canary" not in facts.redactor.text("Bearer canary, x-canary-x")


def test_an_authorizer_without_a_token_is_a_warning() -> None:
    """Some services need none."""
    outcome = account.check_token(Subject(authorizer=StaticAuthorizer(None)), Facts(Redactor()))
    assert outcome.state is State.WARNING


def test_an_authorizer_that_breaks_is_a_problem() -> None:
    """Whatever it raises: it is not ours."""

    class Broken(StaticAuthorizer):
        def get_authorization_header(self) -> str | None:
            raise RuntimeError("lost it")

    outcome = account.check_token(Subject(authorizer=Broken()), Facts(Redactor()))
    assert (outcome.state, outcome.found) == (State.PROBLEM, "lost it")
    assert outcome.next_step


def test_a_folder_that_cannot_be_made_is_a_problem(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The variable that names another one is said."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("GLOBUS_COMPUTE_USER_DIR", str(tmp_path / "file" / "below"))
    monkeypatch.setenv("GLOBUS_COMPUTE_CLIENT_ID", "50000000-0000-4000-8000-000000000005")
    monkeypatch.setenv("GLOBUS_COMPUTE_CLIENT_SECRET", "canary")
    facts = Facts(Redactor())
    outcome = account.check_login(Subject(), facts)
    account.close_app(facts)
    assert outcome.state is State.PROBLEM
    assert "GLOBUS_COMPUTE_USER_DIR" in outcome.next_step


def test_a_user_without_an_account_is_diagnosed(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in containers: neither a name nor a home is known."""

    def unknown() -> None:
        raise KeyError("getpwuid(): uid not found")

    def homeless() -> None:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("getpass.getuser", unknown)
    monkeypatch.setattr(Path, "home", homeless)
    assert (api._user(), api._home()) == ("", None)
    report = api.diagnose(environment="no such environment", login=False)
    assert report["user folder"].state is State.PROBLEM
    assert report["versions"].state is State.OK
