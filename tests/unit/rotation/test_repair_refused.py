"""Repair offers no action that control would refuse: it names what stands in the way, and what leads past it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from acknowledge_world import Replicas
from test_repair import WHO, current_refused

from rotation.control import repair, verbs
from rotation.control.diagnosis import SWEEP_IS_LATE
from rotation.errors import Refused
from rotation.policy import Freeze, Policy, Window
from tests.model.world import NAME, POLICY, ModelCatalogue, World

# The world's clock stands at midnight of the first of January.
HELD: dict[str, Policy] = {
    "outside the window": replace(POLICY, window=Window(opens=12, hours=1)),
    "a freeze in the policy": replace(
        POLICY, freezes=(Freeze(first="2026-01-01", last="2026-01-05", why="the turn of the year"),)
    ),
}


def under(world: World, policy: Policy) -> None:
    catalogue: Any = ModelCatalogue({NAME: policy})
    world.desk = replace(world.desk, catalogue=catalogue)


def first(world: World) -> dict[str, Any]:
    found: dict[str, Any] = repair.diagnose(world.desk, NAME)["diagnoses"][0]
    return found


def refused(world: World) -> Refused:
    with pytest.raises(Refused) as raised:
        repair.mend(world.desk, NAME, repair.diagnose(world.desk, NAME)["digest"], WHO)
    assert world.machines.started == []
    return raised.value


@pytest.mark.parametrize("why", HELD)
def test_a_rotation_that_the_policy_holds_is_no_safe_action_and_breaking_the_glass_is_named(
    world: World, why: str
) -> None:
    current_refused(world)
    under(world, HELD[why])
    one = first(world)
    assert (one["kind"], one["action"]) == ("current_not_accepted", None)
    assert why in one["says"]
    assert one["ask"] == (f"keyturn rotate {NAME} --break-glass --reason WHY",)
    assert why in refused(world).message
    verbs.rotate(world.desk, NAME, WHO, "break_glass")
    assert world.follow() == ["succeeded"]
    assert first(world)["kind"] == "healthy"


def test_a_rotation_over_an_open_overlap_is_no_safe_action_and_giving_the_target_its_value_back_mends_it(
    world: World,
) -> None:
    world.clock.advance(1)
    assert world.rotate("arn:2", flags="emergency") == "succeeded"
    world.machines.started.clear()
    lost = world.current()
    current_refused(world)
    one = first(world)
    assert (one["kind"], one["action"]) == ("current_not_accepted", None)
    assert "its overlap is open until" in one["says"]
    assert f"keyturn overlap close {NAME}" in one["ask"]
    assert "overlap is open" in refused(world).message
    world.target.tokens[lost["slot"]] = lost["token"]
    verbs.overlap_close(world.desk, NAME, WHO)
    assert world.follow() == ["succeeded"]
    assert first(world)["kind"] == "healthy"


def test_a_secret_that_no_policy_names_is_not_offered_a_rotation(world: World) -> None:
    world.clock.advance(1)
    world.rotate("arn:2")
    world.secret.values[0] = None
    current_refused(world)
    catalogue: Any = ModelCatalogue({})
    world.desk = replace(world.desk, catalogue=catalogue)
    assert first(world)["action"] is None


def test_a_retirement_that_waits_for_consumers_is_no_safe_action_and_they_are_named() -> None:
    world = Replicas()
    world.say("replica", world.old)
    world.over()
    world.clock.advance(SWEEP_IS_LATE.total_seconds() + 1)
    world.say("replica", world.old)
    one = first(world)
    assert (one["kind"], one["action"]) == ("overlap_overdue", None)
    assert "replica" in one["says"]
    assert one["ask"] == (f"keyturn consumers {NAME}", f"keyturn overlap close {NAME} --without-acknowledgements")
    refused(world)
    world.say("replica", world.new)
    assert first(world)["action"] == {"name": "retire", "says": first(world)["does"]}
    repair.mend(world.desk, NAME, repair.diagnose(world.desk, NAME)["digest"], WHO)
    assert world.follow() == ["succeeded"]
