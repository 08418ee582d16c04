"""What the sweep starts while something stops runs: what goes back, and emergencies that break the glass."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from rotation.contract import Verdict
from rotation.control import brakes, starts
from rotation.control.desk import run_id_of
from rotation.control.emergency import emergency
from rotation.control.sweep import sweep
from rotation.errors import Refused
from rotation.ledger.ledger import LOOK_AFTER
from rotation.phases import Outcome, phase_named
from tests.model.store import MemoryStore
from tests.model.world import NAME, OVERLAP_S, World

WHO = {"requested_by": "on-call", "reason": "it leaked"}
STOPS: dict[str, Callable[[World], object]] = {
    "kill_switch": lambda world: world.engage(),
    "report_only": lambda world: brakes.report_only(world.desk, WHO, on=True),
    "frozen": lambda world: brakes.freeze(world.desk, WHO, [NAME], "2026-06-01T00:00:00Z"),
    "stack_frozen": lambda world: brakes.freeze(world.desk, WHO, [], "2026-06-01T00:00:00Z"),
}
PASSED = [name for name in STOPS if name != "kill_switch"]


def entered(world: World, *phases: str, flags: str = "") -> None:
    for phase in phases:
        assert world.enter(phase_named(phase), world.given("arn:x", flags=flags))[0] == Outcome.PASSED


def lost(world: World) -> None:
    world.clock.advance(LOOK_AFTER.total_seconds())


def swept(world: World) -> list[str]:
    """How the runs ended that a few looks of the sweep led to."""
    ended: list[str] = []
    for _ in range(4):
        world.clock.advance(300)
        sweep(world.desk)
        ended += world.follow()
    return ended


@pytest.mark.parametrize("stop", STOPS)
def test_an_undoing_that_lost_its_execution_is_gone_on_with_whatever_stops_runs(world: World, stop: str) -> None:
    old = world.current()
    entered(world, "claim", "prepare", "promote")
    context = world.context(run_id_of("arn:x"))
    first = context.steps["test"]
    context.ledger.begin(context.run, first.__class__(step="restore", phase="roll_back", intent_at=first.intent_at))
    STOPS[stop](world)
    lost(world)
    assert starts.sweep(world.desk) == [NAME]
    assert world.follow() == ["failed"]
    assert world.current() == old
    assert set(world.target.tokens.values()) == {old["token"]}


@pytest.mark.parametrize("stop", STOPS)
def test_an_undoing_that_did_not_end_is_tried_again_whatever_stops_runs(
    world: World, stop: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.target.broken = {"check": Verdict.REFUSED}
    old = world.current()
    with monkeypatch.context() as patched:
        patched.setattr(MemoryStore, "demote", lambda *_: (_ for _ in ()).throw(Refused("no", "no")))
        assert world.rotate("arn:x") == "stuck"
    world.target.broken.clear()
    STOPS[stop](world)
    lost(world)
    assert starts.sweep(world.desk) == [NAME]
    world.follow()
    assert (world.current(), world.ledger.head(NAME).run_id) == (old, "")


@pytest.mark.parametrize("stop", STOPS)
def test_a_run_that_goes_forward_waits_for_the_switch(world: World, stop: str) -> None:
    entered(world, "claim", "prepare")
    STOPS[stop](world)
    lost(world)
    assert starts.sweep(world.desk) == []


@pytest.mark.parametrize("stop", PASSED)
def test_a_run_that_broke_the_glass_is_gone_on_with_through_what_that_passes(world: World, stop: str) -> None:
    entered(world, "claim", "prepare", flags="break_glass")
    STOPS[stop](world)
    lost(world)
    assert starts.sweep(world.desk) == [NAME]
    assert world.follow() == ["succeeded"]


def test_a_run_that_broke_the_glass_waits_for_the_kill_switch(world: World) -> None:
    entered(world, "claim", "prepare", flags="break_glass")
    world.engage()
    lost(world)
    assert starts.sweep(world.desk) == []


@pytest.mark.parametrize("stop", PASSED)
def test_an_emergency_that_breaks_the_glass_ends_the_overlap_that_is_in_its_way(world: World, stop: str) -> None:
    assert world.rotate("arn:2") == "succeeded"
    leaked = world.current()["token"]
    STOPS[stop](world)
    emergency(world.desk, {"secret": NAME}, WHO, break_glass=True)
    assert swept(world) == ["succeeded"] * 3, "the end of the overlap, the rotation, and the end of what leaked"
    assert set(world.target.tokens.values()) == {world.current()["token"]} != {leaked}
    ended = [run for run in world.ledger.history(NAME) if run.machine == "retire"]
    assert [(run.break_glass, run.requested_by) for run in ended] == [(True, "on-call")] * 2


@pytest.mark.parametrize("stop", STOPS)
def test_an_emergency_that_does_not_break_the_glass_ends_nothing_while_something_stops_runs(
    world: World, stop: str
) -> None:
    assert world.rotate("arn:2") == "succeeded"
    both = set(world.target.tokens.values())
    STOPS[stop](world)
    emergency(world.desk, {"secret": NAME}, WHO)
    assert (swept(world), set(world.target.tokens.values())) == ([], both)


def test_nothing_breaks_through_the_kill_switch(world: World) -> None:
    assert world.rotate("arn:2") == "succeeded"
    world.engage()
    emergency(world.desk, {"secret": NAME}, WHO, break_glass=True)
    assert swept(world) == []


@pytest.mark.parametrize("stop", PASSED)
def test_what_leaked_is_retired_through_the_freeze_that_its_rotation_broke_also_at_the_second_attempt(
    world: World, stop: str
) -> None:
    leaked = world.current()["token"]
    STOPS[stop](world)
    assert world.rotate("arn:2", flags="emergency break_glass") == "succeeded"
    world.target.broken["revoke"] = Refused("target_denied", "no")
    assert world.follow() == ["failed"]
    world.target.broken.clear()
    assert leaked in world.target.tokens.values()
    assert "succeeded" in swept(world)
    assert leaked not in world.target.tokens.values()


def test_an_overlap_that_nobody_hurried_waits_for_the_freeze(world: World) -> None:
    assert world.rotate("arn:2") == "succeeded"
    world.clock.advance(OVERLAP_S)
    STOPS["frozen"](world)
    assert starts.sweep(world.desk) == []
