"""A run in one process, walked from the table: what it leaves in store, target and ledger, however it ends."""

from __future__ import annotations

import pytest

from rotation.contract import Verdict, Version
from rotation.control import records
from rotation.control.desk import run_id_of
from rotation.errors import Denied, Throttled, Unavailable
from rotation.phases import Outcome, phase_named
from tests.model.world import NAME, OVERLAP_S, World


@pytest.fixture
def world() -> World:
    """A secret with its first value."""
    made = World()
    assert made.rotate("arn:first") == "succeeded"
    return made


def accepted(world: World) -> set[str]:
    return set(world.target.tokens.values())


def test_a_first_run_makes_the_first_value_and_opens_no_overlap() -> None:
    world = World()
    assert world.rotate("arn:1") == "succeeded"
    assert world.current()["token"] in accepted(world)
    assert world.ledger.head(NAME).overlap is None


def test_a_rotation_leaves_old_and_new_accepted_until_the_overlap_is_over(world: World) -> None:
    old = world.current()["token"]
    assert world.rotate("arn:2") == "succeeded"
    new = world.current()["token"]
    assert new != old
    assert accepted(world) == {old, new}
    overlap = world.ledger.head(NAME).overlap
    assert overlap is not None
    assert (overlap.old, overlap.new) == (Version(id="1"), Version(id="2"))


def test_retirement_leaves_the_old_one_refused_and_proves_it(world: World) -> None:
    old = world.current()["token"]
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    assert world.retire("arn:retire") == "succeeded"
    assert accepted(world) == {world.current()["token"]}
    assert old not in accepted(world)
    _, steps = world.ledger.run(run_id_of("arn:retire"))
    assert steps["prove"].facts["proof"] == "dead"
    assert (steps["prove"].facts["old_code"], steps["prove"].facts["new_code"]) == ("401", "200")
    assert steps["dispose"].facts["disposed"] == "destroyed"
    assert world.ledger.head(NAME).overlap is None


def test_an_overlap_is_not_ended_before_its_time(world: World) -> None:
    world.rotate("arn:2")
    before = accepted(world)
    world.clock.advance(OVERLAP_S - 1)
    assert world.retire("arn:early") == "failed"
    assert accepted(world) == before
    assert world.ledger.run(run_id_of("arn:early"))[0].failure["reason"] == "overlap_not_over"


def test_a_rotation_is_refused_while_an_overlap_is_open(world: World) -> None:
    world.rotate("arn:2")
    assert world.rotate("arn:3") == "failed"
    assert world.ledger.run(run_id_of("arn:3"))[0].failure == {"phase": "claim", "reason": "overlap_open"}


def test_a_failing_test_compensates_target_and_store_and_readers_never_saw_it(world: World) -> None:
    old = world.current()
    world.target.broken["probe"] = Verdict.REFUSED
    assert world.rotate("arn:2") == "failed"
    assert world.current() == old
    assert accepted(world) == {old["token"]}
    assert world.secret.pending is None
    run, _ = world.ledger.run(run_id_of("arn:2"))
    assert run.failure == {"phase": "prepare", "reason": "test_refused"}
    assert world.ledger.head(NAME).run_id == ""


def test_after_a_compensated_run_the_next_one_succeeds(world: World) -> None:
    world.target.broken["probe"] = Verdict.REFUSED
    world.rotate("arn:2")
    world.target.broken.clear()
    assert world.rotate("arn:3") == "succeeded"


def test_a_test_that_could_not_tell_is_a_failure_too(world: World) -> None:
    world.target.broken["probe"] = Verdict.UNPROVEN
    assert world.rotate("arn:2") == "failed"
    assert world.ledger.run(run_id_of("arn:2"))[0].failure["reason"] == "test_unproven"


def test_a_target_that_denies_the_authority_leaves_nothing_behind(world: World) -> None:
    old = world.current()
    world.target.broken["apply"] = Denied("target_denied", "no")
    assert world.rotate("arn:2") == "failed"
    assert world.current() == old
    assert world.secret.pending is None


