"""A type whose target takes one credential at a time: whatever fails, the target takes the old one again."""

from __future__ import annotations

from typing import Any

import pytest

from rotation.contract import Fence, SecretRef, Verdict, Version
from rotation.control.desk import run_id_of
from rotation.control.signals import Finding
from rotation.errors import Denied, Unavailable
from rotation.phases import phase_named
from rotation.value import SecretValue
from tests.model.store import MemoryStore
from tests.model.target import OneSlotIssuer
from tests.model.world import NAME, OVERLAP_S, PERSON, World


class OneSlotWorld(World):
    """A world whose target has one slot."""

    issuer = OneSlotIssuer


@pytest.fixture
def world() -> World:
    """A secret with its first value, whose next rotation is unwell after its promotion."""
    made = OneSlotWorld()
    assert made.rotate("arn:first") == "succeeded"
    made.target.broken["check"] = Verdict.REFUSED
    return made


def test_bad_health_after_promotion_leaves_store_and_target_with_the_old_credential(world: World) -> None:
    old = world.current()
    assert world.rotate("arn:2") == "failed"
    assert world.current() == old
    assert world.target.tokens == {old["slot"]: old["token"]}
    run, steps = world.ledger.run(run_id_of("arn:2"))
    assert run.failure == {"phase": "bake", "reason": "health_refused"}
    assert steps["restore"].facts["undone"] == "restored"
    assert world.ledger.head(NAME).current == Version(id="1")


def test_readers_get_the_old_credential_back_only_when_the_target_accepts_it_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = world.current()["token"]
    accepted_at_demotion: list[set[str]] = []
    demote = MemoryStore.demote

    def watched(store: MemoryStore, ref: SecretRef, *arguments: Any) -> Version:
        accepted_at_demotion.append(set(world.target.tokens.values()))
        return demote(store, ref, *arguments)

    monkeypatch.setattr(MemoryStore, "demote", watched)
    assert world.rotate("arn:2") == "failed"
    assert accepted_at_demotion == [{old}]


def test_an_old_credential_that_cannot_be_restored_leaves_readers_with_the_new_one_that_works(world: World) -> None:
    old = world.current()
    world.target.broken["restore"] = Denied("target_denied", "no")
    assert world.rotate("arn:2") == "stuck", "readers have the new one: the run is not over"
    assert world.current() != old
    assert set(world.target.tokens.values()) == {world.current()["token"]}
    run, _ = world.ledger.run(run_id_of("arn:2"))
    assert run.failure["not_undone"] == "restore demote withdraw abandon"


def test_a_test_that_fails_after_a_single_slot_apply_leaves_the_prior_value_at_the_target() -> None:
    world = OneSlotWorld()
    assert world.rotate("arn:first") == "succeeded"
    old = world.current()
    world.target.broken["probe"] = Verdict.REFUSED
    assert world.rotate("arn:2") == "failed"
    assert world.current() == old
    assert world.target.tokens == {old["slot"]: old["token"]}
    assert world.ledger.run(run_id_of("arn:2"))[0].failure == {"phase": "prepare", "reason": "test_refused"}


def rotated_and_retired(world: World) -> tuple[str, str]:
    """The proof of a whole rotation's retirement, and what became of the old version."""
    assert world.rotate("arn:2") == "succeeded"
    world.clock.advance(OVERLAP_S)
    assert world.retire("arn:3") == "succeeded"
    _, steps = world.ledger.run(run_id_of("arn:3"))
    return steps["prove"].facts["proof"], steps["dispose"].facts["disposed"]


def test_what_was_seen_to_work_before_it_was_replaced_is_proved_dead_without_an_alarm() -> None:
    world = OneSlotWorld()
    assert world.rotate("arn:first") == "succeeded"
    assert rotated_and_retired(world) == ("dead", "destroyed")
    assert world.told.findings == []


