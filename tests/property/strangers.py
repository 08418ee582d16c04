"""What others do to the secret behind Keyturn's back.

Everything they point readers at works: a value that does not would break the invariant by itself, and is held by the
tests of `repair`. Nor do they point readers at a candidate, or at an old credential that a run is just about to revoke:
store and target have no transaction in common, and whoever moves the pointer between two calls of a run is not seen.
"""

from __future__ import annotations

from tests.model.world import NAME
from tests.property.any_order_world import AnyOrderWorld


def another_value(world: AnyOrderWorld) -> None:
    """A credential of their own."""
    world.secret.current = world.secret.add(world.target.set_outside())


def the_old_one(world: AnyOrderWorld) -> None:
    """Back to the old one of the open overlap, while nobody is at work."""
    head, secret = world.whole_ledger.head(NAME), world.secret
    if head.run_id or world.invocations or head.overlap is None:
        return
    old = int(head.overlap.old.id)
    if secret.values[old - 1] is not None and world.target.accepts(secret.ever.get(old)):
        secret.current = old


def what_leaked(world: AnyOrderWorld) -> None:
    """Back to what an emergency has replaced and that is not dead yet."""
    overlap = world.whole_ledger.head(NAME).overlap
    if overlap is not None and overlap.emergency:
        the_old_one(world)


def destroys_the_old_one(world: AnyOrderWorld) -> None:
    """The value that a retirement would show to the target and revoke: its credential is nobody's from then on."""
    head, secret = world.whole_ledger.head(NAME), world.secret
    if head.run_id or world.invocations or head.overlap is None:
        return
    old = int(head.overlap.old.id)
    if old not in (secret.current, secret.shown) and secret.values[old - 1] is not None:
        secret.values[old - 1] = None
        slot, token = secret.ever[old]
        world.target.outside[slot] = token


def a_pending(world: AnyOrderWorld) -> None:
    """A value that nothing accepts, where none is pending."""
    if world.secret.pending is None:
        world.secret.pending = world.secret.add(world.target.unset_value())


def a_placeholder(world: AnyOrderWorld) -> None:
    """A pending version without a value."""
    if world.secret.pending is None:
        world.secret.pending = world.secret.add_placeholder()


DEEDS = {
    "points readers at another value": another_value,
    "points readers at the old one": the_old_one,
    "leaves a pending value": a_pending,
    "leaves a placeholder": a_placeholder,
}
