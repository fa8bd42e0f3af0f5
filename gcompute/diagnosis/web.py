"""Checks of what web services say to somebody who has not logged in.

By httpx without retries: a diagnosis wants the first answer, also a bad one.
"""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime
from typing import Any

import httpx

from gcompute.diagnosis.facts import Facts, Route
from gcompute.diagnosis.network import error_text
from gcompute.diagnosis.outcome import Outcome, ok, problem, skipped, warning
from gcompute.errors import ServiceUnreachable
from gcompute.http import USER_AGENT
from gcompute.http.certificates import trusted
from gcompute.protocol import PROTOCOL_LEVEL

#: Seconds between two clocks that are worth a warning, and that break logins. A Date header has
#: whole seconds.
_WARN_SKEW_S = 30.0
_PROBLEM_SKEW_S = 300.0

_WRONG_ADDRESS = "Check the address: does a Globus Compute service answer there, or a login page?"


def check_service(route: Route, facts: Facts, patience_s: float) -> Outcome:
    """Ask the service for its version, without a token.

    Source: ``openapi/compute.yaml#/paths/~1v2~1version/get``.
    """
    started = time.time()
    answer = _get(f"{route.url}/v2/version", patience_s, service="all")
    if isinstance(answer, Outcome):
        return answer
    facts.clock_ahead_s = _clock_ahead(answer, (started + time.time()) / 2)
    details: dict[str, Any] = {"http_status": answer.status_code}
    if not answer.is_success:
        return _refusal(answer, details)
    try:
        versions = answer.json()
    except ValueError:
        versions = None
    if not isinstance(versions, dict):
        return warning("HTTP 200, but no versions in the answer", _WRONG_ADDRESS, **details)
    needed = versions.get("min_sdk_version")
    details |= {"api": versions.get("api"), "min_sdk_version": needed}
    details["min_ep_version"] = versions.get("min_ep_version")
    found = (
        f"HTTP {answer.status_code}, API {details['api']}; it takes clients from {needed} on "
        f"(ours is {PROTOCOL_LEVEL}), endpoints from {details['min_ep_version']} on"
    )
    if _is_older(PROTOCOL_LEVEL, needed):
        return problem(found, "Install a newer gcompute.", **details)
    return ok(found, **details)


def check_globus_auth(route: Route, patience_s: float) -> Outcome:
    """Ask Globus Auth for its public description.

    Source: OpenID Connect Discovery 1.0, section 4.
    """
    answer = _get(f"{route.url}/.well-known/openid-configuration", patience_s)
    if isinstance(answer, Outcome):
        return answer
    if answer.is_success:
        return ok(f"HTTP {answer.status_code}", http_status=answer.status_code)
    return _refusal(answer, {"http_status": answer.status_code})


def check_clock(facts: Facts) -> Outcome:
    """Compare this machine's clock with the service's."""
    ahead_s = facts.clock_ahead_s
    if ahead_s is None:
        return skipped("the service told no time", "Compare the clock by other means.")
    # What is below a second may be the way, or the header's whole seconds.
    if abs(ahead_s) < 1.5:
        return ok("agrees with the service's", ahead_s=round(-ahead_s, 1))
    direction = "behind" if ahead_s > 0 else "ahead of"
    found = f"{abs(ahead_s):.0f} s {direction} the service's"
    if abs(ahead_s) < _WARN_SKEW_S:
        return ok(found, ahead_s=round(-ahead_s, 1))
    step = "Set the clock, best by NTP: tokens and certificates are valid for a span of time."
    make = problem if abs(ahead_s) >= _PROBLEM_SKEW_S else warning
    return make(found, step, ahead_s=round(-ahead_s, 1))


def _get(url: str, patience_s: float, **parameters: str) -> httpx.Response | Outcome:
    """Ask once; give the answer, or the problem that there is none."""
    try:
        return httpx.get(
            url,
            params=parameters,
            headers={"User-Agent": USER_AGENT},
            timeout=patience_s,
            verify=trusted(httpx.URL(url)),
        )
    except httpx.TimeoutException:
        return problem(
            f"no answer within {patience_s:g} s",
            "The service is slow, or something on the way holds the answer back: try again, "
            "with more time (--timeout).",
        )
    except httpx.ProxyError as error:
        return problem(f"the proxy refuses: {error}", "Check HTTP_PROXY, HTTPS_PROXY and NO_PROXY.")
    except (httpx.HTTPError, httpx.InvalidURL, ImportError, ServiceUnreachable) as error:
        return problem(error_text(error), _WRONG_ADDRESS)


def _refusal(answer: httpx.Response, details: dict[str, Any]) -> Outcome:
    found = f"HTTP {answer.status_code} {answer.reason_phrase}"
    if answer.is_redirect:
        where = answer.headers.get("Location")
        return problem(f"{found}, moved to {where}", _WRONG_ADDRESS, **details)
    if answer.status_code == 429:
        return warning(found, "Send fewer requests; try again in a minute.", **details)
    if answer.status_code >= 500:
        step = "The service is in trouble, or a proxy before it: try again later."
        return problem(found, step, **details)
    return problem(found, _WRONG_ADDRESS, **details)


def _clock_ahead(answer: httpx.Response, now: float) -> float | None:
    """Give the service's clock minus ours, in seconds.

    Args:
        answer: has the service's time.
        now: ours, half way through the request.
    """
    try:
        # The header says the second that has begun: on average, half of it has passed.
        return parsedate_to_datetime(answer.headers["Date"]).timestamp() + 0.5 - now
    except (KeyError, ValueError):
        return None


def _is_older(version: str, needed: object) -> bool:
    from packaging.version import InvalidVersion, Version

    try:
        return needed is not None and Version(version) < Version(str(needed))
    except InvalidVersion:
        return False