def test_a_candidate_that_could_not_be_withdrawn_is_settled_by_the_next_run(world: World) -> None:
    world.target.broken = {"apply": Denied("target_denied", "no"), "withdraw": Denied("target_denied", "no")}
    assert world.rotate("arn:2") == "failed"
    left = world.ledger.run(run_id_of("arn:2"))[0]
    assert left.failure["not_undone"] == "withdraw abandon"
    assert world.secret.pending is not None
    assert world.rotate("arn:3") == "failed", "the authority is still refused"
    assert world.ledger.head(NAME).leftover == left.run_id
    world.target.broken.clear()
    assert world.rotate("arn:4") == "succeeded"
    assert world.secret.pending is None
    assert world.ledger.head(NAME).leftover == ""
    assert world.current()["token"] in accepted(world)


def test_the_candidate_of_an_execution_that_died_unrecorded_is_settled_by_the_next_run(world: World) -> None:
    for phase in ("claim", "prepare"):
        world.enter(phase_named(phase), "arn:2")
    assert world.secret.pending is not None
    assert world.rotate("arn:3") == "succeeded"
    assert world.secret.pending is None
    assert len(accepted(world)) == 2, "old and new, and nothing of the run that died"


def test_a_promoted_candidate_that_could_not_be_demoted_is_never_withdrawn_by_the_next_run(world: World) -> None:
    world.target.broken = {"check": Verdict.REFUSED}
    old = world.current()
    world.broken_store.add("demote")
    assert world.rotate("arn:2") == "stuck"
    assert world.ledger.head(NAME).leftover == ""
    assert world.current()["token"] in accepted(world)
    assert world.rotate("arn:3") == "failed", "a new run may not take the place of one that moved current"
    assert world.ledger.run(run_id_of("arn:3"))[0].failure["reason"] == "run_unfinished"
    world.broken_store.clear()
    assert world.rotate("arn:4", resume=run_id_of("arn:2")) == "failed"
    assert world.current() == old
    assert accepted(world) == {old["token"]}


def test_bad_health_after_promotion_rolls_store_and_target_back(world: World) -> None:
    old = world.current()
    world.target.broken["check"] = Verdict.REFUSED
    assert world.rotate("arn:2") == "failed"
    assert world.current() == old
    assert accepted(world) == {old["token"]}
    head = world.ledger.head(NAME)
    assert head.current == Version(id="1")
    assert head.overlap is None
    assert "not_undone" not in world.ledger.run(run_id_of("arn:2"))[0].failure


def test_health_that_cannot_be_seen_is_looked_at_as_often_as_the_table_says_and_then_fails(world: World) -> None:
    world.target.broken["check"] = Verdict.UNPROVEN
    assert world.rotate("arn:2") == "failed"
    run, steps = world.ledger.run(run_id_of("arn:2"))
    assert steps["health"].attempts == phase_named("bake").looks
    assert run.failure["reason"] == "health_unproven"


@pytest.mark.parametrize("passing", [Throttled("t", "slow"), Unavailable("u", "down")])
def test_what_may_pass_by_itself_is_raised_for_the_machine_to_retry_and_the_retry_goes_on(
    world: World, passing: Throttled | Unavailable
) -> None:
    world.target.broken["apply"] = passing
    with pytest.raises(type(passing)):
        world.rotate("arn:2")
    versions = len(world.secret.values)
    world.target.broken.clear()
    assert world.rotate("arn:2") == "succeeded"
    assert len(world.secret.values) == versions, "the retry minted again"


def test_the_whole_run_replayed_makes_one_version_and_one_target_change(world: World) -> None:
    world.rotate("arn:2")
    effects, versions, now = list(world.target.effects), len(world.secret.values), world.current()
    assert world.rotate("arn:2") == "succeeded"
    assert (world.target.effects, len(world.secret.values), world.current()) == (effects, versions, now)


def test_of_two_executions_at_once_one_is_refused(world: World) -> None:
    claimed, _ = world.enter(phase_named("claim"), "arn:2")
    world.machines.alive.add("arn:2")
    assert claimed == Outcome.PASSED
    assert world.enter(phase_named("claim"), "arn:3") == (Outcome.FAILED, "claim_held")


def test_the_claim_of_an_execution_that_runs_no_more_is_free(world: World) -> None:
    world.enter(phase_named("claim"), "arn:2")
    assert world.enter(phase_named("claim"), "arn:3") == (Outcome.PASSED, "")


