"""What happens around the runs: time, clocks, lagging index and pointer, a stubborn target, brakes, strangers.

The releases stand beside the brakes as often as all of them, or nothing would ever move.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from rotation.errors import Refused
from rotation.ledger.moments import timestamp
from rotation.ledger.switch import Who
from tests.model.world import NAME
from tests.property import quiet, strangers
from tests.property.any_order_world import AnyOrderWorld

# One kind of weather: the world, and by how much a clock is off in it.
Weather = Callable[[AnyOrderWorld, int], None]

_WHO = Who(actor="on-call", reason="test", verb="test")
FREEZE_S = 300


def passes(seconds: int) -> Weather:
    """So much time."""

    def weather(world: AnyOrderWorld, _: int) -> None:
        world.advance(seconds)

    return weather


def clock_jumps(world: AnyOrderWorld, seconds: int) -> None:
    """Time does not pass; it is only told wrongly."""
    world.clock.advance(seconds)


def brake(name: str) -> Weather:
    """One of the stack's brakes."""

    def weather(world: AnyOrderWorld, _: int) -> None:
        later = timestamp(world.clock() + timedelta(seconds=FREEZE_S))
        changes: dict[str, Any] = {name: later if name == "frozen_until" else True}
        world.whole_ledger.switchboard.set(_WHO, **changes)

    return weather


def freeze(world: AnyOrderWorld, _: int) -> None:
    """Of the one secret."""
    later = timestamp(world.clock() + timedelta(seconds=FREEZE_S))
    world.whole_ledger.switchboard.freeze(_WHO, [NAME], later)


def pointer_lags(world: AnyOrderWorld, _: int) -> None:
    """From now on readers get what they get now, where the store's pointer can be late and nobody is at work."""
    idle = not world.invocations and not world.whole_ledger.head(NAME).run_id
    if world.store.capabilities.lagging_pointer and idle:
        world.secret.shown = world.secret.current


def target_refuses(world: AnyOrderWorld, _: int) -> None:
    """The target takes no credential away and gives none back; to what is new it listens."""
    world.target.broken = dict.fromkeys(("withdraw", "restore", "revoke"), Refused("target_says_no", "not now"))


def by_stranger(deed: Callable[[AnyOrderWorld], None]) -> Weather:
    """A stranger's deed."""
    return lambda world, _: deed(world)


KINDS: dict[str, Weather] = {
    "a second passes": passes(1),
    "a retry's pause passes": passes(20),
    "a function's timeout passes": passes(61),
    "the sweep's patience passes": passes(700),
    "the clock jumps": clock_jumps,
    "the index lags": lambda world, _: world.rows.lag(),
    "the index catches up": lambda world, _: world.rows.catch_up(),
    "the brakes are released": lambda world, _: quiet.brakes_off(world),
    "the brakes are released, once more": lambda world, _: quiet.brakes_off(world),
    "the brakes are released, and again": lambda world, _: quiet.brakes_off(world),
    "the kill switch is engaged": brake("engaged"),
    "the stack only reports": brake("report_only"),
    "the stack is frozen": brake("frozen_until"),
    "the secret is frozen": freeze,
    **{f"a stranger {deed}": by_stranger(does) for deed, does in strangers.DEEDS.items()},
}
