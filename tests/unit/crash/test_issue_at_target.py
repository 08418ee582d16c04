"""Runs of a credential that its target makes: what they leave alone, what they wait for, what they write down."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

import pytest

from rotation.issuers.aws_iam_access_key import DEFAULT_GRACE_S, SETTLE_S
from rotation.ledger.records import StepRecord
from tests.unit.crash.crash_iam import LAG_S, IamRig
from tests.unit.crash.crash_world import OVERLAP_S, CrashWorld

BY_HAND = "AKIABYHAND"


@pytest.fixture
def world(patch: pytest.MonkeyPatch) -> CrashWorld:
    """A user with one key, which Keyturn made."""
    made = CrashWorld("aws", IamRig.kind, patch)
    made.ask("rotate")
    assert made.runs[-1].status == "succeeded"
    made.clock.advance(SETTLE_S)
    return made


@pytest.fixture
def rig(world: CrashWorld) -> IamRig:
    return cast("IamRig", world.target)


def steps(world: CrashWorld) -> dict[str, StepRecord]:
    """Those of the last run."""
    return world.whole_ledger.run(world.runs[-1].run_id)[1]


def rotated(world: CrashWorld) -> str:
    """The id of the key that a rotation made current."""
    world.ask("rotate")
    assert world.runs[-1].status == "succeeded", world.runs[-1].failure
    return steps(world)["stage"].facts["public_key_id"]


def retired(world: CrashWorld) -> None:
    """The overlap's end, at its time."""
    world.clock.advance(OVERLAP_S)
    world.ask("retire")


def test_the_ledger_holds_the_keys_id_and_never_its_secret(world: CrashWorld, rig: IamRig) -> None:
    key_id = rotated(world)
    rows = repr(vars(world.rows))
    assert key_id in rows
    assert rig.service.keys[key_id].secret not in rows


def test_the_intent_is_written_before_the_target_makes_anything(world: CrashWorld, rig: IamRig) -> None:
    before = set(rig.service.keys)
    rotated(world)
    assert steps(world)["stage"].intent["held_before"].split() == sorted(before)
    assert not [name for name in steps(world)["stage"].intent if name.startswith("public_")]


def test_a_second_key_that_somebody_made_stops_the_run_before_it_does_anything(world: CrashWorld, rig: IamRig) -> None:
    rig.service.add(BY_HAND)
    world.clock.advance(LAG_S)
    before, versions = set(rig.service.keys), world.store_rig.versions()
    world.ask("rotate")
    assert (world.runs[-1].status, world.runs[-1].failure["reason"]) == ("failed", "slot_taken")
    assert (set(rig.service.keys), world.store_rig.versions()) == (before, versions)
    assert (world.head.run_id, world.head.leftover) == ("", "")


def test_a_key_that_is_accepted_late_is_looked_at_again_and_not_withdrawn(world: CrashWorld) -> None:
    rotated(world)
    assert steps(world)["test"].attempts > 1
    assert steps(world)["test"].facts["verdict"] == "accepted"


def test_a_key_that_is_never_accepted_fails_when_the_target_has_had_its_time_and_is_deleted(
    world: CrashWorld, rig: IamRig
) -> None:
    before = set(rig.service.keys)
    rig.service.lag_s = 10 * SETTLE_S
    world.clock.advance(rig.service.lag_s)
    world.ask("rotate")
    assert (world.runs[-1].status, world.runs[-1].failure["reason"]) == ("failed", "test_refused")
    assert set(rig.service.keys) == before


def test_a_retired_key_is_inactive_until_the_next_run_needs_its_place(world: CrashWorld, rig: IamRig) -> None:
    (first,) = rig.service.keys
    second = rotated(world)
    retired(world)
    assert steps(world)["prove"].facts["proof"] == "dead"
    assert steps(world)["prove"].attempts > 1, "the target answers late, and was believed at once"
    assert (set(rig.service.keys), rig.accepted()) == ({first, second}, {second})
    third = rotated(world)
    assert set(rig.service.keys) == {second, third}


def test_a_rollback_after_the_retirement_sets_the_old_key_active_again(world: CrashWorld, rig: IamRig) -> None:
    (first,) = rig.service.keys
    rotated(world)
    retired(world)
    assert first not in rig.accepted()
    world.ask("rollback")
    assert world.runs[-1].status == "succeeded", world.runs[-1].failure
    assert first in rig.accepted()


def test_an_old_key_that_somebody_still_uses_is_not_revoked_and_the_run_says_when_it_was_used(
    world: CrashWorld, rig: IamRig
) -> None:
    (first,) = rig.service.keys
    rotated(world)
    world.clock.advance(OVERLAP_S)
    used = rig.service.used[first] = world.clock()
    world.clock.advance(DEFAULT_GRACE_S - 1)
    world.ask("retire")
    assert world.runs[-1].failure["reason"] == "old_in_use"
    assert steps(world)["witness"].facts["old_last_used_at"] == used.isoformat()
    assert first in rig.accepted()
    assert rig.service.used[first] == used, "showing it to the target is a use: it would put off its own retirement"
    world.clock.advance(1)
    world.ask("retire")
    assert world.runs[-1].status == "succeeded", world.runs[-1].failure
    assert steps(world)["witness"].facts["old_last_used_at"] == used.isoformat()
    assert first not in rig.accepted()


def test_an_emergency_waits_for_nobody(world: CrashWorld, rig: IamRig) -> None:
    (first,) = rig.service.keys
    world.clock.advance(OVERLAP_S)
    rig.service.used[first] = world.clock()
    world.ask("rotate", emergency=True)
    assert world.head.overlap is None, world.runs[-1].failure
    assert first not in rig.accepted()


def test_only_one_try_is_made_to_make_a_key_and_the_limit_is_never_found_by_trying(
    world: CrashWorld, rig: IamRig
) -> None:
    calls: list[str] = []
    passing = rig.service.passing

    def counted(name: str, exchange: Callable[[], Any]) -> Any:
        calls.append(name)
        return passing(name, exchange)

    rig.service.passing = counted
    rotated(world)
    assert calls.count("iam.create_access_key") == 1
    assert "iam.delete_access_key" not in calls
