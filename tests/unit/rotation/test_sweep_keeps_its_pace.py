"""The sweep starts no more than the stores can bear, one of a group at a time, and spread over the hour."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from sweep_world import DAY, SweepWorld, policy

from rotation.control.launches import begin
from rotation.control.signals import Gauge
from rotation.errors import Throttled
from rotation.ledger.budget import (
    AWS_WRITES_S,
    GOOGLE_SECRET_WRITES_S,
    GOOGLE_WRITES_S,
    VAULT_WRITES_S,
    Budgets,
    limits,
)
from rotation.ledger.memory import MemoryRows
from tests.model.clock import Clock

CRON = "cron(0 5 2 * ? *)"
DUE = datetime(2026, 1, 2, 6, tzinfo=UTC)


def due(world: SweepWorld) -> SweepWorld:
    """Everything with the cron above may start."""
    world.look()
    world.clock.moment = DUE
    return world


def test_80_percent_of_each_ceiling_are_used_and_the_rest_is_left_to_others() -> None:
    rates = {limit.pool: limit.rate for store in ("aws", "vault", "gcp") for limit in limits(store, "a/one")}
    ceilings = {
        "aws": AWS_WRITES_S,
        "vault": VAULT_WRITES_S,
        "gcp": GOOGLE_WRITES_S,
        "gcp/a/one": GOOGLE_SECRET_WRITES_S,
    }
    assert rates == pytest.approx({pool: 0.8 * ceiling for pool, ceiling in ceilings.items()})


def test_writes_that_are_asked_for_without_end_come_at_80_percent_of_the_ceiling(clock: Clock) -> None:
    budgets, begun, written = Budgets(MemoryRows(), clock), clock.moment, 0
    (limit,) = limits("aws", "a/one")
    while clock.moment - begun < timedelta(seconds=3):
        try:
            budgets.take(limit, f"a/{written}", 1)
            written += 1
        except Throttled:
            clock.advance(0.01)
    # what the bucket holds at first comes on top
    assert 0.7 * AWS_WRITES_S * 3 < written <= 0.8 * AWS_WRITES_S * 3 + 0.2 * AWS_WRITES_S


def test_a_look_that_follows_at_once_does_not_take_the_starts_that_another_has_taken() -> None:
    world = due(SweepWorld(*[policy(f"a/{i}", store="gcp", cadence=CRON) for i in range(30)]))
    assert (len(world.look()), len(world.look())) == (20, 0)


def test_of_two_sweeps_that_saw_a_group_at_rest_one_takes_its_turn() -> None:
    world = due(SweepWorld(*[policy(f"g/{i}", group="g", cadence=CRON) for i in range(2)]))
    agenda = world.desk.ledger.agenda
    seen, rows = agenda.group("g"), [agenda.of(f"g/{i}") for i in range(2)]
    assert [begin(world.desk, row, seen) for row in rows if row] == [True, False]
    assert len(world.machines.started) == 1


def test_a_member_that_a_person_rotates_holds_its_group() -> None:
    world = due(SweepWorld(*[policy(f"g/{i}", group="g", cadence=CRON) for i in range(2)]))
    world.claimed_by_hand("g/0")
    assert world.look() == []


def test_what_is_due_at_the_same_hour_starts_spread_over_half_of_it() -> None:
    world = SweepWorld(*[policy(f"a/{i}", cadence=CRON) for i in range(40)])
    world.look()
    rows = [world.desk.ledger.agenda.of(f"a/{i}") for i in range(40)]
    moments = sorted(datetime.fromisoformat(row.due_at) for row in rows if row)
    hour = DUE - timedelta(hours=1)
    assert hour <= moments[0] < moments[-1] < hour + timedelta(minutes=30)
    assert moments[-1] - moments[0] > timedelta(minutes=20)
    assert max(later - earlier for earlier, later in pairwise(moments)) < timedelta(minutes=5)


def test_how_long_ago_the_last_rehearsal_was_is_told_at_every_look() -> None:
    world = SweepWorld(policy("a/one"))
    world.desk.ledger.rehearsals.held(world.desk.ledger.now(), "r")
    ages = []
    for _ in range(2):
        world.clock.advance(3 * DAY)
        world.look()
        ages.append(world.told.gauges[Gauge.REHEARSAL_AGE])
    assert ages == [3 * DAY, 6 * DAY]
