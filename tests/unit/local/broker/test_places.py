"""How many connections a user may have."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from pika import spec

from gcompute.local.broker.connection import State
from gcompute.local.broker.limits import BrokerLimits
from gcompute.local.broker.places import Places
from gcompute.local.broker.vhost import VirtualHost
from tests.unit.local.broker.test_connection import HELLO, Peer


def _fill(places: Places, user: str) -> int:
    count = 0
    while places.take(user):
        count += 1
    return count


def test_one_user_leaves_places_for_others() -> None:
    """Each takes what he can get, and the next one still gets some."""
    places = Places(BrokerLimits())
    assert [_fill(places, user) for user in ("ada", "bob", "eve")] == [400, 80, 16]


def test_who_is_alone_among_few_places_may_have_them_all() -> None:
    """There, one of them would be too large a share to keep back."""
    assert _fill(Places(BrokerLimits(max_connections=4)), "ada") == 4


@given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans())), st.integers(1, 20))
def test_no_more_places_are_taken_than_there_are(moves: list[tuple[str, bool]], most: int) -> None:
    """Whatever comes and goes."""
    places = Places(BrokerLimits(max_connections=most))
    taken = dict.fromkeys("abc", 0)
    for user, takes in moves:
        if takes:
            taken[user] += places.take(user)
        elif taken[user]:
            places.give_back(user)
            taken[user] -= 1
        assert {user: places.taken_by(user) for user in "abc"} == taken
        assert sum(taken.values()) <= most


def test_one_connection_too_many_of_a_user_is_506() -> None:
    """He is told how many he has; when one of them has ended, there is room."""
    limits = BrokerLimits(max_connections=10, max_share=1)
    vhost, places = VirtualHost(limits), Places(limits)
    peers = [Peer(vhost, limits, places).open() for _ in range(5)]
    refused = Peer(vhost, limits, places)
    _log_in(refused)
    close = refused.received()[-1]
    assert (close.NAME, close.reply_code) == ("Connection.Close", 506)
    assert "this user has 5 connections" in close.reply_text
    assert refused.connection.state is State.CLOSING
    refused.send(spec.Connection.CloseOk(), channel=0)
    peers.pop().connection.lost()
    again = Peer(vhost, limits, places)
    _log_in(again)
    assert again.connection.state is State.OPEN


def test_who_ends_twice_gives_one_place_back() -> None:
    """A connection that is closed, and then lost."""
    limits = BrokerLimits()
    places = Places(limits)
    first, second = (Peer(VirtualHost(), limits, places).open() for _ in range(2))
    first.connection.close(320, "CONNECTION_FORCED - enough")
    first.connection.lost()
    assert places.taken_by("ann") == 1
    second.connection.lost()
    assert places.taken_by("ann") == 0


def _log_in(peer: Peer) -> None:
    peer.connection.receive(HELLO)
    peer.send(spec.Connection.StartOk({}, "PLAIN", "\0ann\0pw"), channel=0)
    peer.send(spec.Connection.TuneOk(10, 4096, 0), channel=0)
    peer.send(spec.Connection.Open("/"), channel=0)
