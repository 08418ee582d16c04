"""A plan names what the sweep would hold a secret for: another member of its group, or a parent that goes first."""

from __future__ import annotations

from datetime import UTC, datetime

from sweep_world import MINUTE, SweepWorld, policy

from rotation.control.outlook import meets

CRON = "cron(0 5 2 * ? *)"
DUE = datetime(2026, 1, 2, 6, tzinfo=UTC)


def test_a_plan_names_the_member_that_holds_the_group_and_not_the_secret_itself() -> None:
    one, two = (policy(f"g/{i}", group="g", cadence=CRON) for i in range(2))
    world = SweepWorld(one, two)
    world.look()
    assert meets(world.desk, two)["group_busy"] == ""
    world.claimed_by_hand("g/0")
    assert (meets(world.desk, two)["group_busy"], meets(world.desk, one)["group_busy"]) == ("g/0", "")


def test_a_plan_says_that_the_parent_goes_first_while_it_is_due_or_under_way() -> None:
    child, parent = policy("a/child", parent="a/parent", cadence="rate(90 days)"), policy("a/parent", cadence=CRON)
    world = SweepWorld(child, parent)
    world.look()
    waits = [meets(world.desk, child)["parent_waits"]]
    world.clock.moment = DUE
    waits.append(meets(world.desk, child)["parent_waits"])
    assert world.look() == ["a/parent"]
    waits.append(meets(world.desk, child)["parent_waits"])
    world.clock.advance(MINUTE)
    world.end("a/parent")
    waits.append(meets(world.desk, child)["parent_waits"])
    assert waits == [False, True, True, False]
