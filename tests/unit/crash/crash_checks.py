"""What has to hold when all is over, whoever died and when."""

from __future__ import annotations

from rotation.contract import SecretRef
from rotation.control.signals import Finding
from rotation.issuers.registry import issuer_class
from rotation.value import SecretValue
from tests.model.world import NAME
from tests.unit.crash.crash_channel import check_told
from tests.unit.crash.crash_world import OVERLAP_S, CrashWorld


def check(world: CrashWorld) -> None:
    """One current version that is accepted, nothing else about, nobody's claim, no value written down."""
    head, current = world.head, world.store_rig.current()
    assert (head.run_id, head.execution, head.leftover) == ("", "", ""), "a claim or a candidate is left"
    if world.replaces:
        check_replaced_in_place(world)
        return
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


def check_replaced_in_place(world: CrashWorld) -> None:
    """The same where an engine of the store replaces the credential: no pending place, no overlap and no way back.

    Whatever happened, readers get one value, which the target accepts, and it accepts no other. No run has changed it
    twice, and nothing is left to retire. What a death may cost is the proof, and then somebody is told.
    """
    head, current = world.head, world.store_rig.current()
    assert current is not None
    assert world.target.accepted() == {world.target.named(current[1])}, "readers get what the target refuses"
    assert head.overlap is None, "an overlap is open that nobody can end"
    # the engine made the first one, before any run
    changed = world.store_rig.versions() - 1
    assert head.current is None or head.current.id == current[0], "the ledger names another version than readers get"
    assert changed == 0 or head.current is not None, "the ledger knows of none"
    assert changed <= sum(run.machine == "rotate" for run in world.runs), "a run changed it twice"
    if world.runs:
        check_nothing_is_written_down(world, [current[1]])
    proofs = [_proof(world, run.run_id) for run in world.runs if run.status == "succeeded"]
    assert set(proofs) <= {"dead", "unproven"}
    assert world.told.findings.count(Finding.OLD_ALIVE) >= proofs.count("unproven"), "nobody was told of a lost proof"


def _proof(world: CrashWorld, run_id: str) -> str:
    return world.whole_ledger.run(run_id)[1]["promote"].facts["proof"]


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
