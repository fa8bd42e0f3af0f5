"""The life of the connection: every state with every event."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gcompute.backoff import Backoff
from gcompute.executor.lifecycle import Action, Event, IllegalEvent, Lifecycle, State

#: What becomes of each state, written down once more: a change of the table must be meant.
EXPECTED = {
    ("IDLE", "NEEDED"): ("ASKING", "ASK"),
    ("IDLE", "UNNEEDED"): ("ENDED", None),
    ("ASKING", "GRANTED"): ("CONNECTING", "CONNECT"),
    ("ASKING", "NOT_GRANTED"): ("WAITING", "BACK_OFF"),
    ("ASKING", "REFUSED"): ("GAVE_UP", "GIVE_UP"),
    ("ASKING", "UNNEEDED"): ("ENDED", None),
    ("CONNECTING", "OPENED"): ("CONSUMING", "CONSUME"),
    ("CONNECTING", "LOST"): ("WAITING", "BACK_OFF"),
    ("CONNECTING", "UNNEEDED"): ("CLOSING", "CLOSE"),
    ("CONSUMING", "LOST"): ("WAITING", "BACK_OFF"),
    ("CONSUMING", "UNNEEDED"): ("CLOSING", "CLOSE"),
    ("WAITING", "WAITED"): ("ASKING", "ASK"),
    ("WAITING", "UNNEEDED"): ("ENDED", None),
    ("CLOSING", "OPENED"): ("CLOSING", "CLOSE"),
    ("CLOSING", "LOST"): ("ENDED", None),
    ("CLOSING", "UNNEEDED"): ("CLOSING", None),
    ("GAVE_UP", "UNNEEDED"): ("GAVE_UP", None),
    ("ENDED", "UNNEEDED"): ("ENDED", None),
}


def _life(state: State = State.IDLE) -> Lifecycle:
    life = Lifecycle(Backoff(draw=lambda: 1.0 - 2**-53))
    life.state = state
    return life


@pytest.mark.parametrize(("state", "event"), list(itertools.product(State, Event)))
def test_every_pair_is_in_the_table_or_illegal(state: State, event: Event) -> None:
    """What is illegal names both, and changes nothing."""
    life = _life(state)
    expected = EXPECTED.get((state.name, event.name))
    if expected is None:
        with pytest.raises(IllegalEvent, match=f"is {state.name} and cannot be told {event.name}"):
            life.handle(event, 0.0)
        assert life.state is state
        return
    action = life.handle(event, 0.0)
    assert (life.state.name, action.name if action else None) == expected


def test_every_state_is_reached_and_has_an_end() -> None:
    """From each there is a way to an end, so that a thread in it can end."""
    ways: dict[str, set[str]] = {}
    for (state, _), (target, _) in EXPECTED.items():
        ways.setdefault(state, set()).add(target)
    reached = {"IDLE"}
    for _ in State:
        reached |= {target for state in reached for target in ways[state]}
    assert reached == {state.name for state in State}
    for beginning in State:
        at, final = {beginning.name}, {"GAVE_UP", "ENDED"}
        for _ in State:
            at |= {target for name in at for target in ways[name]}
        assert at & final
        assert _life(beginning).over == (beginning.name in final)


@given(st.lists(st.integers(0, 7), max_size=60))
def test_it_counts_openings_and_failures(choices: list[int]) -> None:
    """Failures since it last consumed, openings for ever, whatever happens when."""
    life = _life()
    openings = failures = 0
    for now, choice in enumerate(choices):
        legal = [e for e in Event if (life.state.name, e.name) in EXPECTED and e.name != "UNNEEDED"]
        if not legal:
            break
        action = life.handle(legal[choice % len(legal)], float(now))
        openings += action is Action.CONSUME
        failures = 0 if action is Action.CONSUME else failures + (action is Action.BACK_OFF)
        assert (life.openings, life.failures) == (openings, failures)


def _waits(life: Lifecycle, events: list[tuple[Event, float]]) -> list[float]:
    waits = []
    for event, now in events:
        if life.handle(event, now) is Action.BACK_OFF:
            waits.append(round(life.wait_s, 3))
    return waits


def test_waits_grow_until_a_connection_was_good_for_long() -> None:
    """One that breaks at once, again and again, is no good one."""
    attempt = [Event.GRANTED, Event.OPENED, Event.LOST, Event.WAITED]
    quick = [(event, 0.0) for event in attempt]
    stable = [(Event.GRANTED, 100.0), (Event.OPENED, 100.0), (Event.LOST, 160.0)]
    life = _life()
    life.handle(Event.NEEDED, 0.0)
    assert _waits(life, quick * 3 + stable) == [0.5, 1.0, 2.0, 0.5]
    assert _waits(life, [(Event.WAITED, 161.0), (Event.NOT_GRANTED, 999.0)]) == [1.0]


@pytest.mark.parametrize(
    "failure",
    [[Event.NOT_GRANTED], [Event.GRANTED, Event.LOST]],
    ids=["no access", "no connection"],
)
def test_a_failure_is_never_the_last(failure: list[Event]) -> None:
    """For hours and days: each is followed by another attempt, in half a minute at most."""
    life = _life()
    life.handle(Event.NEEDED, 0.0)
    now = 0.0
    while now < 3 * 86_400.0:
        for event in failure:
            action = life.handle(event, now)
        assert action is Action.BACK_OFF
        assert life.wait_s <= 30.0
        now += life.wait_s
        assert life.handle(Event.WAITED, now) is Action.ASK
