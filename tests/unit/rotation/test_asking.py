"""What an incident makes of the due row: by its time, by what is under way, by its pause, its group and its reader."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from incident_events import ROLE, read_call, trigger
from sweep_world import DAY, HOUR, MINUTE, SweepWorld, policy, row
from test_triggers import NAME, became, rotated, starts, watched

from rotation.control.enrolment import take_in


@pytest.fixture
def world() -> SweepWorld:
    made = SweepWorld(watched())
    made.clock.advance(DAY)
    return made


def at(moment: datetime) -> str:
    return moment.isoformat()


@pytest.mark.parametrize(("before_s", "outcome"), [(4, "started"), (6, "replaced")])
def test_clocks_that_differ_by_seconds_do_not_make_what_leaked_look_replaced(
    world: SweepWorld, before_s: int, outcome: str
) -> None:
    begun = world.clock.moment
    assert became(world, trigger()) == "started"
    world.end(NAME)
    rotated(world)
    world.clock.advance(MINUTE)
    late = trigger(id="finding-2", occurred_at=at(begun - timedelta(seconds=before_s)))
    assert became(world, late) == outcome


def test_a_leak_of_what_an_emergency_under_way_may_have_made_is_rotated_once_more_after_it(world: SweepWorld) -> None:
    assert became(world, trigger()) == "started"
    world.clock.advance(MINUTE)
    looked_at = row(world, NAME).due_at
    assert became(world, trigger(id="finding-2", occurred_at=at(world.clock.moment))) == "asked"
    assert row(world, NAME).due_at == looked_at, "when the run that is under way is looked after"
    world.end(NAME)
    assert world.look() == [NAME]
    assert starts(world) == [NAME, NAME]


def test_what_leaked_does_not_wait_for_the_pause_after_a_run_that_failed(world: SweepWorld) -> None:
    world.look()
    world.due_now(NAME)
    world.look()
    world.end(NAME, "failed", "store_down")
    assert row(world, NAME).not_before > world.desk.ledger.now()
    assert became(world, trigger(occurred_at=at(world.clock.moment))) == "started"


def test_what_leaked_before_the_sweep_has_seen_its_policy_joins_its_group_at_once() -> None:
    world = SweepWorld(watched(group="g"), policy("group/other", group="g"))
    assert became(world, trigger()) == "started"
    take_in(world.desk)
    assert world.desk.ledger.agenda.group("g").members == (NAME,)
    world.clock.advance(30 * DAY + HOUR)
    assert "group/other" not in world.look(), "its neighbour is under way"


def test_a_leak_that_a_declared_reader_found_is_a_leak() -> None:
    reader = f"{ROLE}/administrators"
    world = SweepWorld(watched(readers=(reader,)))
    assert became(world, read_call()) == "declared_reader"
    assert became(world, trigger(actor=reader)) == "started"
