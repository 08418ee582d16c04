"""An answer counts only in its time, and for a run that still has its secret."""

from __future__ import annotations

from dataclasses import replace

import pytest
from approval_world import APPROVED, EXPIRES_S, ApprovalWorld
from test_reminders import ReminderWorld

from rotation.errors import Refused
from rotation.phases import Outcome
from rotation.policy import Freeze
from tests.model.world import NAME, PERSON

RUN = "arn:run"
DAY_S = 86_400
FROZEN = replace(APPROVED, freezes=(Freeze(first="2026-01-02", last="2026-01-03", why="launch"),))


@pytest.fixture
def world() -> ApprovalWorld:
    return ApprovalWorld()


@pytest.mark.parametrize(("day", "cause"), [(0, ""), (1, "window_closed")], ids=["before the freeze", "in it"])
def test_a_run_of_the_sweep_does_not_begin_in_a_freeze_of_its_policy_although_it_is_agreed_to(
    day: int, cause: str
) -> None:
    assert FROZEN.approval
    world = ApprovalWorld(replace(FROZEN, approval=replace(FROZEN.approval, expires_s=3 * DAY_S)))
    run_id = world.begin(RUN, requested_by="sweep")
    world.clock.advance(day * DAY_S)
    said = world.say("approve", run_id)
    assert (said["outcome"], said["cause"]) == (Outcome.FAILED if cause else Outcome.PASSED, cause)


def newer_run(world: ApprovalWorld) -> None:
    """Another run has the secret; the record of the one before is missing."""
    world.ledger.amend(world.ledger.head(NAME), PERSON, run_id="another")


def test_a_run_whose_place_a_newer_one_took_is_listed_to_nobody(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    assert [one["run_id"] for one in world.listed()] == [run_id]
    newer_run(world)
    assert world.listed() == []


def test_a_person_is_reminded_no_more_by_a_run_whose_place_a_newer_one_took() -> None:
    world = ReminderWorld()
    run_id = world.begin(RUN)
    assert [one["run_id"] for one in world.listed_reminders()] == [run_id]
    newer_run(world)
    assert world.listed_reminders() == []


@pytest.mark.parametrize("verb", ["approve", "deny"])
def test_a_run_whose_place_a_newer_one_took_can_be_answered_no_more(world: ApprovalWorld, verb: str) -> None:
    run_id = world.begin(RUN)
    newer_run(world)
    with pytest.raises(Refused, match="approval_unknown"):
        world.say(verb, run_id)
    assert world.tokens.answers == []


def test_a_machine_that_asks_again_after_the_time_is_told_that_it_has_expired_and_people_are_not(
    world: ApprovalWorld,
) -> None:
    world.notices.taken = False
    run_id = world.begin(RUN)
    world.notices.said.clear()
    world.clock.advance(EXPIRES_S)
    world.wait(RUN, run_id)
    assert [said["reason"] for _, said in world.tokens.answers] == ["approval_expired"]
    assert world.notices.said == []
