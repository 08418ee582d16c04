"""Rare moments, led to on purpose: storms alone hardly ever come upon them. Each begins when nothing is under way.

A story only sets the scene, with the runtime's own verbs; what follows is the storm's. Returns whether the moment came.
`look`: the invariants, held after each invocation of a story as after each step of a storm.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rotation.contract import Verdict
from rotation.errors import Refused
from tests.model.world import NAME
from tests.property import quiet, strangers, weather
from tests.property.any_order_world import AnyOrderWorld

Look = Callable[[], None]
Story = Callable[[AnyOrderWorld, Look], bool]


def _ended(world: AnyOrderWorld, look: Look) -> None:
    """Everything that is under way comes to its end."""
    for _ in range(quiet.MANY_CALLS):
        if not world.invocations:
            return
        quiet.finish(world, world.invocations[0])
        look()
    raise AssertionError("machines go on for ever")


def _asked(world: AnyOrderWorld, look: Look, verb: str, **fields: Any) -> None:
    """A verb, and everything that it starts, to its end; what it refuses is no matter here."""
    quiet.finish(world, world.ask(verb, **fields))
    _ended(world, look)


def _rotated(world: AnyOrderWorld, look: Look) -> bool:
    """Whether an overlap is open."""
    _ended(world, look)
    quiet.brakes_off(world)
    if world.whole_ledger.head(NAME).overlap is None:
        _asked(world, look, "rotate")
    return world.whole_ledger.head(NAME).overlap is not None


def _moved(world: AnyOrderWorld, deed: Callable[[AnyOrderWorld], None]) -> bool:
    before = world.secret.current, [value is None for value in world.secret.values]
    deed(world)
    return before != (world.secret.current, [value is None for value in world.secret.values])


def back_to_the_old(world: AnyOrderWorld, look: Look) -> bool:
    """A stranger points readers at the old one of an open overlap."""
    return _rotated(world, look) and _moved(world, strangers.the_old_one)


def old_destroyed(world: AnyOrderWorld, look: Look) -> bool:
    """A stranger destroys the old one of an open overlap."""
    return _rotated(world, look) and _moved(world, strangers.destroys_the_old_one)


def back_to_what_leaked(world: AnyOrderWorld, look: Look) -> bool:
    """A stranger points readers at what an emergency has replaced, while the target keeps accepting it."""
    _ended(world, look)
    quiet.brakes_off(world)
    _asked(world, look, "rotate", emergency=True)
    weather.target_refuses(world, 0)
    _asked(world, look, "rotate", emergency=True)
    return _moved(world, strangers.what_leaked)


def forgo_refused(world: AnyOrderWorld, look: Look) -> bool:
    """A rollback over a retired version fails, and the target does not take back what it was given for it."""
    if _rotated(world, look):
        _asked(world, look, "overlap_close")
    world.target.broken = {"revoke": Refused("target_says_no", "not now"), "probe": Verdict.UNPROVEN}
    _asked(world, look, "rollback")
    head = world.whole_ledger.head(NAME)
    return bool(head.run_id) and world.whole_ledger.run(head.run_id)[0].status == "stuck"


def late_readers(world: AnyOrderWorld, look: Look) -> bool:
    """A rotation that readers do not see yet, where the store's pointer can be late."""
    _ended(world, look)
    quiet.brakes_off(world)
    weather.pointer_lags(world, 0)
    _asked(world, look, "rotate")
    return world.secret.shown not in (None, world.secret.current)


STORIES: dict[str, Story] = {
    "back to the old one": back_to_the_old,
    "the old one is destroyed": old_destroyed,
    "back to what leaked": back_to_what_leaked,
    "a rollback is not forgone": forgo_refused,
    "readers are late": late_readers,
}
