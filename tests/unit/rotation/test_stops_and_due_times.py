"""What stops runs, and when an overlap ends, is seen by the sweep as people have set it."""

from __future__ import annotations

from rotation.control import starts, verbs
from rotation.ledger.records import RETIRE, Overlap
from rotation.ledger.rows import Put
from rotation.ledger.switch import SWITCH
from tests.model.world import NAME, OVERLAP_S, World

WHO = {"requested_by": "on-call", "reason": "test"}


def overlap(world: World) -> Overlap:
    found = world.ledger.head(NAME).overlap
    assert found is not None
    return found


def test_a_switch_that_cannot_be_read_stops_what_the_sweep_would_start(world: World) -> None:
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    world.rows.write([Put(key=SWITCH, row={"engaged": "perhaps"})])
    assert world.ledger.switchboard.stopped(NAME) == "switch_unreadable"
    assert starts.sweep(world.desk) == []


def test_an_overlap_that_was_put_off_is_due_at_its_new_end_and_not_before(world: World) -> None:
    world.rotate("arn:2")
    before = overlap(world).retire_at
    verbs.overlap_extend(world.desk, NAME, WHO, 3_600)
    assert world.ledger.due(RETIRE, before) == []
    assert world.ledger.due(RETIRE, overlap(world).retire_at) == [NAME]


def test_an_overlap_that_was_closed_early_is_due_at_once(world: World) -> None:
    world.rotate("arn:2")
    assert world.ledger.due(RETIRE, world.ledger.now()) == []
    verbs.overlap_close(world.desk, NAME, WHO)
    assert world.ledger.due(RETIRE, world.ledger.now()) == [NAME]
