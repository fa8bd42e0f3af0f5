"""Routing: which queues a key reaches."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.local.broker.exchange import Exchange, topic_matches

WORDS = st.lists(st.sampled_from(["a", "b", ""]), max_size=5).map(".".join)
PATTERNS = st.lists(st.sampled_from(["a", "b", "*", "#"]), max_size=5).map(".".join)


@pytest.mark.parametrize(
    ("pattern", "key", "expected"),
    [
        ("", "", True),
        ("", "a", False),
        ("a", "a", True),
        ("a", "ab", False),
        ("*", "a", True),
        ("*", "", False),
        ("*", "a.b", False),
        ("#", "", True),
        ("#", "a.b.c", True),
        ("a.#", "a", True),
        ("#.a", "b.a", True),
        ("a.*.#", "a", False),
        ("a.*.#", "a.b", True),
    ],
)
def test_topic_patterns(pattern: str, key: str, expected: bool) -> None:
    """Words, one word, any number of words."""
    assert topic_matches(pattern, key) is expected


@given(PATTERNS, WORDS)
def test_topic_patterns_agree_with_a_regular_expression(pattern: str, key: str) -> None:
    """An independent reading: each word with a dot before it."""
    parts = {"*": r"\.[^.]*", "#": r"(\.[^.]*)*"}
    words = pattern.split(".") if pattern else []
    expression = "".join(parts.get(word, r"\." + word) for word in words)
    dotted = "." + key if key else ""
    assert topic_matches(pattern, key) == bool(re.fullmatch(expression, dotted))


def test_many_hashes_do_not_take_exponential_time() -> None:
    """A pattern that backtracking would never finish."""
    assert not topic_matches(".".join(["#", "a"] * 30), ".".join("b" * 60))


def test_a_queue_is_named_once_however_often_it_matches() -> None:
    """Two patterns, one copy."""
    exchange = Exchange("e", "topic")
    exchange.bind("q", "a.*")
    exchange.bind("q", "#")
    assert exchange.route("a.b") == ["q"]


def test_unbinding_a_queue_leaves_the_others() -> None:
    """And an exchange without bindings is not in use."""
    exchange = Exchange("e", "direct")
    exchange.bind("one", "k")
    exchange.bind("two", "k")
    assert exchange.unbind_all("one")
    assert exchange.route("k") == ["two"]
    assert not exchange.unbind("one", "k")
    assert exchange.unbind("two", "k")
    assert not exchange.in_use
