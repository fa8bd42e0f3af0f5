"""Checks of one endpoint, by what the service knows of it."""

from __future__ import annotations

import contextlib
import platform
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from gcompute.diagnosis.facts import Facts, Subject
from gcompute.diagnosis.outcome import Outcome, ok, problem, refused, skipped, warning
from gcompute.diagnosis.software import installed_version
from gcompute.errors import ComputeError

if TYPE_CHECKING:
    from gcompute import Client

_NONE_GIVEN = ("none was given", "Name one to have it looked at: --endpoint ID.")
#: Counts of a status report that tell how busy an endpoint is. Source: ``docs/wire.md#messages``.
_COUNTS = ("total_workers", "idle_workers", "pending_tasks", "outstanding_tasks")


class _FixedToken:
    """An authorizer with one header: never renews it, and never asks anybody."""

    def __init__(self, header: str | None) -> None:
        self._header = header

    def get_authorization_header(self) -> str | None:
        return self._header

    def handle_missing_authorization(self) -> bool:
        return False


@contextlib.contextmanager
def client_of(facts: Facts) -> Iterator[Client]:
    """Open a client with the token that there is."""
    from gcompute import Client

    assert facts.service is not None
    client = Client(
        base_url=facts.service.url,
        authorizer=_FixedToken(facts.header),
        do_version_check=False,
        request_limit=None,
    )
    with client:
        yield client


def check_status(subject: Subject, facts: Facts) -> Outcome:
    """Say whether it is online."""
    if subject.endpoint_id is None:
        return skipped(*_NONE_GIVEN)
    if facts.token_refused:
        return skipped("not tried", "Solve first: result queue access.")
    try:
        with client_of(facts) as client:
            answer = client.get_endpoint_status(subject.endpoint_id)
    except (ComputeError, ValueError, TypeError) as error:
        return refused(error)
    facts.endpoint_known = True
    status = str(answer.get("status"))
    report: dict[str, Any] = answer.get("details") or {}
    counts = {name: report[name] for name in _COUNTS if report.get(name) is not None}
    said = [f"{count} {name.replace('_', ' ')}" for name, count in counts.items()]
    found = ", ".join([status, *said])
    if status != "online":
        return problem(
            found,
            "Start it on its machine: globus-compute-endpoint start NAME; its endpoint.log there "
            "says why it stopped. Tasks wait for it up to two weeks.",
            status=status,
            **counts,
        )
    return ok(found, status=status, **counts)


def check_runtime(subject: Subject, facts: Facts) -> Outcome:
    """Compare its Python with ours."""
    if subject.endpoint_id is None:
        return skipped(*_NONE_GIVEN)
    if not facts.endpoint_known:
        return skipped("not tried", "Solve first: endpoint status.")
    from gcompute.serialize import ComputeSerializer

    try:
        with client_of(facts) as client:
            answer = client.get_endpoint_metadata(subject.endpoint_id)
    except (ComputeError, ValueError, TypeError) as error:
        return refused(error)
    told = {**(answer.get("metadata") or {}), **answer}
    ours = {"python": platform.python_version(), "dill": installed_version("dill")}
    theirs = {"python": told.get("python_version"), "dill": told.get("dill_version")}
    details = {
        "ours": ours,
        "theirs": theirs,
        "endpoint_version": told.get("endpoint_version"),
    }
    found = f"agent {told.get('endpoint_version') or 'unknown'}" + "".join(
        f"; {name} {theirs[name] or 'not told'} there, {ours[name]} here"
        for name in ("python", "dill")
    )
    python = theirs["python"]
    if python and not ComputeSerializer().survives(platform.python_version(), str(python)):
        return warning(
            found,
            "Functions sent by dill may fail there, or give wrong results. Use the same minor "
            "version of Python, or Client(code_serialization_strategy="
            "gcompute.serialize.AllCodeStrategies(), data_serialization_strategy="
            "gcompute.serialize.JSONData()).",
            **details,
        )
    return ok(found, **details)
