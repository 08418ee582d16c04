"""Stories of runs that wait, and what has to hold of them when all is over."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from rotation.contract import SecretRef
from rotation.control.people import same_person
from rotation.ledger.approvals import Status
from rotation.ledger.records import passed
from tests.unit.crash.crash_people import PeopleWorld, asking, heard
from tests.unit.crash.crash_stories import Moment, Story, Walk
from tests.unit.crash.crash_world import OVERLAP_S

# Phases in which a run that waits differs from one that does not; the others are walked without the wait.
_WAITING = ("claim", "approve", "acknowledge", "gate", "verb approve", "verb deny", "sweep")
# And where it matters that it has waited.
_AFTER = ("retire",)


def _answers(world: PeopleWorld, *, says: str) -> None:
    world.says = says


def _overlap(world: PeopleWorld) -> None:
    """One instance uses the new version, one died after it had said so; the overlap's time has passed."""
    overlap = world.head.overlap
    assert overlap is not None
    ref = SecretRef(store=world.policy.store, path=world.store_rig.path)
    world.old = overlap.old_id
    world.old_named = world.target.named(world.context(overlap.run_id).store.read(ref, overlap.old))
    world.starts("gone", overlap.new_id)
    del world.replicas["gone"]
    world.clock.advance(OVERLAP_S)
    world.starts("first", overlap.new_id)


def _one_starts_late(world: PeopleWorld) -> None:
    """From an old cache, after the retirement was let begin."""
    _overlap(world)
    world.before["acknowledge"] = start_late


def start_late(world: PeopleWorld) -> None:
    """An instance that uses the old version."""
    world.starts("late", world.old)


def _one_is_silent(world: PeopleWorld) -> None:
    """It lives, on the old version, and a person cuts it off."""
    _overlap(world)
    start_late(world)
    # from here on it may be
    world.old = ""


def _channel_down(world: PeopleWorld) -> None:
    world.channel.down = True


APPROVALS = {
    "approved": Story(before=("rotate",), verb="rotate", made=asking),
    "denied": Story(
        before=("rotate",), verb="rotate", made=asking, setting=partial(_answers, says="deny"), ends="failed"
    ),
    "nobody answers": Story(
        before=("rotate",), verb="rotate", made=asking, setting=partial(_answers, says=""), ends="failed"
    ),
}
ACKNOWLEDGEMENTS = {
    "everybody acknowledged": Story(before=("rotate", "rotate"), verb="retire", made=heard, setting=_overlap),
    "one starts late": Story(
        before=("rotate", "rotate"), verb="retire", made=heard, setting=_one_starts_late, ends="failed"
    ),
    "a silent one is cut off": Story(
        before=("rotate", "rotate"),
        verb="overlap_close",
        made=heard,
        setting=_one_is_silent,
        fields={"unacknowledged": True},
    ),
}
EVENTS = {
    "nobody can be told": Story(
        before=("rotate",), verb="rotate", made=PeopleWorld, setting=_channel_down, then=PeopleWorld.is_told
    ),
}
WAITS = {**APPROVALS, **ACKNOWLEDGEMENTS, **EVENTS}


def waiting(walk: Walk, moments: Iterable[Moment], *, after: bool = False) -> dict[str, Moment]:
    """Those moments in which it matters that the run waits, by name; with `after` also that it has waited."""
    phases = _WAITING + (_AFTER if after else ())
    return {walk.named(at): at for at in moments if walk.calls[at.at - 1].partition(": ")[0] in phases}


def check_approvals(world: PeopleWorld) -> None:
    """Nothing began that nobody agreed to; what was agreed to lets one run begin; nobody waits for ever."""
    ledger = world.whole_ledger
    if world.policy.approval is None:
        return
    for run in world.runs:
        found, steps = ledger.run(run.run_id)[0], ledger.run(run.run_id)[1]
        request = ledger.approvals.of(run.run_id)
        if run.machine == "rotate" and "stage" in steps:
            assert request is not None, "a run began that asked nobody"
            assert request.status == Status.APPROVED, f"a run began that was {request.status}"
            assert not same_person(request.by, found.requested_by), "whoever asked for it agreed"
        if request is not None and run.run_id != world.head.run_id:
            assert not request.waiting or run.status != "running", "a run waits for ever"
    assert not [one for one in ledger.approvals.waiting() if one.run_id == world.head.run_id]


def lost(world: PeopleWorld) -> list[str]:
    """Runs that somebody agreed to and that did not begin."""
    requests = {run.run_id: world.whole_ledger.approvals.of(run.run_id) for run in world.runs}
    agreed = [run for run, request in requests.items() if request and request.status == Status.APPROVED]
    return [run for run in agreed if "stage" not in world.whole_ledger.run(run)[1]]


def check_acknowledgements(world: PeopleWorld) -> None:
    """Every retirement that revoked had passed the gate, and says who was heard or who passed it by, and why."""
    if not world.policy.consumers:
        return
    for run in world.runs:
        _, steps = world.whole_ledger.run(run.run_id)
        if run.machine == "retire" and "revoke" in steps:
            gate = steps["acknowledge"]
            assert passed(gate), "it revoked although the gate was closed"
            by, why = gate.facts.get("passed_by", ""), gate.facts.get("why", "")
            assert "missing" not in gate.facts or (by and why), "it was passed without a reason"
