"""What people ask for in an emergency is rotated whatever windows say, and what does not start is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sweep_world import HOUR, MINUTE, SweepWorld, policy, row

from rotation.control import emergency as asking
from rotation.control import verbs
from rotation.control.enrolment import take_in
from rotation.control.signals import Finding
from rotation.errors import Refused
from rotation.ledger.records import to_row
from rotation.ledger.rows import Put
from rotation.ledger.switch import Who
from rotation.policy import Window

WHO = {"reason": "leaked", "requested_by": "arn:alice"}
PERSON = Who(actor="on-call", reason="test", verb="test")


@pytest.mark.parametrize("scope", [{"secret": "a/1"}, {"group": "g"}, {"all": True}])
def test_an_emergency_rotates_all_in_its_scope_whatever_their_windows_say(scope: dict[str, object]) -> None:
    window = Window(opens=2, hours=1)
    world = SweepWorld(
        *[policy(f"a/{i}", group="g" if i in (1, 2) else "", window=window, store="gcp") for i in range(40)]
    )
    world.look()
    world.clock.moment = datetime(2026, 1, 1, 12, tzinfo=UTC)
    asked = asking.emergency(world.desk, scope, WHO)
    wanted = {"secret": 1, "group": 2, "all": 40}[next(iter(scope))]
    assert (len(asked["asked"]), asked["next"]) == (wanted, "")
    assert asking.emergency(world.desk, scope, WHO)["asked"] == []
    started: list[str] = []
    for _ in range(12):
        world.clock.advance(10)
        found = world.look()
        started += found
        for secret in found:
            world.end(secret)
    assert sorted(started) == sorted(asked["asked"])
    assert {given["flags"] for _, _, given in world.machines.started} == {"emergency"}
    assert {given["requested_by"] for _, _, given in world.machines.started} == {"arn:alice"}
    assert not row(world, "a/1").urgent


def test_an_emergency_during_a_rotation_rotates_once_more() -> None:
    world = SweepWorld(policy("a/one"))
    world.look()
    world.due_now("a/one")
    world.look()
    world.clock.advance(1)
    assert asking.emergency(world.desk, {"secret": "a/one"}, WHO)["asked"] == ["a/one"]
    world.clock.advance(1)
    world.end("a/one")
    assert world.look() == ["a/one"]
    world.clock.advance(1)
    world.end("a/one")
    assert not row(world, "a/one").urgent


def test_asking_again_with_the_glass_broken_is_not_taken_for_the_same() -> None:
    world = SweepWorld(policy("a/one"))
    world.look()
    world.desk.ledger.switchboard.freeze(PERSON, ["a/one"], "2027-01-01T00:00:00.000000Z")
    asking.emergency(world.desk, {"secret": "a/one"}, WHO)
    assert world.look() == []
    assert asking.emergency(world.desk, {"secret": "a/one"}, WHO, break_glass=True)["asked"] == ["a/one"]
    assert world.look() == ["a/one"]


def test_an_emergency_does_not_wait_for_the_pause_after_an_ordinary_failure() -> None:
    world = SweepWorld(policy("a/one"))
    world.look()
    world.due_now("a/one")
    assert world.look() == ["a/one"]
    fail(world, "a/one")
    assert world.look() == [], "it pauses"
    asking.emergency(world.desk, {"secret": "a/one"}, WHO)
    assert world.look() == ["a/one"]


def family() -> SweepWorld:
    """A parent and a child that are due in a year; neither was ever rotated."""
    world = SweepWorld(
        policy("a/child", parent="a/parent", cadence="rate(365 days)"), policy("a/parent", cadence="rate(365 days)")
    )
    world.look()
    return world


def fail(world: SweepWorld, secret: str) -> None:
    world.clock.advance(1)
    world.end(secret, "failed", "target_denied")


def test_what_leaked_does_not_wait_for_a_parent_that_is_only_due() -> None:
    world = family()
    world.clock.moment = datetime(2027, 3, 1, tzinfo=UTC)
    assert "a/parent" in world.look()
    fail(world, "a/parent")
    asking.emergency(world.desk, {"secret": "a/child"}, WHO)
    assert world.look() == ["a/child"]


def test_what_leaked_waits_for_a_parent_that_leaked_too_until_that_has_failed() -> None:
    world = family()
    asking.emergency(world.desk, {"all": True}, WHO)
    world.clock.advance(MINUTE)
    assert world.look() == ["a/parent"]
    assert world.look() == [], "the parent is under way"
    fail(world, "a/parent")
    assert world.look() == ["a/child"], "the parent pauses"


def test_what_leaked_follows_a_parent_that_cannot_start_after_an_hour_and_one_under_way_is_told() -> None:
    world = family()
    asking.emergency(world.desk, {"all": True}, WHO)
    world.clock.advance(MINUTE)
    world.desk.ledger.switchboard.freeze(PERSON, ["a/parent"], "2027-01-01T00:00:00.000000Z")
    assert world.look() == []
    assert world.told.findings == []
    world.clock.advance(HOUR)
    assert world.look() == ["a/child"]
    assert world.told.findings == [Finding.EMERGENCY_HELD], "of the parent, which is frozen"


def test_what_leaked_waits_for_a_parent_under_way_by_a_persons_run_and_that_is_told_after_an_hour() -> None:
    world = family()
    held = replace(world.desk.ledger.head("a/parent"), run_id="by-hand")
    world.rows.write([Put(key=held.key, row=to_row(held))])
    asking.emergency(world.desk, {"secret": "a/child"}, WHO)
    assert world.look() == []
    assert world.told.findings == []
    world.clock.advance(HOUR)
    assert world.look() == []
    assert world.told.findings == [Finding.EMERGENCY_HELD]


def waits(world: SweepWorld, secret: str) -> dict[str, Any] | None:
    found: dict[str, Any] | None = verbs.status(world.desk, [secret])[0]["emergency"]
    return found


def test_status_shows_which_emergencies_are_not_done_who_asked_and_how_often_they_failed() -> None:
    world = SweepWorld(policy("a/one"), policy("a/two"))
    world.look()
    asking.emergency(world.desk, {"secret": "a/one"}, WHO, break_glass=True)
    shown = waits(world, "a/one")
    assert shown is not None
    assert {shown[name] for name in ("reason", "requested_by")} == set(WHO.values())
    assert (shown["failures"], shown["break_glass"], bool(shown["asked_at"])) == (0, True, True)
    assert waits(world, "a/two") is None
    assert world.look() == ["a/one"]
    fail(world, "a/one")
    shown = waits(world, "a/one")
    assert shown is not None
    assert (shown["failures"], shown["cause"]) == (1, "target_denied")
    world.clock.advance(HOUR)
    assert world.look() == ["a/one"]
    world.end("a/one")
    assert waits(world, "a/one") is None


@pytest.mark.parametrize("looked", [False, True])
def test_what_aws_rotates_by_itself_is_named_instead_of_asked_for(looked: bool) -> None:
    world = SweepWorld(policy("a/native", scheduler="native"), policy("a/ours"))
    if looked:
        world.look()
    told = asking.emergency(world.desk, {"all": True}, WHO)
    assert told == {"asked": ["a/ours"], "already": [], "not_ours": ["a/native"], "next": ""}
    world.clock.advance(1)
    assert world.look() == ["a/ours"]


def test_a_policy_that_was_just_left_to_aws_is_named_too() -> None:
    world = SweepWorld(policy("a/one"))
    world.look()
    world.catalogue.change(policy("a/one", scheduler="native"))
    take_in(world.desk)
    assert asking.emergency(world.desk, {"all": True}, WHO)["not_ours"] == ["a/one"]


def test_a_call_reads_no_more_policies_than_it_has_time_for_and_says_where_to_go_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(asking, "POLICIES_PER_CALL", 2)
    world = SweepWorld(*[policy(f"a/{i}", scheduler="native" if i % 2 else "keyturn") for i in range(5)])
    first = asking.emergency(world.desk, {"all": True}, WHO)
    assert (first["asked"], first["not_ours"], first["next"]) == (["a/0"], ["a/1"], "a/1")
    second = asking.emergency(world.desk, {"all": True, "after": "a/1"}, WHO)
    assert (second["asked"], second["not_ours"], second["next"]) == (["a/2"], ["a/3"], "a/3")
    last = asking.emergency(world.desk, {"all": True, "after": "a/3"}, WHO)
    assert (last["asked"], last["not_ours"], last["next"]) == (["a/4"], [], "")


@pytest.mark.parametrize(
    ("scope", "reason"),
    [({}, "bad_scope"), ({"all": False}, "bad_scope"), ({"group": "x"}, "unknown_group"), ({"secret": "x"}, "unknown")],
)
def test_a_scope_that_names_nothing_is_refused(scope: dict[str, object], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        asking.emergency(SweepWorld(policy("a/one")).desk, scope, WHO)
    assert refused.value.reason.startswith(reason)
