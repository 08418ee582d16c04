"""What has to hold when all is over, whoever died and when."""

from __future__ import annotations

from rotation.contract import SecretRef
from rotation.issuers.registry import issuer_class
from rotation.value import SecretValue
from tests.model.world import NAME
from tests.unit.crash.crash_channel import check_told
from tests.unit.crash.crash_world import OVERLAP_S, CrashWorld


def check(world: CrashWorld) -> None:
    """One current version that is accepted, nothing else about, nobody's claim, no value written down."""
    head, current = world.head, world.store_rig.current()
    assert (head.run_id, head.execution, head.leftover) == ("", "", ""), "a claim or a candidate is left"
    if head.current is None:
        check_nothing_ever_worked(world)
        return
    assert current is not None, "readers get nothing"
    assert head.current.id == current[0], "the ledger names another version than readers get"
    values = [current[1]]
    if head.overlap:
        assert head.overlap.new.id == head.current.id
        values.append(_old_value(world))
    accepted = world.target.accepted()
    if issuer_class(world.target.kind).capabilities.has_target:
        assert world.target.named(current[1]) in accepted, "readers get what the target refuses"
    assert accepted <= {world.target.named(value) for value in values}, "the target accepts what nobody will retire"
    old = {head.overlap.old.id} if head.overlap else set()
    assert world.store_rig.others() <= old, "the store holds a version that nobody knows of"
    check_nothing_is_written_down(world, values)
    if world.policy.invalidate:
        check_told(world.channel, world.whole_ledger, NAME)
    else:
        assert not world.channel.told


def check_nothing_ever_worked(world: CrashWorld) -> None:
    """A first run that did not succeed: nothing is accepted, and nothing waits in the store that a run would trip over.

    What AWS shows as current then is the run's own value: the service labels a secret's first version by itself.
    """
    assert world.target.accepted() == set()
    assert world.store_rig.others() == set()


def check_nothing_is_written_down(world: CrashWorld, values: list[SecretValue]) -> None:
    """No value in any row of the ledger."""
    rows = repr(vars(world.rows))
    assert "history#" in rows
    for value in values:
        for name in world.target.secret_fields:
            lines = [line for line in value.unsafe_fields()[name].splitlines() if not line.startswith("---")]
            assert not [line for line in lines if line in rows], f"the ledger holds a {name}"


def check_life_goes_on(world: CrashWorld) -> None:
    """The target is well again: the overlap ends when it is over, and the next rotation succeeds."""
    world.refuses = ""
    world.clock.advance(OVERLAP_S)
    world.sweep()
    assert world.head.overlap is None, f"the overlap is never ended: {world.runs[-1].failure}"
    world.ask("rotate")
    assert world.runs[-1].status == "succeeded", f"the next rotation fails: {world.runs[-1].failure}"
    check(world)


def _old_value(world: CrashWorld) -> SecretValue:
    """The value of the overlap's old version, as a retirement reads it."""
    overlap = world.head.overlap
    assert overlap is not None
    ref = SecretRef(store=world.policy.store, path=world.store_rig.path)
    return world.context(overlap.run_id).store.read(ref, overlap.old)
