"""The matcher sees every change of a recorded request that matters, and no other."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from vcr.request import Request

from tests.recordings.playing import every_name, recording, same
from tools.recording.cassette_format import body_text

Json = Any
Place = tuple[str | int, ...]

#: Where the matcher may see nothing when a value becomes another one of its type.
BY_TYPE = (
    ("json", "meta", "python_version"),
    ("json", "user_runtime", "globus_sdk_version"),
    ("json", "user_runtime", "python_version"),
    ("json", "user_runtime", "python"),
    ("json", "user_runtime", "platform"),
)
#: Headers that it does not look at.
UNSEEN = ("accept", "x-globus-client-info")


def _request(recorded: Json) -> Request:
    headers = {name: [value] for name, value in recorded["headers"].items()}
    return Request(recorded["method"], recorded["uri"], body_text(recorded), headers)


def _matches(one: Json, other: Json) -> bool:
    return same(_request(one), _request(other))


def _places(value: Json, path: Place = ()) -> Iterator[Place]:
    """Give the place of each value of a request that has no others in it."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value)
    for key, each in items:
        if isinstance(each, dict | list) and each:
            yield from _places(each, (*path, key))
        else:
            yield (*path, key)


def _changed(recorded: Json, place: Place, value: Json) -> Json:
    changed = copy.deepcopy(recorded)
    *parents, last = place
    inner = changed
    for parent in parents:
        inner = inner[parent]
    inner[last] = value
    return changed


def _without(recorded: Json, place: Place) -> Json:
    changed = copy.deepcopy(recorded)
    *parents, last = place
    inner = changed
    for parent in parents:
        inner = inner[parent]
    del inner[last]
    return changed


def _at(recorded: Json, place: Place) -> Json:
    for key in place:
        recorded = recorded[key]
    return recorded


def _another(place: Place, value: Json) -> Iterator[Json]:
    """Give other values of the same type."""
    if place == ("uri",):
        parts = urlsplit(value)
        yield parts._replace(netloc="other.example.org").geturl()
        segments = parts.path.split("/")
        for index in range(1, len(segments)):
            altered = [*segments[:index], segments[index] + "x", *segments[index + 1 :]]
            yield parts._replace(path="/".join(altered)).geturl()
        yield parts._replace(query=parts.query + "&more=1").geturl()
        if parts.query:
            yield parts._replace(query="").geturl()
    elif place == ("headers", "user-agent"):
        if "globus-compute-sdk-" in value:
            yield value.replace("globus-compute-sdk-4", "globus-compute-sdk-3")
            yield value.replace("globus-compute-sdk-", "")
    elif isinstance(value, bool):
        yield not value
    elif isinstance(value, str):
        yield f"{value}x"
        yield from _other_payloads(value)
    elif isinstance(value, int):
        yield value + 1
    elif value is None:
        yield "something"
    else:
        yield ["x"] if isinstance(value, list) else {"x": "x"}


def _other_payloads(text: str) -> Iterator[str]:
    """Give packed values like those of a text, with another strategy or another payload."""
    head, _, rest = text.partition("\n")
    if head.isdecimal() and rest[2:3] == "\n":
        identifier, payload = rest[:2], rest[3:]
        yield f"{head}\n{'00' if identifier != '00' else '01'}\n{payload}"
        if identifier == "00":
            yield f"{head}\n11\n" + "1".ljust(int(head) - 3) + rest[int(head) :]


@pytest.mark.parametrize("name", every_name())
def test_a_changed_field_is_seen(name: str) -> None:
    """Each value of each recorded request in turn: changed, and left out."""
    altered = 0
    for interaction in recording(name).interactions:
        recorded = interaction["request"]
        assert _matches(recorded, recorded)
        for place in _places(recorded):
            told = f"{name}, {recorded['method']} {recorded['uri']}: {place}"
            if place[-1] in UNSEEN:
                assert _matches(_without(recorded, place), recorded), told
                continue
            of_the_machine = any(place[: len(each)] == each for each in BY_TYPE)
            for value in _another(place, _at(recorded, place)):
                altered += 1
                seen = not _matches(_changed(recorded, place, value), recorded)
                assert seen is not of_the_machine, f"{told} became {value!r}"
            if place not in (("method",), ("uri",), ("headers", "user-agent")):
                assert not _matches(_without(recorded, place), recorded), f"{told} was left out"
            if of_the_machine:
                assert not _matches(_changed(recorded, place, 1.5), recorded), f"{told}: its type"
    assert altered > 2


@pytest.mark.parametrize("name", every_name())
def test_a_field_more_is_seen(name: str) -> None:
    """In each object of each recorded body; and a body where there was none."""
    for interaction in recording(name).interactions:
        recorded = interaction["request"]
        if "json" not in recorded:
            assert not _matches({**recorded, "json": {}}, recorded)
            continue
        objects = {path[:depth] for path in _places(recorded) for depth in range(1, len(path))}
        for place in objects:
            if place[0] == "json" and isinstance(_at(recorded, place), dict):
                more = json.loads(json.dumps(_at(recorded, place))) | {"one-more": 1}
                assert not _matches(_changed(recorded, place, more), recorded), place


def test_the_order_of_keys_and_of_ids_means_nothing() -> None:
    """Neither is seen; the order of anything else is."""
    recorded = {
        "method": "POST",
        "uri": "https://compute.example.org/v2/batch_status?a=1&b=2",
        "headers": {"content-type": "application/json"},
        "json": {"task_ids": ["1", "2"], "tasks": {"f": ["p", "q"]}},
    }
    turned: Json = copy.deepcopy(recorded)
    turned["uri"] = "https://compute.example.org/v2/batch_status?b=2&a=1"
    turned["json"] = {"tasks": {"f": ["p", "q"]}, "task_ids": ["2", "1"]}
    assert _matches(turned, recorded)
    turned["json"]["tasks"]["f"].reverse()
    assert not _matches(turned, recorded)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"body": "{}"}),
        ({}, {"body": "null"}),
        ({"body": "{}"}, {"body": "[]"}),
        ({"body": "{}"}, {"body": '{"a": null}'}),
        ({"body": "{}"}, {"body": '{"a": "nothing"}'}),
        ({"body": '{"a": 1}'}, {"body": '{"a": 1.0}'}),
        ({"body": '{"a": 1}'}, {"body": '{"a": true}'}),
        ({"body": '{"a": 1}'}, {"body": '{"a": 2, "a": 1}'}),
        ({"body": '{"task_ids": ["1"]}'}, {"body": '{"task_ids": ["1", "1"]}'}),
        ({"uri": "https://x/a?b=1&b=2"}, {"uri": "https://x/a?b=2&b=1"}),
        ({"uri": "https://x/a?b=1"}, {"uri": "https://x/a?b=1&b=1"}),
        ({"uri": "https://x/a?b="}, {"uri": "https://x/a"}),
        ({"uri": "https://x/a/b"}, {"uri": "https://x/a%2Fb"}),
        ({"headers": {"content-type": "application/json"}}, {}),
        ({"headers": {"content-encoding": "gzip"}}, {}),
        ({"headers": {"x-another": "1"}}, {"headers": {"x-another": "2"}}),
    ],
)
def test_what_is_alike_is_not_the_same(one: Json, other: Json) -> None:
    """Neither way round: bodies, queries, paths and headers that a service may tell apart."""
    common: Json = {"method": "POST", "uri": "https://x/a", "body": None, "headers": {}}
    mine, theirs = (Request(**common | each) for each in (one, other))
    assert same(mine, mine)
    assert not same(mine, theirs)
    assert not same(theirs, mine)
