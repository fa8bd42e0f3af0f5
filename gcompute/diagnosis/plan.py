"""Which checks there are, and which wait for which."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

from gcompute import environment
from gcompute.diagnosis import account, endpoint, logs, network, queues, settings, software, web
from gcompute.diagnosis import variables as environment_variables
from gcompute.diagnosis.facts import Facts, Route, Subject
from gcompute.diagnosis.outcome import Outcome
from gcompute.diagnosis.schedule import Step

_ADDRESSES = "addresses"


def steps(subject: Subject, facts: Facts) -> list[Step]:
    """Give all checks of a subject, from this machine to the endpoint."""
    patience_s = subject.patience_s
    with_token = ("service HTTP", "token")
    return [
        Step("versions", software.check_versions),
        Step("official SDK", software.check_official_sdk),
        Step("environment variables", environment_variables.check_variables),
        Step(_ADDRESSES, partial(settings.check_addresses, subject, facts)),
        Step("user folder", settings.check_user_dir),
        Step("proxies", environment_variables.check_proxies),
        *_way_to("service", facts, patience_s),
        Step(
            "service HTTP",
            lambda: web.check_service(_route(facts, "service"), facts, patience_s),
            needs=("service TLS",),
        ),
        Step("clock", partial(web.check_clock, facts), needs=("service HTTP",)),
        *_way_to("auth", facts, patience_s),
        Step(
            "Globus Auth HTTP",
            lambda: web.check_globus_auth(_route(facts, "auth"), patience_s),
            needs=("Globus Auth TLS",),
        ),
        Step("login", partial(account.check_login, subject, facts)),
        Step("token", partial(account.check_token, subject, facts), needs=_token_needs(subject)),
        Step(
            "identity",
            partial(account.check_identity, subject, facts),
            needs=("token", "Globus Auth HTTP"),
        ),
        Step("result queue access", partial(queues.check_access, subject, facts), with_token),
        Step(
            "result queue ports",
            partial(queues.check_ports, subject, facts),
            needs=(_ADDRESSES,),
            after=("result queue access",),
        ),
        Step(
            "result queue connection",
            partial(queues.check_connection, subject, facts),
            needs=("result queue access", "result queue ports"),
        ),
        Step(
            "endpoint status",
            partial(endpoint.check_status, subject, facts),
            needs=with_token,
            after=("result queue access",),
        ),
        Step(
            "endpoint Python",
            partial(endpoint.check_runtime, subject, facts),
            needs=with_token,
            after=("endpoint status",),
        ),
        Step("endpoint logs", lambda: logs.check_endpoint_logs(settings.user_dir())),
        Step(
            "local service logs",
            lambda: logs.check_service_logs(
                subject.state_dirs, settings.user_dir(), environment.local_state_dir()
            ),
        ),
    ]


def _way_to(to: Literal["service", "auth"], facts: Facts, patience_s: float) -> list[Step]:
    """Give the checks of the layers below HTTP."""
    title = "service" if to == "service" else "Globus Auth"

    def layer(check: Callable[[Route, float], Outcome]) -> Callable[[], Outcome]:
        return lambda: check(_route(facts, to), patience_s)

    return [
        Step(f"{title} DNS", lambda: network.check_dns(_route(facts, to)), needs=(_ADDRESSES,)),
        Step(f"{title} TCP", layer(network.check_tcp), needs=(f"{title} DNS",)),
        Step(f"{title} TLS", layer(network.check_tls), needs=(f"{title} TCP",)),
    ]


def _route(facts: Facts, to: Literal["service", "auth"]) -> Route:
    route: Route | None = getattr(facts, to)
    assert route is not None, "steps that need a route need the addresses"
    return route


def _token_needs(subject: Subject) -> tuple[str, ...]:
    """Name what a token needs: an authorizer may have one without Globus Auth."""
    return ("login",) if subject.authorizer is not None else ("login", "Globus Auth HTTP")
