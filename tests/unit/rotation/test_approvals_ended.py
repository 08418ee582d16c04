"""Whatever becomes of a run that waits, nothing is left waiting: lost executions, switches, undoing, late events."""

from __future__ import annotations

import pytest
from approval_world import ASKED_BY, LEAD, ApprovalWorld

from rotation.control.desk import run_id_of
from rotation.control.table import VERBS
from rotation.phases import Outcome, phase_named
from tests.model.world import NAME

RUN, AGAIN = "arn:run", "arn:again"
WHO = {"reason": "test", "requested_by": ASKED_BY}


@pytest.fixture
def world() -> ApprovalWorld:
    return ApprovalWorld()


def resumed(world: ApprovalWorld, run_id: str) -> tuple[str, str]:
    """Another execution goes on with the run; what its claim says."""
    world.machines.alive.discard(RUN)
    world.machines.alive.add(AGAIN)
    return world.enter(phase_named("claim"), world.given(AGAIN, resume=run_id))


def test_a_rollback_ends_the_wait_and_the_run_is_undone_with_nothing_minted(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    begun = VERBS["rollback"](world.desk, {"secret": NAME, **WHO})
    assert begun == {"execution": RUN, "run_id": run_id, "kind": "undo"}
    assert world.go_on(RUN) == "undone"
    assert world.failure(run_id) == {"phase": "approve", "reason": "undo_asked"}
    assert (world.secret.values, world.listed(), world.ledger.head(NAME).run_id) == ([], [], "")


def test_a_run_that_was_agreed_to_before_is_not_taken_back_by_a_rollback_while_it_works(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    world.say("approve", run_id)
    with pytest.raises(Exception, match="claim_held"):
        VERBS["rollback"](world.desk, {"secret": NAME, **WHO})


def test_a_run_that_is_being_undone_cannot_be_agreed_to(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    VERBS["rollback"](world.desk, {"secret": NAME, **WHO})
    with pytest.raises(Exception, match="already_answered"):
        world.say("approve", run_id)


def test_an_execution_that_goes_on_with_a_run_waits_by_its_own_token_until_the_same_time(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    ends = world.listed()[0]["expires_at"]
    world.clock.advance(60)
    assert resumed(world, run_id)[0] == Outcome.APPROVAL
    world.wait(AGAIN, run_id)
    assert world.listed()[0]["expires_at"] == ends
    world.say("approve", run_id)
    assert [token for token, _ in world.tokens.answers] == [f"token of {AGAIN}"]
    assert world.go_on(AGAIN, resume=run_id) == "succeeded"


def test_an_attempt_whose_invocation_comes_late_takes_no_answer_from_the_one_that_waits(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    world.wait(RUN, run_id, token="the token of the attempt that waits")
    # the first one, which the machine had given up, ends only now
    world.wait(RUN, run_id)
    world.say("approve", run_id)
    heard = {token for token, said in world.tokens.answers if said["outcome"] == Outcome.PASSED}
    assert heard == {f"token of {RUN}", "the token of the attempt that waits"}


def test_an_answer_stands_for_whoever_goes_on_with_the_run(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    world.say("approve", run_id)
    assert resumed(world, run_id)[0] == Outcome.PASSED


def test_a_no_stands_too_and_is_told_to_the_execution_that_asks_again(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    world.say("deny", run_id)
    assert resumed(world, run_id)[0] == Outcome.APPROVAL
    world.wait(AGAIN, run_id)
    assert world.go_on(AGAIN, resume=run_id) == "failed"
    assert world.failure(run_id)["reason"] == "denied"


def test_an_execution_that_lost_its_run_is_told_so_and_takes_no_token(world: ApprovalWorld) -> None:
    run_id = world.begin(RUN)
    resumed(world, run_id)
    world.wait(AGAIN, run_id)
    world.wait(RUN, run_id)
    assert world.tokens.answers == [(f"token of {RUN}", {"outcome": "failed", "reason": "claim_lost"})]
    world.say("approve", run_id)
    assert world.tokens.answers[-1][0] == f"token of {AGAIN}"


def test_a_run_whose_place_another_took_cannot_be_answered_any_more(world: ApprovalWorld) -> None:
    lost = world.begin(RUN)
    world.machines.alive.discard(RUN)
    newer = world.begin(AGAIN)
    assert [one["run_id"] for one in world.listed()] == [newer]
    with pytest.raises(Exception, match="approval_unknown"):
        world.say("approve", lost)


def test_the_kill_switch_stops_what_was_agreed_to_before_its_first_step_and_the_answer_is_kept(
    world: ApprovalWorld,
) -> None:
    run_id = world.begin(RUN)
    world.engage()
    world.say("approve", run_id, LEAD)
    assert world.go_on(RUN) == "halted"
    assert world.secret.values == []
    world.release()
    world.machines.alive.discard(RUN)
    assert world.rotate(AGAIN, resume=run_id) == "succeeded"


def test_a_claim_that_is_asked_for_twice_still_waits(world: ApprovalWorld) -> None:
    world.begin(RUN)
    assert world.enter(phase_named("claim"), world.given(RUN, requested_by=ASKED_BY))[0] == Outcome.APPROVAL
    assert len(world.listed()) == 1


def test_a_run_that_waits_is_nobodys_to_take_over(world: ApprovalWorld) -> None:
    world.begin(RUN)
    world.clock.advance(1_200)
    world.sweep()
    assert world.machines.started == []
    assert world.ledger.head(NAME).run_id == run_id_of(RUN)
