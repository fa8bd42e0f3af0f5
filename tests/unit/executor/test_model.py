"""Executors in a world where everything fails, in any order.

The one invariant: every future ends exactly once, with its own result, or with
``SubmissionUncertain`` where the service could not tell; no task is made twice; and once the
faults stop, nothing waits for ever.
"""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from gcompute.executor.results import Transport
from tests.unit.executor.model import World

TRANSPORTS = st.sampled_from(["auto", "auto", "https", "amqp"])


class ExecutorsInAFaultyWorld(RuleBasedStateMachine):
    """Two processes, which may use one task group."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World(self._no_choice)

    def _no_choice(self, options: Any) -> Any:
        raise AssertionError("chosen outside of a rule")

    def teardown(self) -> None:
        """Stop the faults, and see everything end."""
        try:
            self.world.settle()
            self.world.judge()
        finally:
            self.world.close()

    def _by(self, data: st.DataObject) -> None:
        self.world.choose = lambda options: data.draw(st.sampled_from(options))

    @initialize(one=TRANSPORTS, other=TRANSPORTS)
    def start(self, one: Transport, other: Transport) -> None:
        """Start two."""
        self.world.start("ada", one)
        self.world.start("bob", other)

    @rule(data=st.data(), count=st.integers(1, 8))
    def anything(self, data: st.DataObject, count: int) -> None:
        """Anybody does something."""
        self._by(data)
        for _ in range(count):
            self.world.step()

    @rule(
        data=st.data(),
        who=st.integers(0, 1),
        payloads=st.lists(st.sampled_from("xy"), min_size=1, max_size=3),
    )
    def submit(self, data: st.DataObject, who: int, payloads: list[str]) -> None:
        """One of them submits."""
        self._by(data)
        self.world.processes[who].submit(payloads)

    @precondition(lambda self: self.world.tasks)
    @rule(who=st.integers(0, 1))
    def join(self, who: int) -> None:
        """One goes on in the task group of the other."""
        group = self.world.processes[1 - who].settings.task_group_id
        if group is not None:
            self.world.processes[who].settings.task_group_id = group

    @rule(data=st.data())
    def all_goes_well_for_a_while(self, data: st.DataObject) -> None:
        """Without faults, so that there is something that can break."""
        self._by(data)
        self.world.go_well(20)


TestExecutorsInAFaultyWorld = ExecutorsInAFaultyWorld.TestCase
TestExecutorsInAFaultyWorld.settings = settings(
    max_examples=60, stateful_step_count=15, deadline=None, suppress_health_check=list(HealthCheck)
)


#: Lives of a hundred steps that are tried, by their seeds; each takes some milliseconds.
_LIVES = 15


def _live(seed: int) -> None:
    """Have three processes do anything for a while; then see everything end."""
    draw = random.Random(seed)
    world = World(draw.choice)
    try:
        for name in ("ada", "bob", "cyd"):
            world.start(name, draw.choice(["auto", "auto", "https", "amqp"]))
        for _ in range(100):
            one, other = draw.sample(world.processes, 2)
            group = one.settings.task_group_id if draw.random() < 0.05 else None
            if group is not None:
                other.settings.task_group_id = group
            elif draw.random() < 0.2:
                world.go_well(5)
            else:
                world.step()
        world.settle()
        world.judge()
    finally:
        world.close()


@pytest.mark.parametrize("first", range(0, 10 * _LIVES, _LIVES))
def test_long_lives(first: int) -> None:
    """The same as above, longer, and with three: what takes many steps to go wrong."""
    for seed in range(first, first + _LIVES):
        try:
            _live(seed)
        except BaseException as error:
            error.add_note(f"the life of seed {seed}")
            raise
