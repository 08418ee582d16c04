"""An overlap is not ended early while something stops runs: the refusal leaves its end where it was."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rotation.control import starts, verbs
from rotation.errors import Halted
from rotation.ledger.switch import Switchboard
from tests.model.world import NAME, OVERLAP_S, PERSON, World

WHO = {"requested_by": "on-call", "reason": "nobody uses it"}
STOPS: dict[str, Callable[[Switchboard], object]] = {
    "kill_switch": lambda board: board.set(PERSON, engaged=True),
    "report_only": lambda board: board.set(PERSON, report_only=True),
    "frozen": lambda board: board.freeze(PERSON, [NAME], "2999-01-01T00:00:00Z"),
}


@pytest.fixture
def world() -> World:
    made = World()
    for execution in ("arn:1", "arn:2"):
        assert made.rotate(execution) == "succeeded"
    return made


def ends(world: World) -> str:
    overlap = world.ledger.head(NAME).overlap
    assert overlap is not None
    return overlap.retire_at


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("seen_late", [False, True])
def test_closing_what_a_brake_stops_is_refused_and_changes_nothing(
    world: World, stop: str, seen_late: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = ends(world)
    STOPS[stop](world.ledger.switchboard)
    if seen_late:
        # it is engaged between the look and the write
        monkeypatch.setattr(Switchboard, "stopped", lambda *_: "")
    with pytest.raises(Halted) as halted:
        verbs.overlap_close(world.desk, NAME, WHO)
    monkeypatch.undo()
    assert halted.value.reason == stop
    assert (ends(world), world.machines.started) == (before, [])
    world.ledger.switchboard.set(PERSON, engaged=False, report_only=False)
    world.ledger.switchboard.unfreeze(PERSON, [NAME])
    assert starts.sweep(world.desk) == [], "it was refused, so it does not happen later either"


@pytest.mark.parametrize("stop", ["report_only", "frozen"])
def test_breaking_the_glass_closes_it_all_the_same(world: World, stop: str) -> None:
    STOPS[stop](world.ledger.switchboard)
    verbs.overlap_close(world.desk, NAME, WHO, "break_glass")
    assert world.follow() == ["succeeded"]
    assert world.ledger.head(NAME).overlap is None


def test_nothing_breaks_through_the_kill_switch(world: World) -> None:
    world.engage()
    world.clock.advance(OVERLAP_S)
    with pytest.raises(Halted, match="kill_switch"):
        verbs.overlap_close(world.desk, NAME, WHO, "break_glass")
    assert world.machines.started == []
