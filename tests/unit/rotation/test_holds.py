"""A rotation that a person starts is held by what holds the schedule, says until when, and what passes it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sweep_world import SweepWorld, policy

from rotation.contract import Version
from rotation.control import emergency as asking
from rotation.control import verbs
from rotation.control.outlook import meets
from rotation.errors import Refused, Unavailable
from rotation.ledger.records import Head, head_key, to_row
from rotation.ledger.rows import Put
from rotation.ledger.switch import Who
from rotation.policy import Freeze, Policy, Window

WHO = {"reason": "a test", "requested_by": "arn:aws:iam::000000000000:user/alice"}
# A Thursday.
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
CRON = "cron(0 5 2 * ? *)"


def world_of(*policies: Policy, first: bool = False) -> SweepWorld:
    """At noon; each secret has a current version, unless it is to get its first."""
    world = SweepWorld(*policies)
    world.clock.moment = NOON
    for one in policies:
        head = Head(secret=one.name, current=None if first else Version(id="1"))
        world.rows.write([Put(key=head_key(one.name), row=to_row(head))])
    return world


def refused(world: SweepWorld, secret: str, flags: str = "") -> Refused:
    with pytest.raises(Refused) as found:
        verbs.rotate(world.desk, secret, WHO, flags)
    assert world.machines.started == []
    return found.value


@pytest.mark.parametrize(
    ("rules", "reason", "when"),
    [
        ({"window": Window(opens=2, hours=1)}, "outside_window", "2026-01-02T02:00:00"),
        ({"window": Window(opens=11, hours=2, days=("MON",))}, "outside_window", "2026-01-05T11:00:00"),
        ({"freezes": (Freeze(first="12-24", last="01-06", why="closed"),)}, "frozen_by_policy", "2026-01-07T00:00:00"),
        (
            {"window": Window(opens=11, hours=2), "freezes": (Freeze(first="2026-01-01", last="2026-01-02", why="x"),)},
            "frozen_by_policy",
            "2026-01-03T11:00:00",
        ),
    ],
    ids=["before the window", "another day", "a freeze", "a freeze over the window"],
)
def test_outside_its_time_it_is_refused_with_when_it_may_start(rules: dict[str, Any], reason: str, when: str) -> None:
    world = world_of(policy("a/one", **rules))
    found = refused(world, "a/one")
    assert found.reason == reason
    assert when in found.message
    for option in ("--emergency", "--break-glass"):
        assert option in found.remedy
    plan = meets(world.desk, world.catalogue.policy("a/one"))["held"]
    assert (plan["reason"], plan["message"]) == (reason, found.message)
    world.clock.moment = datetime.fromisoformat(f"{when}+00:00")
    assert verbs.rotate(world.desk, "a/one", WHO)["run_id"]
    assert meets(world.desk, world.catalogue.policy("a/one"))["held"] is None


def test_while_a_member_of_its_group_is_rotated_it_is_refused_and_the_member_is_named() -> None:
    world = world_of(policy("g/one", group="g", cadence=CRON), policy("g/two", group="g"), policy("h/one", group="h"))
    world.look()
    world.due_now("g/one")
    assert world.look() == ["g/one"]
    world.machines.started.clear()
    found = refused(world, "g/two")
    assert (found.reason, "g/one" in found.message) == ("group_held", True)
    assert verbs.rotate(world.desk, "h/one", WHO)["run_id"]


def test_a_child_is_refused_while_its_parent_is_due_or_rotated() -> None:
    world = world_of(policy("p/parent", cadence=CRON), policy("p/child", parent="p/parent"))
    world.look()
    world.due_now("p/parent")
    found = refused(world, "p/child")
    assert (found.reason, "`keyturn rotate p/parent`" in found.remedy) == ("parent_due", True)
    world.look()
    world.machines.started.clear()
    assert refused(world, "p/child").reason == "parent_due"
    world.clock.advance(1)
    world.machines.start("rotate", "again", {"secret": "p/parent"})
    row = world.desk.ledger.agenda.of("p/parent")
    assert row is not None
    world.ended("p/parent", row.execution)
    assert verbs.rotate(world.desk, "p/child", WHO)["run_id"]


@pytest.mark.parametrize("flags", ["emergency", "break_glass"])
def test_an_emergency_and_break_glass_pass_all_of_it(flags: str) -> None:
    held = policy("a/one", window=Window(opens=2, hours=1), group="g", parent="p/parent")
    world = world_of(held, policy("g/two", group="g", cadence=CRON), policy("p/parent", cadence=CRON))
    world.look()
    world.due_now("g/two")
    world.due_now("p/parent")
    world.look()
    world.machines.started.clear()
    assert verbs.rotate(world.desk, "a/one", WHO, flags)["run_id"]


def test_a_first_value_is_held_by_none_because_nobody_has_one_yet() -> None:
    world = world_of(policy("a/one", window=Window(opens=2, hours=1)), first=True)
    assert verbs.rotate(world.desk, "a/one", WHO)["run_id"]


def test_an_emergency_of_a_group_knows_members_that_no_sweep_has_read() -> None:
    world = world_of(policy("g/one", group="g"), policy("a/one"))
    world.look()
    world.catalogue.change(policy("g/one", group="g"), policy("g/two", group="g"), policy("a/one", group="g"))
    asked = asking.emergency(world.desk, {"group": "g"}, WHO)
    assert sorted(asked["asked"]) == ["a/one", "g/one", "g/two"]


def test_a_catalogue_of_more_than_one_call_can_read_is_said_to_be_and_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rotation.control.due_rows.POLICIES_PER_LOOK", 3)
    world = world_of(*(policy(f"g/{i}", group="g") for i in range(5)))
    with pytest.raises(Unavailable, match="catalogue_not_read"):
        asking.emergency(world.desk, {"group": "g"}, WHO)
    assert len(asking.emergency(world.desk, {"group": "g"}, WHO)["asked"]) == 5


def test_a_switch_is_not_told_as_a_hold_of_the_policy() -> None:
    world = world_of(policy("a/one", window=Window(opens=11, hours=2)))
    world.desk.ledger.switchboard.set(Who(actor="on-call", reason="test", verb="engage"), engaged=True)
    assert meets(world.desk, world.desk.catalogue.policy("a/one"))["held"] is None
    assert verbs.rotate(world.desk, "a/one", WHO)["execution"], "the claim refuses it, in the switch's own words"
