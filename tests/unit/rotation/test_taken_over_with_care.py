"""Whoever continues, replaces or watches an unfinished run keeps what the run had got to."""

from __future__ import annotations

from dataclasses import replace

from rotation.contract import Version
from rotation.control import claims, starts
from rotation.control.desk import run_id_of
from rotation.control.signals import Finding
from rotation.ledger.ledger import LOOK_AFTER
from rotation.ledger.records import CLAIM, Run
from rotation.phases import Outcome, phase_named
from tests.model.world import NAME, OVERLAP_S, PERSON, World

RUN = run_id_of("arn:2")
EVER = "9999"
# the sweep looks then whether a claim's execution still runs
LOST_AFTER_S = LOOK_AFTER.total_seconds() + 1


def died_after(world: World, *phases: str, execution: str = "arn:2") -> None:
    """The execution is gone, and its record is missing."""
    for name in phases:
        assert world.enter(phase_named(name), execution)[0] == Outcome.PASSED


def run(world: World, run_id: str = RUN) -> Run:
    return world.ledger.run(run_id)[0]


def test_no_new_rotation_takes_the_place_of_a_lost_one_that_may_have_moved_readers(world: World) -> None:
    died_after(world, "claim", "prepare", "promote")
    new = world.current()
    assert world.rotate("arn:3") == "failed"
    assert run(world, run_id_of("arn:3")).failure["reason"] == "run_unfinished"
    assert (run(world).status, world.ledger.head(NAME).run_id) == ("running", RUN)
    assert world.current() == new


def test_no_new_retirement_takes_the_place_of_a_lost_one_that_may_have_revoked(world: World) -> None:
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    died_after(world, "gate", "retire", execution="arn:r")
    assert world.retire("arn:another") == "failed"
    assert world.ledger.head(NAME).run_id == run_id_of("arn:r")


def test_an_undoing_that_had_begun_is_gone_on_with_although_the_kill_switch_stops_what_goes_forward(
    world: World,
) -> None:
    old = world.current()
    died_after(world, "claim", "prepare", "promote")
    world.enter(phase_named("roll_back"), "arn:2")
    world.engage()
    claimed = claims.claim(world.desk, world.request("arn:3", resume=RUN))
    assert (claimed["outcome"], claimed["reason"], run(world).direction) == (Outcome.UNDO, "undo_begun", "back")
    assert world.current() == old


def test_no_run_is_continued_by_a_ledger_that_came_back_from_a_backup(world: World) -> None:
    died_after(world, "claim", "prepare")
    world.rows.table_id = "another table"
    claimed = claims.claim(world.desk, world.request("arn:3", resume=RUN))
    assert (claimed["outcome"], claimed["reason"]) == (Outcome.HALTED, "ledger_restored")
    assert (run(world).takeovers, world.ledger.head(NAME).execution) == (0, "arn:2")


def test_break_glass_is_alarmed_when_a_run_is_resumed_with_it(world: World) -> None:
    died_after(world, "claim", "prepare")
    world.ledger.switchboard.freeze(PERSON, [NAME], EVER)
    assert world.rotate("arn:3", resume=RUN, flags="break_glass") == "succeeded"
    assert Finding.BREAK_GLASS in world.told.findings


def test_a_run_that_was_halted_is_watched_no_more(world: World) -> None:
    died_after(world, "claim", "prepare")
    assert world.ledger.due(CLAIM, EVER) == [NAME]
    world._end("record_halt", phase_named("promote"), "kill_switch", world.given("arn:2"))
    assert run(world).status == "halted"
    assert world.ledger.due(CLAIM, EVER) == []


def test_a_halted_run_that_the_lagging_index_still_shows_is_not_resumed_by_the_sweep(world: World) -> None:
    died_after(world, "claim", "prepare")
    world.ledger.park(replace(run(world), status="halted"), watched=True)
    world.clock.advance(LOST_AFTER_S)
    assert world.ledger.due(CLAIM, world.ledger.now()) == [NAME]
    assert starts.sweep(world.desk) == []
    assert world.machines.started == []


def test_an_execution_that_fails_at_its_takeover_leaves_the_run_to_the_next_one(world: World) -> None:
    died_after(world, "claim", "prepare")
    given = world.given("arn:3", resume=RUN)
    assert world.enter(phase_named("claim"), given)[0] == Outcome.PASSED
    # the answer got lost, and so did those of the retries
    world._end("record_failure", phase_named("claim"), "claim_broke", given)
    assert (run(world).status, world.ledger.head(NAME).run_id) == ("running", RUN)
    assert world.rotate("arn:4", resume=RUN) == "succeeded"


def test_a_retirement_that_broke_off_between_its_proof_and_its_record_is_taken_up_again_by_the_sweep(
    world: World,
) -> None:
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    world.broken_store.add("dispose")
    assert world.retire("arn:r") == "stuck"
    assert world.ledger.head(NAME).run_id == run_id_of("arn:r")
    world.broken_store.clear()
    world.clock.advance(LOST_AFTER_S)
    assert starts.sweep(world.desk) == [NAME]
    assert world.follow() == ["succeeded"]
    retired = world.ledger.head(NAME).retired
    assert retired is not None
    assert (retired.old, retired.disposed) == (Version(id="1"), "destroyed")
