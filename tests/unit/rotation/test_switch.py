"""Kill switch, freeze, report-only and break-glass: who and why, in force before the next effect, never for undoing."""

from __future__ import annotations

from datetime import datetime

import pytest

from rotation.control import brakes, starts, verbs
from rotation.control.desk import run_id_of
from rotation.errors import Halted, Refused
from rotation.ledger.rows import Put
from rotation.ledger.switch import SWITCH, freeze_key
from rotation.phases import Outcome, phase_named
from tests.model.world import NAME, OVERLAP_S, PERSON, World

WHO = {"requested_by": "on-call", "reason": "strange logins"}
LATER, EARLIER = "2026-06-01T00:00:00Z", "2025-12-31T00:00:00Z"


@pytest.fixture
def world() -> World:
    made = World()
    assert made.rotate("arn:first") == "succeeded"
    return made


def prepared(world: World, **asked: str) -> None:
    given = world.given("arn:2", **asked)
    for phase in ("claim", "prepare"):
        assert world.enter(phase_named(phase), given)[0] == Outcome.PASSED


def failure(world: World, execution: str) -> str:
    return world.ledger.run(run_id_of(execution))[0].failure["reason"]


@pytest.mark.parametrize("secrets", [[], [NAME]], ids=["stack", "secret"])
def test_a_freeze_stops_a_claim_and_is_over_by_itself(world: World, secrets: list[str]) -> None:
    brakes.freeze(world.desk, WHO, secrets, LATER)
    assert world.rotate("arn:2") == "failed"
    assert failure(world, "arn:2") == "frozen"
    assert len(world.secret.values) == 1
    world.clock.advance(365 * 86_400)
    assert world.rotate("arn:3") == "succeeded"


@pytest.mark.parametrize("secrets", [[], [NAME]], ids=["stack", "secret"])
def test_a_freeze_halts_a_run_before_its_next_effect_until_it_is_lifted(world: World, secrets: list[str]) -> None:
    prepared(world)
    brakes.freeze(world.desk, WHO, secrets, LATER)
    old = world.current()
    assert world.enter(phase_named("promote"), "arn:2") == (Outcome.HALTED, "frozen")
    assert world.current() == old
    brakes.unfreeze(world.desk, WHO, secrets)
    assert world.enter(phase_named("promote"), "arn:2")[0] == Outcome.PASSED


def test_a_freeze_of_one_secret_leaves_the_others_alone(world: World) -> None:
    world.ledger.switchboard.freeze(verbs._who(WHO, "freeze"), ["another/secret"], LATER)
    assert world.rotate("arn:2") == "succeeded"


@pytest.mark.parametrize("secrets", [[], [NAME]], ids=["stack", "secret"])
def test_break_glass_passes_a_freeze_to_the_end_of_the_run_and_is_recorded(world: World, secrets: list[str]) -> None:
    brakes.freeze(world.desk, WHO, secrets, LATER)
    assert world.rotate("arn:2", flags="break_glass") == "succeeded"
    assert world.ledger.run(run_id_of("arn:2"))[0].break_glass


def test_break_glass_never_passes_the_kill_switch(world: World) -> None:
    brakes.engage(world.desk, WHO)
    assert world.rotate("arn:2", flags="break_glass") == "failed"
    assert failure(world, "arn:2") == "kill_switch"


def test_report_only_changes_nothing_and_says_what_was_asked(world: World) -> None:
    brakes.report_only(world.desk, WHO, on=True)
    assert world.rotate("arn:2") == "reported"
    assert len(world.secret.values) == 1
    assert world.ledger.head(NAME).run_id == ""
    brakes.report_only(world.desk, WHO, on=False)
    assert world.rotate("arn:3") == "succeeded"


@pytest.mark.parametrize("row", [{"engaged": "no"}, {"engaged": False}, {"engaged": False, "report_only": False}])
def test_a_switch_that_nobody_understands_stops_everything_and_can_be_released(
    world: World, row: dict[str, object]
) -> None:
    world.rows.write([Put(key=SWITCH, row=row)])
    assert world.rotate("arn:2") == "failed"
    assert failure(world, "arn:2") == "switch_unreadable"
    with pytest.raises(Halted):
        brakes.show(world.desk)
    brakes.release(world.desk, WHO)
    assert world.rotate("arn:3") == "succeeded"


