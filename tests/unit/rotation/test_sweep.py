"""The sweep starts what is due, when it may, once, and never reads what is not due."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from sweep_world import DAY, HOUR, MINUTE, SweepWorld, policy, row

from rotation.control.signals import Finding, Gauge
from rotation.ledger.records import to_row
from rotation.ledger.rows import Put
from rotation.ledger.switch import Who
from rotation.policy import Freeze, Window

PERSON = Who(actor="on-call", reason="test", verb="test")


def test_a_new_policy_is_due_within_its_interval_and_rotates_then_and_an_interval_later() -> None:
    world = SweepWorld(policy("a/one", cadence="rate(7 days)"))
    assert world.look() == []
    first = row(world, "a/one")
    assert "2026-01-01" < first.due_at < "2026-01-08T23"
    world.due_now("a/one")
    assert world.look() == ["a/one"]
    world.clock.advance(5 * MINUTE)
    world.end("a/one")
    second = row(world, "a/one")
    passed = datetime.fromisoformat(second.due_at) - datetime.fromisoformat(first.due_at)
    assert passed.total_seconds() == 7 * DAY
    world.due_now("a/one")
    assert world.look() == ["a/one"]


def test_a_rotation_keeps_its_place_in_its_window_for_years() -> None:
    window = Window(opens=2, hours=2, days=("TUE",))
    world = SweepWorld(policy("a/one", cadence="rate(7 days)", window=window))
    world.look()
    starts = []
    for _ in range(60):
        world.due_now("a/one")
        assert world.look() == ["a/one"]
        starts.append(world.clock.moment)
        world.clock.advance(40 * MINUTE)
        world.end("a/one")
    assert {(one.isoweekday(), one.hour) for one in starts} == {(2, 2)}
    assert (starts[-1] - starts[0]).days == 59 * 7, "a window was missed"


def test_nothing_starts_in_a_freeze_of_the_policy() -> None:
    freezes = (Freeze(first="2026-01-01", last="2026-01-20", why="launch"),)
    world = SweepWorld(policy("a/one", cadence="rate(1 day)", freezes=freezes))
    world.look()
    assert row(world, "a/one").due_at > "2026-01-21"
    assert world.told.gauges[Gauge.MAX_OVERDUE] == 0.0


def test_a_changed_policy_moves_its_due_time_and_a_removed_one_is_forgotten() -> None:
    one, two = policy("a/one", cadence="rate(90 days)"), policy("a/two", cadence="rate(90 days)")
    world = SweepWorld(one, two)
    world.look()
    before = row(world, "a/two")
    world.catalogue.read.clear()
    world.catalogue.change(replace(one, cadence="cron(0 5 2 * ? *)"))
    world.look()
    assert row(world, "a/one").due_at[:13] == "2026-01-02T05"
    assert (world.desk.ledger.agenda.of("a/two"), before.secret) == (None, "a/two")
    assert world.catalogue.read == ["a/one"], "of what changed, and of nothing else"


def test_a_catalogue_that_did_not_change_is_not_read_and_neither_is_any_policy() -> None:
    world = SweepWorld(*[policy(f"a/{i}") for i in range(50)])
    world.look()
    world.look()
    world.catalogue.read.clear()
    world.catalogue.index = None  # type: ignore[assignment, method-assign]  # calling it would raise
    world.look()
    assert world.catalogue.read == []


def test_what_aws_rotates_by_itself_is_none_of_the_sweeps_business() -> None:
    world = SweepWorld(policy("a/one", scheduler="native"))
    world.look()
    assert world.desk.ledger.agenda.of("a/one") is None
    world.catalogue.change(policy("a/one"))
    world.look()
    assert row(world, "a/one").since


def test_a_failed_run_is_tried_again_after_a_pause_that_grows_under_another_name() -> None:
    world = SweepWorld(policy("a/one", cadence="rate(1 day)"))
    world.look()
    world.due_now("a/one")
    pauses = []
    for _ in range(3):
        begun = world.clock.moment
        for _ in range(20):
            if world.look():
                break
            world.clock.advance(5 * MINUTE)
        pauses.append((world.clock.moment - begun).total_seconds())
        world.end("a/one", "failed", "target_denied")
    assert pauses == [0, 15 * MINUTE, 30 * MINUTE]
    assert len({name for _, name, _ in world.machines.started}) == 3
    assert row(world, "a/one").cause == "target_denied"
    world.look()
    assert world.told.gauges[Gauge.MAX_OVERDUE] > 45 * MINUTE


def test_a_run_that_a_person_started_moves_the_due_time_too() -> None:
    world = SweepWorld(policy("a/one", cadence="rate(30 days)"))
    world.look()
    world.clock.moment = datetime(2026, 1, 20, 12, tzinfo=UTC)
    world.ended("a/one", "arn:by-hand")
    assert row(world, "a/one").due_at[:10] == "2026-02-19"


def test_an_execution_that_ended_without_a_record_is_found_and_tried_again() -> None:
    world = SweepWorld(policy("a/one"))
    world.look()
    world.due_now("a/one")
    world.look()
    world.clock.advance(HOUR)
    assert world.look() == []
    assert row(world, "a/one").under_way
    world.machines.alive.clear()
    world.look()
    assert (row(world, "a/one").cause, row(world, "a/one").under_way) == ("execution_lost", False)


def test_of_a_group_one_member_runs_at_a_time_whoever_started_it() -> None:
    world = SweepWorld(*[policy(f"a/{i}", group="g", cadence="cron(0 5 2 * ? *)") for i in range(3)])
    world.look()
    world.clock.moment = datetime(2026, 1, 2, 6, tzinfo=UTC)
    order = world.look()
    assert len(order) == 1
    assert world.look() == []
    for _ in range(2):
        world.clock.advance(MINUTE)
        world.end(order[-1])
        order += world.look()
    assert sorted(order) == ["a/0", "a/1", "a/2"]


def test_a_child_waits_for_its_parent_where_both_are_due() -> None:
    cron = "cron(0 5 2 * ? *)"
    world = SweepWorld(policy("a/child", parent="a/parent", cadence=cron), policy("a/parent", cadence=cron))
    world.look()
    world.clock.moment = datetime(2026, 1, 2, 6, tzinfo=UTC)
    assert world.look() == ["a/parent"]
    assert world.look() == []
    world.clock.advance(MINUTE)
    world.end("a/parent")
    assert world.look() == ["a/child"]


def test_a_child_waits_for_a_parent_that_a_person_rotates_although_it_is_not_due() -> None:
    world = SweepWorld(
        policy("a/child", parent="a/parent", cadence="cron(0 5 2 * ? *)"), policy("a/parent", cadence="rate(90 days)")
    )
    world.look()
    world.clock.moment = datetime(2026, 1, 2, 6, tzinfo=UTC)
    held = replace(world.desk.ledger.head("a/parent"), run_id="by-hand")
    world.rows.write([Put(key=held.key, row=to_row(held))])
    assert world.look() == []
    world.rows.write([Put(key=held.key, row=to_row(replace(held, run_id="")))])
    assert world.look() == ["a/child"]


def test_a_store_is_given_no_more_starts_than_its_ceiling_allows_and_the_rest_follows() -> None:
    cron = "cron(0 5 2 * ? *)"
    world = SweepWorld(*[policy(f"a/{i}", store="gcp", cadence=cron) for i in range(60)])
    world.look()
    world.clock.moment = datetime(2026, 1, 2, 6, tzinfo=UTC)
    begun = world.desk.ledger.now()
    counts = []
    for _ in range(4):
        counts.append(len(world.look(begun)))
        world.clock.advance(10)
    assert counts == [20, 20, 20, 0], "two a second: four writes each, at 80 % of ten writes a second"


def test_nothing_is_started_while_the_stack_is_stopped_and_how_late_it_is_shows() -> None:
    world = SweepWorld(policy("a/one"), policy("a/two"))
    world.look()
    world.due_now("a/one")
    world.due_now("a/two")
    world.desk.ledger.switchboard.set(PERSON, engaged=True)
    world.clock.advance(HOUR)
    assert world.look() == []
    assert world.told.gauges[Gauge.MAX_OVERDUE] >= HOUR
    world.desk.ledger.switchboard.set(PERSON, engaged=False)
    world.desk.ledger.switchboard.freeze(PERSON, ["a/two"], "2027-01-01T00:00:00.000000Z")
    assert world.look() == ["a/one"]


def test_one_policy_that_cannot_be_read_is_told_and_stops_no_other() -> None:
    world = SweepWorld(policy("a/bad", cadence="rate(x)"), policy("a/good"))
    world.look()
    assert row(world, "a/good").since
    assert world.told.findings == [Finding.STUCK]
