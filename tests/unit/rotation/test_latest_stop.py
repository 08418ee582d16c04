"""A halted run says what stops it now, not what stopped it first; and it can be taken through a freeze."""

from __future__ import annotations

import pytest

from rotation.control import repair
from rotation.control.desk import run_id_of
from rotation.control.table import VERBS
from rotation.phases import Outcome, phase_named
from tests.model.world import NAME, PERSON, World

WHO = {"requested_by": "on-call", "reason": "go on"}
RUN = run_id_of("arn:2")


@pytest.fixture
def world() -> World:
    """A rotation that the kill switch stopped before it promoted; the switch is off again, and the secret is frozen."""
    made = World()
    assert made.rotate("arn:1") == "succeeded"
    made.clock.advance(1)
    for name in ("claim", "prepare"):
        assert made.enter(phase_named(name), "arn:2")[0] == Outcome.PASSED
    made._end("record_halt", phase_named("promote"), "kill_switch", made.given("arn:2"))
    made.ledger.switchboard.freeze(PERSON, [NAME], "2999-01-01T00:00:00Z")
    return made


def resume(world: World, **flags: bool) -> list[str]:
    VERBS["resume"](world.desk, {"run_id": RUN, **WHO, **flags})
    return world.follow()


def test_a_run_that_is_stopped_again_at_its_claim_records_what_stopped_it_then(world: World) -> None:
    assert resume(world) == ["halted"]
    run = world.ledger.run(RUN)[0]
    assert (run.failure, run.takeovers) == ({"phase": "promote", "reason": "frozen"}, 0)
    assert world.ledger.history(NAME)[-1].failure["reason"] == "frozen"


def test_repair_names_what_stops_the_run_now(world: World) -> None:
    one = repair.diagnose(world.desk, NAME)["diagnoses"][0]
    assert (one["kind"], one["action"]) == ("halted", None)
    assert one["says"].endswith("frozen stops it now")


def test_an_old_event_says_nothing_of_a_run_that_another_execution_has_taken_over(world: World) -> None:
    world.ledger.switchboard.unfreeze(PERSON, [NAME])
    assert resume(world) == ["succeeded"]
    before = world.ledger.run(RUN)[0]
    world._end("record_halt", phase_named("claim"), "frozen", world.given("arn:late", resume=RUN))
    assert world.ledger.run(RUN)[0] == before


def test_breaking_the_glass_takes_a_halted_run_through_a_freeze_and_is_kept(world: World) -> None:
    assert resume(world, break_glass=True) == ["succeeded"]
    assert world.ledger.run(RUN)[0].break_glass


def test_breaking_the_glass_takes_no_run_through_the_kill_switch(world: World) -> None:
    world.engage()
    assert resume(world, break_glass=True) == ["halted"]


def test_a_run_that_broke_the_glass_before_is_gone_on_with_through_a_freeze(world: World) -> None:
    world.engage()
    assert resume(world, break_glass=True) == ["halted"]
    world.release()
    assert resume(world, break_glass=True) == ["succeeded"]
