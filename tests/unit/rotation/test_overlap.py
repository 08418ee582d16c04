"""The overlap: closed and put off by hand, zero in an emergency, ended exactly once however it is asked for."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from rotation.control import starts, verbs
from rotation.control.desk import run_id_of
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
