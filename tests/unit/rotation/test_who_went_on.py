"""Whoever goes on with a run, takes it through a freeze or takes it back is not who asked for it: both are kept."""

from __future__ import annotations

import pytest

from rotation.control import verbs
from rotation.control.desk import run_id_of
from rotation.control.table import VERBS
from rotation.ledger.records import Run
from rotation.phases import Outcome, phase_named
from tests.model.world import NAME, OVERLAP_S, PERSON, World

BOB = {"requested_by": "arn:bob", "reason": "it leaked, and the freeze lasts until Monday"}
RUN = run_id_of("arn:2")


@pytest.fixture
def world() -> World:
    """A rotation that somebody asked for, which the kill switch stopped; the switch is off again."""
    made = World()
    assert made.rotate("arn:1") == "succeeded"
    made.clock.advance(1)
    for name in ("claim", "prepare"):
        assert made.enter(phase_named(name), "arn:2")[0] == Outcome.PASSED
    made._end("record_halt", phase_named("promote"), "kill_switch", made.given("arn:2"))
    return made


def follow(world: World) -> None:
    """As `World.follow`, with the reason that each execution was started for."""
    for machine, name, given in world.machines.started:
        world.walk(machine, f"arn:{name}", **{word: given[word] for word in ("resume", "flags", *BOB)})
    world.machines.started.clear()


def run(world: World) -> Run:
    listed, found = world.ledger.history(NAME)[1], world.ledger.run(RUN)[0]
    assert (listed.continued_by, listed.continued_why) == (found.continued_by, found.continued_why)
    return found


def audited(world: World) -> list[tuple[str, str, str, str]]:
    return [(one["verb"], one["actor"], one["reason"], one["about"]) for one in world.ledger.switchboard.audit()]


def test_breaking_the_glass_for_a_halted_run_keeps_who_did_and_why_beside_who_asked_for_it(world: World) -> None:
    world.ledger.switchboard.freeze(PERSON, [NAME], "2999-01-01T00:00:00Z")
    world.clock.advance(1)
    VERBS["resume"](world.desk, {"run_id": RUN, **BOB, "break_glass": True})
    follow(world)
    found = run(world)
    assert (found.status, found.requested_by, found.break_glass) == ("succeeded", "somebody", True)
    assert (found.continued_by, found.continued_why) == (BOB["requested_by"], BOB["reason"])
    assert audited(world)[0] == ("break_glass", BOB["requested_by"], BOB["reason"], NAME)


def test_undoing_a_run_keeps_who_did_and_why(world: World) -> None:
    world.clock.advance(1)
    verbs.rollback(world.desk, NAME, BOB)
    follow(world)
    found = run(world)
    assert (found.status, found.requested_by, found.continued_by) == ("undone", "somebody", BOB["requested_by"])
    assert audited(world)[0] == ("undo", BOB["requested_by"], BOB["reason"], NAME)


def test_a_run_that_ended_by_itself_was_continued_by_nobody(world: World) -> None:
    first = world.ledger.history(NAME)[0]
    assert (first.continued_by, first.continued_why, audited(world)) == ("", "", [])


def test_giving_up_a_retirement_keeps_who_did_beside_the_run(world: World) -> None:
    verbs.resume(world.desk, RUN, BOB)
    follow(world)
    world.clock.advance(OVERLAP_S)
    world.enter(phase_named("gate"), "arn:r")
    verbs.rollback(world.desk, NAME, BOB)
    ended = world.ledger.history(NAME)[-1]
    assert (ended.machine, ended.status, ended.continued_by) == ("retire", "undone", BOB["requested_by"])
    assert ended.continued_why == BOB["reason"]