def test_every_change_says_who_and_why_and_is_kept(world: World) -> None:
    brakes.engage(world.desk, WHO)
    world.clock.advance(1)
    shown = brakes.release(world.desk, {"requested_by": "lead", "reason": "all clear"})
    assert (shown["engaged"], shown["actor"], shown["reason"]) == (False, "lead", "all clear")
    assert [(one["verb"], one["actor"], one["reason"]) for one in shown["audit"]] == [
        ("release", "lead", "all clear"),
        ("engage", "on-call", "strange logins"),
    ]


def test_changes_of_different_brakes_do_not_undo_each_other(world: World) -> None:
    brakes.engage(world.desk, WHO)
    brakes.freeze(world.desk, WHO, [], LATER)
    brakes.report_only(world.desk, WHO, on=True)
    shown = brakes.release(world.desk, WHO)
    assert (shown["engaged"], shown["report_only"], shown["frozen_until"] > LATER[:10]) == (False, True, True)


@pytest.mark.parametrize("until", [EARLIER, "tomorrow", "2026-06-01T00:00:00", ""])
def test_a_freeze_without_an_end_in_the_future_is_refused(world: World, until: str) -> None:
    with pytest.raises(Refused) as refused:
        brakes.freeze(world.desk, WHO, [NAME], until)
    assert refused.value.reason == "bad_time"
    assert brakes.show(world.desk)["freezes"] == []


def test_a_freeze_of_several_secrets_is_refused_whole_when_one_is_unknown(world: World) -> None:
    with pytest.raises(Refused):
        brakes.freeze(world.desk, WHO, [NAME, "nobody/knows"], LATER)
    assert world.ledger.switchboard.freeze_of(NAME) is None


@pytest.mark.parametrize("secrets", [[], [NAME]], ids=["stack", "secret"])
def test_the_sweep_starts_nothing_that_a_freeze_would_stop(world: World, secrets: list[str]) -> None:
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    brakes.freeze(world.desk, WHO, secrets, LATER)
    assert starts.sweep(world.desk) == []
    brakes.unfreeze(world.desk, WHO, secrets)
    assert starts.sweep(world.desk) == [NAME]


def test_status_says_which_freeze_is_in_force(world: World) -> None:
    brakes.freeze(world.desk, WHO, [NAME], LATER)
    (standing,) = verbs.status(world.desk, [NAME])
    assert (standing["freeze"]["actor"], standing["freeze"]["reason"]) == ("on-call", "strange logins")


@pytest.mark.parametrize("until", [None, "soon", "5 o'clock", 7])
def test_a_freeze_whose_end_nobody_understands_is_in_force_for_every_look(until: object) -> None:
    world = World()
    for execution in ("arn:1", "arn:2"):
        assert world.rotate(execution) == "succeeded"
    damaged = {"secret": NAME, "actor": "a", "reason": "r"} | ({"until": until} if until else {})
    world.rows.write([Put(key=freeze_key(NAME), row=damaged)])
    world.clock.advance(OVERLAP_S)
    board = world.ledger.switchboard
    assert board.stopped(NAME) == "frozen"
    shown = brakes.show(world.desk)["freezes"][0]
    assert (shown["secret"], shown["reason"]) == (NAME, "r")
    assert datetime.fromisoformat(shown["until"]) > world.clock()
    assert starts.sweep(world.desk) == [], "an execution would only fail at its gate, in every slot"
    board.unfreeze(PERSON, [NAME])
    assert starts.sweep(world.desk) == [NAME]


def test_a_freeze_that_ends_at_nothing_is_over_for_looks_and_writes_alike() -> None:
    world = World()
    world.rows.write([Put(key=freeze_key(NAME), row={"secret": NAME, "until": ""})])
    assert world.ledger.switchboard.stopped(NAME) == ""
    assert world.rotate("arn:1") == "succeeded"
