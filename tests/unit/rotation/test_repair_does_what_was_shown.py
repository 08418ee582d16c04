"""A repair removes what was shown and nothing else, and of several findings shows first what decides about the rest."""

from __future__ import annotations

from rotation.contract import Fence
from rotation.control import repair
from rotation.control.desk import run_id_of
from rotation.control.diagnosis import SWEEP_IS_LATE
from rotation.phases import Outcome, phase_named
from rotation.value import SecretValue
from tests.model.world import NAME, OVERLAP_S, World

WHO = {"requested_by": "on-call", "reason": "alarm"}


def kinds(world: World) -> list[str]:
    return [one["kind"] for one in repair.diagnose(world.desk, NAME)["diagnoses"]]


def foreign(world: World, token: str) -> int:
    """A version that nobody of the ledger made."""
    return world.secret.add(SecretValue.of({"slot": "b", "token": token}))


def died_after_its_claim(world: World) -> None:
    assert world.enter(phase_named("claim"), "arn:x")[0] == Outcome.PASSED


def test_a_pending_version_that_came_after_the_one_that_was_shown_is_not_removed(world: World) -> None:
    world.secret.pending = foreign(world, "shown")
    started = repair.mend(world.desk, NAME, repair.diagnose(world.desk, NAME)["digest"], WHO)
    world.secret.pending = later = foreign(world, "came later")
    ((_, name, _),) = world.machines.started
    assert world.follow() == ["succeeded"]
    assert started["action"] == "clear"
    assert world.ledger.run(run_id_of(f"arn:{name}"))[1]["clear"].facts["cleared"] == "nothing"
    assert world.secret.pending == later
    assert world.secret.value(later)


def test_an_overlap_is_overdue_only_once_the_sweep_is_late(world: World) -> None:
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S + SWEEP_IS_LATE.total_seconds())
    assert SWEEP_IS_LATE.total_seconds() > 15 * 60, "two slots of the sweep, and its interval"
    assert kinds(world) == ["healthy"]
    world.clock.advance(1)
    assert kinds(world) == ["overlap_overdue"]


def test_an_unfinished_run_is_ended_before_anybody_judges_which_version_readers_should_get(world: World) -> None:
    died_after_its_claim(world)
    world.target.set("b", "somebody-elses", Fence(run_id="them", epoch=1), "apply")
    world.secret.current = foreign(world, "somebody-elses")
    assert kinds(world) == ["dead_claim"]


def test_a_restored_ledger_is_adopted_before_a_run_that_it_may_only_believe_unfinished(world: World) -> None:
    died_after_its_claim(world)
    world.rows.table_id = "another table"
    assert kinds(world)[0] == "ledger_restored"
