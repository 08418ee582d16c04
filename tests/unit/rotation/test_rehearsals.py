"""A rehearsal is rotate, roll back and rotate again in a day; how long there was none shows, from the first look on."""

from __future__ import annotations

import pytest
from sweep_world import DAY, HOUR, SweepWorld, policy

from rotation.control.signals import Gauge


def age_after(*told: tuple[str, str], pause_s: int = HOUR) -> float:
    """Seconds that the metric shows a minute after runs, each of a machine with its end, of a stack of ten days."""
    world = SweepWorld(policy("a/one", cadence="rate(365 days)"))
    world.look()
    world.clock.advance(10 * DAY)
    for i, (machine, status) in enumerate(told):
        world.clock.advance(pause_s)
        world.ended("a/one", f"arn:{i}", status, machine=machine)
    world.clock.advance(59)
    world.look()
    return world.told.gauges[Gauge.REHEARSAL_AGE]


ROTATE, BACK, RETIRE = ("rotate", "succeeded"), ("rollback", "succeeded"), ("retire", "succeeded")


@pytest.mark.parametrize(
    "told",
    [
        (ROTATE, BACK, ROTATE),
        (ROTATE, RETIRE, BACK, RETIRE, ROTATE),
        (ROTATE, BACK, ("rotate", "failed"), ROTATE),
        (ROTATE, ROTATE, BACK, ROTATE),
    ],
)
def test_rotate_roll_back_and_rotate_again_is_a_rehearsal(told: tuple[tuple[str, str], ...]) -> None:
    assert age_after(*told) == 60


@pytest.mark.parametrize(
    "told",
    [
        (),
        (ROTATE, ROTATE, ROTATE),
        (BACK, ROTATE),
        (ROTATE, BACK),
        (ROTATE, ("rollback", "failed"), ROTATE),
        (ROTATE, BACK, ("rotate", "failed")),
        (ROTATE, BACK, BACK, ROTATE),
    ],
)
def test_anything_less_is_none_and_the_age_counts_from_the_first_look(told: tuple[tuple[str, str], ...]) -> None:
    assert age_after(*told) >= 10 * DAY


def test_three_runs_that_only_came_one_after_the_other_are_none() -> None:
    assert age_after(ROTATE, BACK, ROTATE, pause_s=DAY) >= 10 * DAY
