"""Repair while a switch is on, or while the store is given a pause. What goes back is stopped by nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from test_repair import CASES, WHO, entered, half_applied, mended, undecided

from rotation.control import brakes, repair
from rotation.errors import Halted, Unavailable
from rotation.ledger.breaker import FAILURES_TO_OPEN, OPEN_FOR, LedgerBreaker
from rotation.ledger.moments import timestamp
from rotation.phases import Outcome, phase_named
from tests.model.store import MemoryStore
from tests.model.world import NAME, OVERLAP_S, World


def test_an_open_circuit_breaker_says_until_when_to_wait(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    breaker = LedgerBreaker(world.rows, world.clock)
    for _ in range(FAILURES_TO_OPEN):
        breaker.report("memory", healthy=False, reason="store_down")

    def spared(*_: object) -> None:
        LedgerBreaker(world.rows, world.clock).admit("memory")

    monkeypatch.setattr(MemoryStore, "survey", spared)
    first = undecided(world)
    until = timestamp(world.clock() + OPEN_FOR)
    assert "look again after that" in first["says"]
    assert until in first["evidence"][0]
    assert "store_down" in first["evidence"][0]
    assert first["ask"] == (f"keyturn repair {NAME}",)
    world.clock.advance(60)
    monkeypatch.undo()
    assert repair.diagnose(world.desk, NAME)["diagnoses"][0]["kind"] == "healthy"


def test_a_trouble_that_is_told_in_other_words_each_time_does_not_keep_a_person_from_mending(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    half_applied(world)
    said = iter(range(9))

    def down(*_: object) -> None:
        raise Unavailable("store_down", f"no answer, attempt {next(said)}")

    monkeypatch.setattr(MemoryStore, "survey", down)
    seen = repair.diagnose(world.desk, NAME)
    assert repair.mend(world.desk, NAME, seen["digest"], WHO)["action"] == "resume"


STOPS: dict[str, Callable[[World], object]] = {
    "kill_switch": lambda world: world.engage(),
    "report_only": lambda world: brakes.report_only(world.desk, WHO, on=True),
    "frozen": lambda world: brakes.freeze(world.desk, WHO, [NAME], "2026-06-01T00:00:00Z"),
}
FORWARD = [case for case, (_, _, action) in CASES.items() if action in {"rotate", "retire", "resume"}]
BACK = [case for case, (_, _, action) in CASES.items() if action in {"roll_back", "clear", "undo", "adopt"}]


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("case", FORWARD)
def test_what_a_switch_would_stop_is_not_begun_and_says_who_set_it_and_why(world: World, case: str, stop: str) -> None:
    CASES[case][0](world)
    STOPS[stop](world)
    seen, before = repair.diagnose(world.desk, NAME), world.ledger.head(NAME)
    with pytest.raises(Halted) as halted:
        repair.mend(world.desk, NAME, seen["digest"], WHO)
    assert halted.value.reason == stop
    assert "on-call" in halted.value.message
    assert (world.machines.started, world.ledger.head(NAME)) == ([], before)


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("case", BACK)
def test_what_is_taken_back_or_cleared_is_stopped_by_nothing(world: World, case: str, stop: str) -> None:
    CASES[case][0](world)
    STOPS[stop](world)
    assert mended(world)[-1] == "healthy"
    assert world.current()["token"] in world.target.tokens.values()


def test_an_undoing_that_lost_its_execution_is_gone_on_with_while_the_switch_is_engaged(world: World) -> None:
    entered(world, "claim", "prepare", "promote")
    world.enter(phase_named("roll_back"), "arn:x")
    world.engage()
    assert mended(world)[-1] == "healthy"


def test_a_run_that_broke_the_glass_is_gone_on_with_during_a_freeze(world: World) -> None:
    given = world.given("arn:x", flags="break_glass")
    for phase in ("claim", "prepare"):
        assert world.enter(phase_named(phase), given)[0] == Outcome.PASSED
    STOPS["frozen"](world)
    assert mended(world)[-1] == "healthy"


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("case", ["old alive", "overlap overdue"])
def test_a_retirement_that_something_stops_is_no_safe_action_and_what_stops_it_is_named(
    world: World, case: str, stop: str
) -> None:
    CASES[case][0](world)
    STOPS[stop](world)
    one = repair.diagnose(world.desk, NAME)["diagnoses"][0]
    assert (one["kind"], one["action"]) == (CASES[case][1], None)
    assert f"{stop} stops the retirement" in one["says"]
    assert "keyturn kill-switch show" in one["ask"]


def test_a_retirement_that_was_only_refused_by_a_switch_has_not_failed(world: World) -> None:
    world.rotate("arn:again")
    world.clock.advance(OVERLAP_S)
    world.engage()
    assert world.retire("arn:r") == "failed"
    for _ in range(2):
        assert repair.diagnose(world.desk, NAME)["diagnoses"][0]["kind"] == "healthy", "the sweep is not late yet"
        world.release()
