"""How late the sweep is shows, between two windows too, and whatever a rotation waits for."""

from __future__ import annotations

from sweep_world import DAY, HOUR, MINUTE, SweepWorld, policy, row

from rotation.control import emergency as asking
from rotation.control.signals import Gauge
from rotation.policy import Window

WHO = {"reason": "leaked", "requested_by": "arn:alice"}


def test_a_missed_window_rolls_forward_and_shows_as_overdue() -> None:
    world = SweepWorld(policy("a/one", cadence="cron(0 2 ? * TUE *)", window=Window(opens=2, hours=1)))
    world.look()
    world.due_now("a/one")
    since = row(world, "a/one").since
    world.clock.advance(HOUR)
    assert world.look() == []
    rolled = row(world, "a/one")
    assert rolled.since == since
    assert rolled.due_at[:13] == "2026-01-07T02", "the next day's window"
    assert world.told.gauges[Gauge.MAX_OVERDUE] == HOUR
    world.due_now("a/one")
    assert world.look() == ["a/one"]
    world.end("a/one")
    world.look()
    assert world.told.gauges[Gauge.MAX_OVERDUE] == 0.0


def test_a_weekly_window_that_was_missed_shows_as_overdue_on_every_day_until_the_next() -> None:
    window = Window(opens=2, hours=1, days=("TUE",))
    world = SweepWorld(policy("a/one", cadence="cron(0 2 ? * TUE *)", window=window))
    world.look()
    world.due_now("a/one")
    shown = []
    for _ in range(6):
        world.clock.advance(DAY)
        world.look()
        shown.append(world.told.gauges[Gauge.MAX_OVERDUE] / DAY)
    assert shown == [1, 2, 3, 4, 5, 6]
    world.catalogue.change()
    world.look()
    assert world.told.gauges[Gauge.MAX_OVERDUE] == 0.0, "of a policy that is gone"


def test_a_run_that_does_not_end_shows_as_overdue() -> None:
    world = SweepWorld(policy("a/one", cadence="rate(7 days)"))
    world.look()
    world.due_now("a/one")
    assert world.look() == ["a/one"]
    world.clock.advance(MINUTE)
    world.look()
    assert world.told.gauges[Gauge.MAX_OVERDUE] == 0.0, "it has only begun"
    world.clock.advance(30 * DAY)
    assert world.look() == []
    assert world.told.gauges[Gauge.MAX_OVERDUE] == 30 * DAY + MINUTE


def test_an_emergency_that_waits_shows_as_overdue_although_its_schedule_is_far_away() -> None:
    world = SweepWorld(policy("a/one", cadence="rate(90 days)"))
    world.look()
    asking.emergency(world.desk, {"secret": "a/one"}, WHO)
    world.look()
    world.end("a/one", "failed", "target_denied")
    world.clock.advance(HOUR)
    world.look()
    assert world.told.gauges[Gauge.MAX_OVERDUE] > HOUR
