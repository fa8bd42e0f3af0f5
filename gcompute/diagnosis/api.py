"""The function that users call."""

from __future__ import annotations

import getpass
import os
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from gcompute.diagnosis.account import close_app
from gcompute.diagnosis.facts import Facts, Subject
from gcompute.diagnosis.outcome import Check
from gcompute.diagnosis.redaction import Redactor
from gcompute.diagnosis.report import Report
from gcompute.diagnosis.schedule import Ended, run_all
from gcompute.diagnosis.variables import passwords_in, secrets_in
from gcompute.ids import UUIDLike

if TYPE_CHECKING:
    import globus_sdk

    from gcompute.login import Authorizer

#: Characters of a line of a report; what goes beyond is cut off.
_LINE_LENGTH = 400


def diagnose(
    endpoint_id: UUIDLike | None = None,
    *,
    environment: str | None = None,
    base_url: str | None = None,
    auth_url: str | None = None,
    amqp_host: str | None = None,
    app: globus_sdk.GlobusApp | None = None,
    authorizer: Authorizer | None = None,
    login: bool = True,
    timeout_s: float = 5.0,
    state_dirs: Sequence[Path] | None = None,
) -> Report:
    """Find out what stands between this machine and a task's result.

    Looks at versions, settings, the login, the way to the service, to Globus Auth and to the
    result queues, an endpoint, and logs. Nobody is prompted, no task is sent, and the report has
    no secrets. Checks run side by side, and each is given up after its time; only those that
    need one another come one after the other.

    Args:
        endpoint_id: the endpoint to look at, if any.
        environment: the Globus environment; default ``GLOBUS_SDK_ENVIRONMENT``, else production.
        base_url: the address of the service, in place of ``environment``.
        auth_url: the address of Globus Auth; default that of ``globus_sdk``.
        amqp_host: the host of the result queues, for somebody who is not logged in; default the
            well-known one of a hosted service.
        app: the app that logs in; default the one that a client would use.
        authorizer: has the token, in place of ``app``.
        login: whether to use tokens; without, what needs one is left out.
        timeout_s: seconds that each check may take.
        state_dirs: folders of local services whose logs to show; default those of this user.

    Returns:
        The report: ``print`` it, or ask it for ``problems``.

    Raises:
        ValueError: ``app`` and ``authorizer`` are both given, or the time is not positive.
    """
    if app is not None and authorizer is not None:
        raise ValueError("app and authorizer exclude each other: give one of them")
    if not timeout_s > 0:
        raise ValueError(f"timeout_s must be positive, not {timeout_s}")
    subject = Subject(
        environment=environment,
        base_url=base_url,
        auth_url=auth_url,
        amqp_host=amqp_host,
        endpoint_id=endpoint_id,
        app=app,
        authorizer=authorizer,
        login=login,
        timeout_s=timeout_s,
        state_dirs=None if state_dirs is None else tuple(state_dirs),
    )
    return examine(subject)


def examine(subject: Subject) -> Report:
    """Run all checks of a subject, and redact what they say."""
    from gcompute.diagnosis.plan import steps  # brings httpx along

    facts = Facts(Redactor(home=_home(), user=_user()))
    facts.redactor.add(
        *secrets_in(os.environ), *passwords_in(subject.base_url or "", subject.auth_url or "")
    )
    made_at = datetime.now(UTC)
    try:
        ended = run_all(steps(subject, facts), limit_s=subject.timeout_s)
    finally:
        close_app(facts)
    # Only now, as a secret that one check learns may stand in what another found.
    return Report([_shown(one, facts.redactor) for one in ended], made_at)


def _shown(ended: Ended, redactor: Redactor) -> Check:
    outcome = ended.outcome
    # Lines are cut here, since half a secret would not be known as one.
    lines = redactor.text(outcome.found).split("\n")
    found = "\n".join(
        line if len(line) <= _LINE_LENGTH else f"{line[:_LINE_LENGTH]} [...]" for line in lines
    )
    return Check(
        name=ended.name,
        state=outcome.state,
        found=found,
        next_step=redactor.text(outcome.next_step),
        details=redactor.value(outcome.details),
        seconds=ended.seconds,
    )


def _home() -> Path | None:
    try:
        return Path.home()
    except RuntimeError:
        return None  # a process of a user without an account, as in containers


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""
