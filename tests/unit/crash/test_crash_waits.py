"""Crash points of runs that wait: no approval is lost or used twice, nothing retires without the gate, news arrives.

One combination of store and type: what a run waits for does not depend on either. Beside the calls of machines those of
a person's answer and of the sweep's look are numbered, in the phases in which the wait matters.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from tests.unit.crash.crash_checks import check, check_life_goes_on
from tests.unit.crash.crash_people import PeopleWorld
from tests.unit.crash.crash_stories import ENDINGS, Combo, Moment, Story, Walk, died, undisturbed
from tests.unit.crash.crash_suite import Record, naming
from tests.unit.crash.crash_waits import (
    ACKNOWLEDGEMENTS,
    APPROVALS,
    WAITS,
    check_acknowledgements,
    check_approvals,
    lost,
    start_late,
    waiting,
)
from tests.unit.crash.crash_world import Fate

COMBO: Combo = ("gcp", "signing-key")
# Whose death costs only the call: the execution goes on.
_OTHERS = ("before verb", "after verb", "before sweep", "after sweep")
# Endings in which nobody gives up what was agreed to.
_KEEPING = {"the retries are spent", "killed, the sweep resumes"}


def everything_holds(world: PeopleWorld) -> None:
    """Whatever a run waited for."""
    check(world)
    check_approvals(world)
    check_acknowledgements(world)


def walked(story: Story, patch: pytest.MonkeyPatch) -> Walk:
    walk = undisturbed(COMBO, story, patch)
    assert walk.world.runs[-1].status == story.ends, walk.world.runs[-1].failure
    everything_holds(walk.world)  # type: ignore[arg-type]
    return walk


def dead(story: Story, patch: pytest.MonkeyPatch, fate: Fate, moment: Moment) -> PeopleWorld:
    world = died(COMBO, story, patch, fate, moment)
    assert isinstance(world, PeopleWorld)
    return world


def life_goes_on(world: PeopleWorld) -> None:
    """Whoever was behind has caught up, somebody agrees again: the overlap ends, and the next rotation succeeds."""
    world.before.clear()
    world.says = "approve"
    world.everybody_acknowledges()
    check_life_goes_on(world)
    everything_holds(world)


@pytest.mark.parametrize("story", WAITS)
def test_a_task_or_a_look_or_an_answer_that_is_tried_again_ends_as_if_nobody_had_died(
    story: str, patch: pytest.MonkeyPatch, record_property: Record
) -> None:
    told = WAITS[story]
    walk = walked(told, patch)
    versions, told_of = walk.world.store_rig.versions(), walk.world.channel.ids()
    moments = waiting(walk, walk.every, after=True)
    for name, moment in moments.items():
        world = dead(told, patch, Fate.RETRIED, moment)
        with naming(name):
            assert world.runs[-1].status == told.ends, world.runs[-1].failure
            assert (world.store_rig.versions(), world.channel.ids()) == (versions, told_of)
            assert not lost(world)
            everything_holds(world)
    life_goes_on(world)
    record_property("crash points", [*COMBO, len(walk.calls), len(moments)])


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("story", WAITS)
def test_an_execution_that_ends_otherwise_keeps_what_it_waited_for(
    story: str, ending: str, patch: pytest.MonkeyPatch, record_property: Record
) -> None:
    told, (fate, end) = WAITS[story], ENDINGS[ending]
    walk = walked(told, patch)
    moments = {n: at for n, at in waiting(walk, walk.different).items() if not n.startswith(_OTHERS)}
    for name, moment in moments.items():
        world = dead(told, patch, fate, moment)
        with naming(name):
            end(world, told)
            world.is_told()
            assert ending not in _KEEPING or fate is Fate.GAVE_UP or not lost(world), "what was agreed to was lost"
            everything_holds(world)
            life_goes_on(world)
    record_property("crash points", [*COMBO, 0, len(moments)])


def _leaves_it(told: Story, world: PeopleWorld) -> None:
    told.setting(world)
    world.asks_again = False


@pytest.mark.parametrize("story", APPROVALS)
def test_an_answer_that_nobody_repeats_is_given_or_was_never_there(
    story: str, patch: pytest.MonkeyPatch, record_property: Record
) -> None:
    told = APPROVALS[story]
    walk = walked(told, patch)
    moments = {n: at for n, at in waiting(walk, walk.every).items() if n.startswith(_OTHERS)}
    for name, moment in moments.items():
        world = dead(replace(told, setting=partial(_leaves_it, told)), patch, Fate.RETRIED, moment)
        with naming(name):
            assert not lost(world)
            everything_holds(world)
            world.asks_again = True
            life_goes_on(world)
    assert moments
    record_property("crash points", [*COMBO, 0, len(moments)])


def test_an_instance_that_starts_late_while_a_retirement_is_dead_is_waited_for(
    patch: pytest.MonkeyPatch, record_property: Record
) -> None:
    told = ACKNOWLEDGEMENTS["everybody acknowledged"]
    walk = walked(told, patch)
    waited_for = 0
    moments = waiting(walk, walk.different, after=True)
    for name, moment in moments.items():
        world = dead(told, patch, Fate.KILLED, moment)
        begun = "revoke" in world.whole_ledger.run(world.runs[-1].run_id)[1]
        with naming(name):
            if not begun:
                waited_for += 1
                start_late(world)
            world.settle()
            assert (world.head.overlap is None) is begun, "it was not waited for"
            everything_holds(world)
            life_goes_on(world)
    assert waited_for
    record_property("crash points", [*COMBO, 0, len(moments)])
