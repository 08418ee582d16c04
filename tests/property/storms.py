"""How storms are run: so many steps, over all kinds of stores, counted as they ran."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar
from unittest.mock import patch

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.internal.conjecture.providers import HypothesisProvider
from hypothesis.stateful import rule, run_state_machine_as_test

from tests.property import stories
from tests.property.any_order_world import AnyOrderWorld
from tests.property.credentials import KeepingStore, LaggingStore
from tests.property.storm import Storm
from tests.property.waiting_storm import WaitingStorm

# Long enough for a rotation, its retirement and what goes wrong with both; longer ones seldom find more.
STEPS_EACH = 60


class KeepingWorld(AnyOrderWorld):
    """Its store destroys nothing."""

    store = KeepingStore


class KeepingStorm(Storm):
    """Over a store that gives up nothing, as AWS and Vault."""

    world_class: ClassVar[type[AnyOrderWorld]] = KeepingWorld


class LaggingWorld(AnyOrderWorld):
    """Its store's pointer may lag."""

    store = LaggingStore


class ToldStorm(Storm):
    """With stories among its rules: a class of its own, so that they do not thin out the others' rules."""

    @rule(kind=st.sampled_from(list(stories.STORIES)))
    def story(self, kind: str) -> None:
        came = stories.STORIES[kind](self.world, self.watch.look)
        self.step("story", kind if came else f"{kind}, not to be had")
        self.world.settle()


class ToldKeepingStorm(ToldStorm):
    """The same over a store that gives up nothing."""

    world_class: ClassVar[type[AnyOrderWorld]] = KeepingWorld


class LaggingStorm(ToldStorm):
    """The same over a store whose readers are late, as Google's."""

    world_class: ClassVar[type[AnyOrderWorld]] = LaggingWorld


# The storms of nothing but rules, in which the seeds of `test_teeth` are, and all of them.
STORMS: tuple[type[Storm], ...] = (Storm, KeepingStorm)
ALL: tuple[type[Storm], ...] = (*STORMS, ToldStorm, ToldKeepingStorm, LaggingStorm, WaitingStorm)


def run(storm: type[Storm], examples: int, by_seed: int, *, shrink: bool = True) -> tuple[Counter[str], Counter[str]]:
    """Run so many storms; returns the steps by rule and the external calls by name. Raises what was broken."""
    phases = [Phase.generate, Phase.shrink] if shrink else [Phase.generate]
    steps: Counter[str] = Counter()
    calls: Counter[str] = Counter()
    counted = type(storm.__name__, (storm,), {"steps": steps, "calls": calls})
    chosen = settings(
        max_examples=examples,
        stateful_step_count=STEPS_EACH,
        deadline=None,
        database=None,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    try:
        # else a seed is another storm wherever other modules are loaded: their numbers are drawn, too
        with patch.object(HypothesisProvider, "_maybe_draw_constant", return_value=None):
            run_state_machine_as_test(seed(by_seed)(counted), settings=chosen)
    finally:
        RAN.update(steps)
    return steps, calls


# Everything that ran in this process, also in storms that broke.
RAN: Counter[str] = Counter()
