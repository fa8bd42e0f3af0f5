"""Plays a recording: the scenario's text, with our clients, and no network.

vcrpy answers each request with the recorded answer to the same one, once, and fails a request
that was not recorded. `Playback` says afterwards which these were, and which were never asked for.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import pytest
import vcr

from tools.recording import scenarios  # noqa: F401  # registers them
from tools.recording.cassette_format import for_vcr, load
from tools.recording.matching import MATCHERS, Request
from tools.recording.scenario import FAMILIES, INJECTED, SCENARIOS, Scenario
from tools.recording.scrubbing import BROKER

#: Before the names of recordings of the hosted service.
HOSTED = "hosted/"
CASSETTES = Path(__file__).parents[2] / "cassettes"
#: For what has bytecode in it, or is made again: the Python that recorded.
recorded_python = pytest.mark.skipif(
    sys.version_info[:2] != (3, 11), reason="recorded by Python 3.11, whose bytecode it has"
)


@dataclass(frozen=True)
class Recording:
    """A recorded scenario.

    Attributes:
        name: of scenario and file.
        given: what the scenario was given.
        seen: what its user saw, in order.
    """

    name: str
    path: Path
    given: dict[str, Any]
    seen: list[dict[str, Any]]
    interactions: list[dict[str, Any]]

    @property
    def injected(self) -> list[int]:
        """The answers that were given in the service's place, by status."""
        answers = [each["response"] for each in self.interactions]
        told = [(a["status"], a.get("json")) for a in answers]
        return [s for s, body in told if isinstance(body, dict) and body.get("code") == INJECTED]

    @property
    def to_wait_s(self) -> int:
        """How long answers tell clients to wait, all in all, in seconds."""
        told = [each["response"]["headers"].get("retry-after", 0) for each in self.interactions]
        return sum(map(int, told))

    @property
    def scenario(self) -> Scenario:
        """The script."""
        return SCENARIOS[self.name.removeprefix(HOSTED)]


def names_of(family: str) -> list[str]:
    """Name the recordings to play: all scenarios of a family, and those recorded elsewhere."""
    elsewhere = sorted((CASSETTES / HOSTED / family).glob("*.yaml"))
    return [
        *(name for name, each in SCENARIOS.items() if each.family == family),
        *(path.relative_to(CASSETTES).as_posix().removesuffix(".yaml") for path in elsewhere),
    ]


def every_name() -> list[str]:
    """Name all recordings to play."""
    return [name for family in FAMILIES for name in names_of(family)]


def recording(name: str) -> Recording:
    """Read a recording."""
    path = CASSETTES / f"{name}.yaml"
    tree = load(path.read_text("utf-8"))
    return Recording(name, path, tree["given"], tree["seen"], tree["interactions"])


@dataclass(frozen=True)
class _Amended:
    """Reads recordings, and changes them first."""

    change: Callable[[dict[str, Any]], dict[str, Any]]
    broker: str

    def deserialize(self, text: str) -> dict[str, Any]:
        """Give vcrpy what was recorded."""
        return for_vcr(self.change(load(text.replace(BROKER, self.broker))))


@dataclass(frozen=True)
class Playback:
    """What became of a recording while it was played.

    Attributes:
        cassette: vcrpy's.
        unknown: requests that were made and are not recorded. Where one was made in the background,
            the user may not have seen that it failed.
        order: the places in the recording of the requests that were made, in the order of these.
    """

    cassette: Any
    unknown: list[Request] = field(default_factory=list)
    order: list[int] = field(default_factory=list)

    @property
    def left(self) -> list[Request]:
        """The recorded requests that nobody made."""
        return [request for request, count in self._counted() if not count]

    @property
    def made(self) -> list[Request]:
        """Those that somebody did."""
        return [request for request, count in self._counted() if count]

    def _counted(self) -> Iterator[tuple[Request, int]]:
        for index, request in enumerate(self.cassette.requests):
            yield request, self.cassette.play_counts[index]


@contextmanager
def played(
    path: Path,
    change: Callable[[dict[str, Any]], dict[str, Any]] = lambda tree: tree,
    *,
    broker: str = BROKER,
) -> Iterator[Playback]:
    """Answer every request of the block from a recording.

    Args:
        path: the recording.
        change: amends it, where we do something else on purpose.
        broker: the address that stands in answers for that of the result queues.
    """
    player = vcr.VCR(record_mode="none")
    player.register_serializer("recording", _Amended(change, broker))
    for matcher in MATCHERS:
        player.register_matcher(matcher.__name__, matcher)
    match_on = [matcher.__name__ for matcher in MATCHERS]
    with player.use_cassette(str(path), serializer="recording", match_on=match_on) as cassette:
        playback, is_known = Playback(cassette), cassette.can_play_response_for

        def noted(request: Request) -> bool:
            known = bool(is_known(request))
            if not known:
                playback.unknown.append(request)
            return known

        play, one_at_a_time = cassette.play_response, threading.Lock()

        def played_response(request: Request) -> Any:
            with one_at_a_time:
                before = dict(cassette.play_counts)
                response = play(request)
                counts = cassette.play_counts.items()
                playback.order.extend(index for index, n in counts if n > before.get(index, 0))
            return response

        with (
            mock.patch.object(cassette, "can_play_response_for", noted),
            mock.patch.object(cassette, "play_response", played_response),
        ):
            yield playback


def named(request: Request) -> str:
    """Name a request by method and path."""
    return f"{request.method} {urlsplit(request.uri).path}"


def same(one: Request, other: Request) -> bool:
    """Tell whether two requests are the same by all that is compared."""
    try:
        for matcher in MATCHERS:
            matcher(one, other)
    except AssertionError:
        return False
    return True
