"""Breaking the glass passes a freeze; it cuts off no consumer that still uses the old credential."""

from __future__ import annotations

import pytest
from acknowledge_world import WHO, Replicas

from rotation.control.table import VERBS
from rotation.errors import Refused
from tests.model.world import NAME


@pytest.fixture
def world() -> Replicas:
    """One replica still uses the old credential; the overlap's time has passed."""
    made = Replicas()
    made.say("replica", made.old)
    made.over()
    return made


def test_a_retirement_that_breaks_the_glass_is_refused_while_a_consumer_is_behind(world: Replicas) -> None:
    with pytest.raises(Refused, match="not_acknowledged"):
        VERBS["retire"](world.desk, {"secret": NAME, "break_glass": True, **WHO})
    assert world.machines.started == []


def test_one_that_was_started_all_the_same_revokes_nothing(world: Replicas) -> None:
    assert world.retire("arn:r", flags="break_glass") == "failed"
    assert world.ledger.history(NAME)[-1].failure["reason"] == "not_acknowledged"
    assert [effect for effect in world.target.effects if effect.startswith("revoke")] == []
