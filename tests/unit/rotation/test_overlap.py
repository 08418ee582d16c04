"""The overlap: closed and put off by hand, zero in an emergency, ended exactly once however it is asked for."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from rotation.contract import Verdict
from rotation.control import brakes, endings, starts, verbs
from rotation.control.desk import run_id_of
from rotation.control.table import VERBS
from rotation.errors import Refused
from rotation.phases import Outcome, phase_named
from tests.model.target import ModelIssuer
from tests.model.world import NAME, OVERLAP_S, World

WHO = {"requested_by": "on-call", "reason": "nobody uses it"}


@pytest.fixture
def world() -> World:
    made = World()
    for execution in ("arn:first", "arn:2"):
        assert made.rotate(execution) == "succeeded"
    return made


def effects(world: World, kind: str) -> list[str]:
    return [effect for effect in world.target.effects if effect.startswith(kind)]


def test_an_overlap_is_closed_early_and_its_old_credential_proven_dead(world: World) -> None:
    old = world.ledger.head(NAME).overlap
    answer = verbs.overlap_close(world.desk, NAME, WHO)
    assert answer["retire_at"] == world.ledger.now()
    assert world.follow() == ["succeeded"]
    head = world.ledger.head(NAME)
    assert old is not None
    assert head.overlap is None
    assert head.retired is not None
    assert (head.retired.old, head.retired.disposed) == (old.old, "destroyed")
    assert len(effects(world, "revoke")) == 1


def test_an_overlap_is_put_off_and_the_sweep_obeys(world: World) -> None:
    before = world.ledger.head(NAME).overlap
    assert before is not None
    verbs.overlap_extend(world.desk, NAME, WHO, 3600)
    after = world.ledger.head(NAME).overlap
    assert after is not None
    assert datetime.fromisoformat(after.retire_at) - datetime.fromisoformat(before.retire_at) == timedelta(hours=1)
    world.clock.advance(OVERLAP_S)
    assert starts.sweep(world.desk) == []
    world.clock.advance(3600)
    assert starts.sweep(world.desk) == [NAME]


def test_both_changes_say_who_and_why(world: World) -> None:
    verbs.overlap_extend(world.desk, NAME, WHO, 3600)
    world.clock.advance(1)
    verbs.overlap_close(world.desk, NAME, WHO)
    audit = world.ledger.switchboard.audit()
    assert [(one["verb"], one["actor"], one["about"]) for one in audit] == [
        ("overlap_close", "on-call", NAME),
        ("overlap_extend", "on-call", NAME),
    ]


@pytest.mark.parametrize("seconds", [0, -60, 91 * 86_400])
def test_an_extension_that_is_none_or_without_end_is_refused(world: World, seconds: int) -> None:
    before = world.ledger.head(NAME)
    with pytest.raises(Refused) as refused:
        verbs.overlap_extend(world.desk, NAME, WHO, seconds)
    assert (refused.value.reason, world.ledger.head(NAME)) == ("bad_extension", before)


def test_an_overlap_that_is_being_ended_is_neither_closed_nor_put_off(world: World) -> None:
    world.clock.advance(OVERLAP_S)
    assert world.enter(phase_named("gate"), "arn:r")[0] == Outcome.PASSED
    for change in (
        lambda: verbs.overlap_close(world.desk, NAME, WHO),
        lambda: verbs.overlap_extend(world.desk, NAME, WHO, 60),
    ):
        with pytest.raises(Refused) as refused:
            change()
        assert refused.value.reason == "claim_held"


def test_without_an_open_overlap_there_is_nothing_to_close(world: World) -> None:
    verbs.overlap_close(world.desk, NAME, WHO)
    world.follow()
    with pytest.raises(Refused) as refused:
        verbs.overlap_close(world.desk, NAME, WHO)
    assert refused.value.reason == "no_open_overlap"


def test_time_hand_and_emergency_at_once_end_it_exactly_once(world: World) -> None:
    verbs.overlap_close(world.desk, NAME, WHO)
    starts.sweep(world.desk)
    verbs.retire(world.desk, NAME, WHO)
    assert len(world.machines.started) > 1
    ended = world.follow()
    assert sorted(ended) == ["failed"] * (len(ended) - 1) + ["succeeded"]
    assert len(effects(world, "revoke")) == 1


def test_in_an_emergency_the_old_credential_is_retired_at_once(world: World) -> None:
    verbs.overlap_close(world.desk, NAME, WHO)
    world.follow()
    leaked = world.current()["token"]
    assert world.rotate("arn:3", flags="emergency") == "succeeded"
    head = world.ledger.head(NAME)
    assert head.overlap is not None
    assert head.overlap.retire_at == world.ledger.now()
    ((machine, _, given),) = world.machines.started
    assert (machine, given["secret"]) == ("retire", NAME)
    assert world.follow() == ["succeeded"]
    assert leaked not in world.target.tokens.values()


def test_an_emergency_that_died_before_it_started_the_retirement_leaves_it_to_the_sweep(world: World) -> None:
    verbs.overlap_close(world.desk, NAME, WHO)
    world.follow()
    world.rotate("arn:3", flags="emergency")
    world.machines.started.clear()
    world.machines.used.clear()
    assert starts.sweep(world.desk) == [NAME]


def test_the_overlap_of_an_emergency_cannot_be_put_off(world: World) -> None:
    verbs.overlap_close(world.desk, NAME, WHO)
    world.follow()
    world.rotate("arn:3", flags="emergency")
    with pytest.raises(Refused) as refused:
        verbs.overlap_extend(world.desk, NAME, WHO, 60)
    assert refused.value.reason == "overlap_ending"


def test_without_a_target_a_proof_of_death_is_not_applicable(monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace  # noqa: PLC0415 - beside its only use

    monkeypatch.setattr(ModelIssuer, "capabilities", replace(ModelIssuer.capabilities, has_target=False))
    world = World()
    for execution in ("arn:first", "arn:2"):
        assert world.rotate(execution) == "succeeded"
    world.clock.advance(OVERLAP_S)
    assert world.retire("arn:r") == "succeeded"
    _, steps = world.ledger.run(run_id_of("arn:r"))
    assert steps["prove"].facts["proof"] == "not-applicable"
    assert steps["dispose"].facts["disposed"] == "destroyed"


def emergency_over_an_overlap(world: World, flags: str = "emergency") -> dict[str, str]:
    return verbs.rotate(world.desk, NAME, WHO, flags)


def test_an_emergency_ends_the_open_overlap_rotates_and_retires_with_one_request(world: World) -> None:
    older, leaked = world.ledger.head(NAME).overlap, world.current()
    assert older is not None
    assert emergency_over_an_overlap(world)["first"] == "retire"
    machines = []
    while world.machines.started:
        machines += [machine for machine, _, _ in world.machines.started]
        assert world.follow() == ["succeeded"]
        world.clock.advance(1)
    assert machines == ["retire", "rotate", "retire"]
    head = world.ledger.head(NAME)
    assert (head.overlap, head.run_id) == (None, "")
    assert set(world.target.tokens.values()) == {world.current()["token"]}
    assert leaked["token"] not in world.target.tokens.values()
    asked = [run for run in world.ledger.history(NAME) if run.requested_by == "on-call"]
    assert [(run.machine, run.emergency) for run in asked] == [("retire", True), ("rotate", True)]


def test_the_rotation_after_an_emergencys_retirement_is_started_once_however_often_that_is_recorded(
    world: World,
) -> None:
    emergency_over_an_overlap(world)
    world.follow()
    ((machine, _, given),) = world.machines.started
    assert (machine, given["flags"]) == ("rotate", "emergency")
    retirement = world.ledger.history(NAME)[-1].run_id
    endings.end_run(world.desk, retirement)
    assert len(world.machines.started) == 1


def test_an_emergency_that_breaks_the_glass_does_so_to_its_end(world: World) -> None:
    brakes.freeze(world.desk, WHO, [NAME], "2026-06-01T00:00:00Z")
    emergency_over_an_overlap(world, "emergency break_glass")
    statuses = []
    while world.machines.started:
        statuses += world.follow()
        world.clock.advance(1)
    assert statuses == ["succeeded", "succeeded", "succeeded"]


def test_an_emergency_whose_older_credential_does_not_die_makes_no_third_one(world: World) -> None:
    world.target.broken["probe"] = Verdict.ACCEPTED
    emergency_over_an_overlap(world)
    assert world.follow() == ["failed"]
    assert world.machines.started == []
    assert len(world.secret.values) == 2


def test_an_emergency_while_a_run_has_the_secret_is_refused_and_changes_nothing(world: World) -> None:
    world.clock.advance(OVERLAP_S)
    assert world.enter(phase_named("gate"), "arn:r")[0] == Outcome.PASSED
    before = world.ledger.head(NAME)
    with pytest.raises(Refused, match="claim_held"):
        emergency_over_an_overlap(world)
    assert (world.ledger.head(NAME), world.machines.started) == (before, [])


def test_only_who_may_rotate_starts_a_rotation_by_closing_an_overlap(world: World) -> None:
    VERBS["overlap_close"](world.desk, {"secret": NAME, "emergency": True, **WHO})
    assert world.follow() == ["succeeded"]
    assert world.machines.started == []