def test_what_nobody_saw_work_before_it_was_replaced_is_not_proved_dead() -> None:
    world = OneSlotWorld()
    assert world.rotate("arn:first") == "succeeded"
    world.target.tokens["a"] = "somebody else's"
    assert rotated_and_retired(world) == ("unproven", "kept")
    assert world.told.findings == [Finding.OLD_ALIVE]


def test_an_apply_that_is_repeated_keeps_what_was_seen_before_the_first_one(monkeypatch: pytest.MonkeyPatch) -> None:
    world = OneSlotWorld()
    assert world.rotate("arn:first") == "succeeded"
    apply, lost = OneSlotIssuer.apply, [True]

    def applied(issuer: OneSlotIssuer, value: SecretValue, fence: Fence) -> None:
        apply(issuer, value, fence)
        if lost:
            lost.pop()
            raise Unavailable("target_unreachable", "the answer is lost")

    monkeypatch.setattr(OneSlotIssuer, "apply", applied)
    claim, prepare = (phase_named(name) for name in ("claim", "prepare"))
    world.enter(claim, "arn:2")
    with pytest.raises(Unavailable):
        world.enter(prepare, "arn:2")
    world.enter(prepare, "arn:2")
    _, steps = world.ledger.run(run_id_of("arn:2"))
    assert (steps["apply"].attempts, steps["apply"].intent) == (2, {"replaced_verdict": "accepted"})


def dead_after_its_apply(world: World) -> dict[str, str]:
    """A rotation replaced the old credential at the target and died; what readers still get."""
    assert world.rotate("arn:first") == "succeeded"
    for phase in ("claim", "prepare"):
        world.enter(phase_named(phase), "arn:dead")
    old = world.current()
    assert old["token"] not in world.target.tokens.values()
    return old


def refuse_to_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> Version:
        raise Denied("store_denied", "the store refuses")

    monkeypatch.setattr(MemoryStore, "stage", refused)


def test_a_run_that_takes_a_dead_ones_place_and_fails_before_its_own_apply_leaves_the_old_credential_accepted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = OneSlotWorld()
    old = dead_after_its_apply(world)
    refuse_to_stage(monkeypatch)
    assert world.rotate("arn:next") == "failed"
    assert world.current() == old
    assert world.target.tokens == {old["slot"]: old["token"]}


def test_a_run_that_takes_a_dead_ones_place_and_is_halted_leaves_the_old_credential_accepted() -> None:
    world = OneSlotWorld()
    old = dead_after_its_apply(world)
    world.enter(phase_named("claim"), "arn:next")
    world.engage()
    world.enter(phase_named("prepare"), "arn:next")
    assert world.current() == old
    assert world.target.tokens == {old["slot"]: old["token"]}


def test_a_run_that_takes_a_dead_ones_place_sees_the_old_credential_work_and_proves_it_dead_later() -> None:
    world = OneSlotWorld()
    dead_after_its_apply(world)
    assert rotated_and_retired(world) == ("dead", "destroyed")
    assert world.told.findings == []


def test_a_leftover_is_not_restored_over_what_somebody_else_made_current(monkeypatch: pytest.MonkeyPatch) -> None:
    world = OneSlotWorld()
    assert world.rotate("arn:first") == "succeeded"
    world.target.broken = {"probe": Verdict.REFUSED, "restore": Denied("no", "no"), "withdraw": Denied("no", "no")}
    assert world.rotate("arn:2") == "failed"
    world.target.broken.clear()
    theirs = {"slot": "a", "token": "theirs"}
    world.target.tokens["a"] = theirs["token"]
    world.secret.current = world.secret.add(SecretValue.of(theirs))
    head = world.ledger.head(NAME)
    assert head.leftover == run_id_of("arn:2")
    world.ledger.amend(head, PERSON, current=Version(id=str(world.secret.current)))
    refuse_to_stage(monkeypatch)
    assert world.rotate("arn:3") == "failed"
    assert (world.current(), world.target.tokens) == (theirs, {"a": "theirs"})
