"""Back to the version before: target first, then store; refused where it is gone or must not be used again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from rotation.contract import SecretRef, Verdict, Version
from rotation.control import verbs
from rotation.control.desk import run_id_of
from rotation.errors import Denied, Refused
from rotation.phases import Outcome, phase_named
from tests.model.store import MemoryStore
from tests.model.target import ModelIssuer, OneSlotIssuer
from tests.model.world import NAME, OVERLAP_S, World

WHO = {"requested_by": "on-call", "reason": "consumers fail"}


def rotated(world: World) -> tuple[dict[str, str], dict[str, str]]:
    assert world.rotate("arn:first") == "succeeded"
    old = world.current()
    assert world.rotate("arn:2") == "succeeded"
    return old, world.current()


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    # the model gives up an old version at once; what a rollback needs is a store that keeps it
    monkeypatch.setattr(MemoryStore, "dispose", lambda *_: "kept")
    return World()


def accepted(world: World) -> set[str]:
    return set(world.target.tokens.values())


def retired(world: World) -> None:
    world.clock.advance(OVERLAP_S)
    assert world.retire("arn:r") == "succeeded"


def rolled_back(world: World, **asked: Any) -> list[str]:
    # history is in order of start
    world.clock.advance(1)
    assert verbs.rollback(world.desk, NAME, WHO, **asked)["kind"] == "rollback"
    return world.follow()


def test_within_the_overlap_readers_get_the_old_one_back_and_the_new_one_is_retired_later(world: World) -> None:
    old, new = rotated(world)
    assert rolled_back(world) == ["succeeded"]
    assert world.current() == old
    assert accepted(world) == {old["token"], new["token"]}
    head = world.ledger.head(NAME)
    assert head.overlap is not None
    assert (head.overlap.old, head.overlap.new, head.current) == (Version(id="2"), Version(id="1"), Version(id="1"))
    world.clock.advance(OVERLAP_S)
    assert world.retire("arn:r") == "succeeded"
    assert accepted(world) == {old["token"]}


def test_after_retirement_the_old_staged_value_is_applied_again_before_readers_get_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, _ = rotated(world)
    retired(world)
    assert old["token"] not in accepted(world)
    seen: list[bool] = []
    demote = MemoryStore.demote

    def watched(store: MemoryStore, ref: SecretRef, *arguments: Any) -> Version:
        seen.append(old["token"] in accepted(world))
        return demote(store, ref, *arguments)

    monkeypatch.setattr(MemoryStore, "demote", watched)
    minted = len(world.secret.values)
    assert rolled_back(world) == ["succeeded"]
    assert (world.current(), seen, len(world.secret.values)) == (old, [True], minted)


def test_rotate_roll_back_rotate_again(world: World) -> None:
    rotated(world)
    assert rolled_back(world) == ["succeeded"]
    verbs.overlap_close(world.desk, NAME, WHO)
    assert world.follow() == ["succeeded"]
    assert world.rotate("arn:3") == "succeeded"
    assert world.current()["token"] in accepted(world)


def test_what_leaked_is_never_used_again(world: World) -> None:
    rotated(world)
    retired(world)
    world.rotate("arn:3", flags="emergency")
    world.follow()
    with pytest.raises(Refused) as refused:
        verbs.rollback(world.desk, NAME, WHO)
    assert refused.value.reason == "old_leaked"
    assert verbs.status(world.desk, [NAME])[0]["rollback"]["why"] == "old_leaked"


def test_a_rollback_in_an_emergency_retires_what_it_left_at_once(world: World) -> None:
    _, new = rotated(world)
    assert rolled_back(world, flags="emergency") == ["succeeded"]
    assert world.follow() == ["succeeded"]
    assert new["token"] not in accepted(world)


@pytest.mark.parametrize("done", ["destroyed", "scheduled"])
def test_what_the_store_gave_up_is_beyond_the_horizon(world: World, done: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rotated(world)
    monkeypatch.setattr(MemoryStore, "dispose", lambda *_: done)
    retired(world)
    with pytest.raises(Refused) as refused:
        verbs.rollback(world.desk, NAME, WHO)
    assert refused.value.reason == "beyond_horizon"


def test_before_the_first_rotation_there_is_nothing_to_roll_back(world: World) -> None:
    for before in (None, "arn:first"):
        if before:
            world.rotate(before)
        with pytest.raises(Refused) as refused:
            verbs.rollback(world.desk, NAME, WHO)
        assert refused.value.reason == "nothing_to_roll_back"


@pytest.mark.parametrize(("kept", "wanted"), [(None, (1, "target")), (9, (1, "target")), (1, (1, "store")), (0, None)])
def test_the_horizon_is_the_smaller_of_the_stores_and_the_targets(
    world: World, kept: int | None, wanted: tuple[int, str] | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryStore, "capabilities", replace(MemoryStore.capabilities, rollback_horizon=kept))
    rotated(world)
    shown = verbs.status(world.desk, [NAME])[0]["rollback"]
    if wanted is None:
        assert (shown["possible"], shown["why"]) == (False, "beyond_horizon")
    else:
        assert (shown["possible"], shown["to"]) == (True, "1")
        assert (shown["versions"], shown["limited_by"]) == wanted


def test_status_says_until_when(world: World) -> None:
    rotated(world)
    overlap = world.ledger.head(NAME).overlap
    assert overlap is not None
    assert verbs.status(world.desk, [NAME])[0]["rollback"]["until"] == overlap.retire_at
    retired(world)
    assert verbs.status(world.desk, [NAME])[0]["rollback"]["until"] == "next rotation"


@pytest.mark.parametrize("issuer", [ModelIssuer, OneSlotIssuer])
@pytest.mark.parametrize("after_retirement", [False, True])
def test_an_old_one_that_the_target_does_not_take_leaves_everything_as_it_was(
    world: World, issuer: type[ModelIssuer], after_retirement: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(World, "issuer", issuer)
    _, new = rotated(world)
    if after_retirement:
        retired(world)
    before = accepted(world)
    world.target.broken["probe"] = Verdict.REFUSED
    assert rolled_back(world) == ["failed"]
    assert world.current() == new
    assert accepted(world) == before
    run = world.ledger.history(NAME)[-1]
    assert (run.failure["reason"], "not_undone" in run.failure) == ("old_refused", False)


def test_a_store_that_refuses_the_revert_leaves_the_old_one_retired(world: World) -> None:
    old, new = rotated(world)
    retired(world)
    world.broken_store.add("demote")
    assert rolled_back(world) == ["failed"]
    assert (world.current(), old["token"] in accepted(world)) == (new, False)
    run = world.ledger.history(NAME)[-1]
    assert (run.failure["reason"], "not_undone" in run.failure) == ("store_denied", False)


def test_a_target_that_denies_the_authority_stops_a_rollback_before_the_store(world: World) -> None:
    _, new = rotated(world)
    world.target.broken["restore"] = Denied("target_denied", "no")
    assert rolled_back(world) == ["failed"]
    assert world.current() == new


def test_while_a_run_is_under_way_a_rollback_is_refused(world: World) -> None:
    from rotation.phases import phase_named  # noqa: PLC0415 - beside its only use

    rotated(world)
    retired(world)
    world.enter(phase_named("claim"), "arn:3")
    world.machines.alive.add("arn:3")
    with pytest.raises(Refused) as refused:
        verbs.rollback(world.desk, NAME, WHO)
    assert refused.value.reason == "claim_held"
    assert run_id_of("arn:3") == world.ledger.head(NAME).run_id


def test_the_kill_switch_does_not_stop_a_rollback(world: World) -> None:
    old, _ = rotated(world)
    world.engage()
    assert rolled_back(world) == ["succeeded"]
    assert world.current() == old


def test_once_the_store_gave_the_old_version_up_the_store_is_named_as_the_limit(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryStore, "dispose", lambda *_: "destroyed")
    rotated(world)
    assert verbs.status(world.desk, [NAME])[0]["rollback"]["limited_by"] == "target"
    retired(world)
    shown = verbs.status(world.desk, [NAME])[0]["rollback"]
    assert (shown["possible"], shown["why"], shown["limited_by"]) == (False, "beyond_horizon", "store")


def test_a_retirement_whose_record_broke_has_ended_its_overlap_and_still_leads_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryStore, "dispose", lambda *_: "kept")
    rotated(world)
    world.clock.advance(OVERLAP_S)
    for phase in ("gate", "acknowledge", "retire"):
        assert world.enter(phase_named(phase), "arn:r")[0] == Outcome.PASSED
    world._end("record_failure", phase_named("record"), "execution_failed", world.given("arn:r"))
    head = world.ledger.head(NAME)
    assert (head.overlap, head.retired and head.retired.disposed) == (None, "kept")
    verbs.rollback(world.desk, NAME, WHO)
    assert world.follow() == ["succeeded"]


def test_the_token_of_a_version_that_is_still_pending_is_not_handed_to_the_next_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    rotated(world)
    retired(world)
    before = world.ledger.head(NAME).pending_token
    world.target.broken["probe"] = Verdict.REFUSED
    with monkeypatch.context() as patched:
        patched.setattr(MemoryStore, "abandon", lambda *_: (_ for _ in ()).throw(Refused("no", "no")))
        assert world.rotate("arn:left") == "failed"
    assert world.ledger.head(NAME).pending_token == before
    assert world.rotate("arn:gone") == "failed"
    assert world.ledger.head(NAME).pending_token != before