def test_the_kill_switch_stops_promotion_and_the_run_is_compensated(world: World) -> None:
    old = world.current()
    for phase in ("claim", "prepare"):
        assert world.enter(phase_named(phase), "arn:2")[0] == Outcome.PASSED
    world.engage()
    assert world.enter(phase_named("promote"), "arn:2") == (Outcome.HALTED, "kill_switch")
    assert world.enter(phase_named("roll_back"), "arn:2")[0] == Outcome.PASSED
    assert world.current() == old
    assert accepted(world) == {old["token"]}
    assert world.secret.pending is None


def test_a_new_credential_that_is_not_accepted_saves_the_old_one(world: World) -> None:
    old = world.current()["token"]
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    world.target.tokens.pop(world.current()["slot"])
    assert world.retire("arn:retire") == "failed"
    assert old in accepted(world)
    assert world.ledger.run(run_id_of("arn:retire"))[0].failure["reason"] == "new_not_accepted"


def test_an_old_credential_that_was_refused_before_the_revoke_is_never_called_dead(world: World) -> None:
    slot = world.current()["slot"]
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    world.target.tokens.pop(slot)
    assert world.retire("arn:retire") == "succeeded"
    _, steps = world.ledger.run(run_id_of("arn:retire"))
    assert steps["prove"].facts["proof"] == "unproven"
    assert steps["prove"].facts["why"] == "the old one was refused before it was revoked"
    assert steps["dispose"].facts["disposed"] == "kept", "an old version without a proof is given up"
    assert world.ledger.head(NAME).overlap is None, "a secret that nobody could rotate any more"


def test_a_retirement_that_broke_off_after_the_revoke_is_finished_by_the_next_one(world: World) -> None:
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    world.target.broken["revoked"] = Verdict.UNPROVEN
    assert world.retire("arn:retire") == "failed"
    head = world.ledger.head(NAME)
    assert head.overlap is not None
    assert head.overlap.witnessed_by == run_id_of("arn:retire")
    world.target.broken.clear()
    assert world.retire("arn:again") == "succeeded"
    _, steps = world.ledger.run(run_id_of("arn:again"))
    assert steps["prove"].facts["proof"] == "dead"
    assert steps["witness"].facts["witnessed_by"] == run_id_of("arn:retire")


def test_an_old_credential_that_is_still_accepted_after_the_revoke_is_alive_and_stays_in_the_overlap(
    world: World,
) -> None:
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    world.target.broken["probe"] = Verdict.ACCEPTED
    assert world.retire("arn:retire") == "failed"
    run, steps = world.ledger.run(run_id_of("arn:retire"))
    assert (run.failure["reason"], steps["prove"].facts["proof"]) == ("old_alive", "alive")
    assert "dispose" not in steps
    assert world.ledger.head(NAME).overlap is not None


def test_the_cause_of_the_unexpected_is_kept_as_its_slug_alone(world: World) -> None:
    world.enter(phase_named("claim"), "arn:2")
    cause = '{"errorMessage": "Vault did not answer to somebody [vault_unavailable]", "errorType": "Unavailable"}'
    failure = {"phase": "prepare", "reason": "prepare_broke", "cause": cause}
    records.record_failure(world.ledger, world.request("arn:2"), failure)
    recorded = world.ledger.run(run_id_of("arn:2"))[0].failure
    assert recorded["cause"] == "vault_unavailable"
    assert "somebody" not in repr(recorded)


def test_a_run_that_was_refused_at_its_claim_says_who_asked_for_it_and_why(world: World) -> None:
    world.rotate("arn:2")
    assert world.rotate("arn:3") == "failed"
    run = world.ledger.run(run_id_of("arn:3"))[0]
    assert (run.requested_by, run.reason, run.secret) == ("somebody", "test", NAME)


def test_nothing_of_a_run_in_the_ledger_holds_a_value(world: World) -> None:
    values = [world.current()["token"]]
    world.rotate("arn:2")
    values.append(world.current()["token"])
    everything = repr(vars(world.rows))
    assert "arn:2" in everything
    assert not [v for v in values if v in everything]
