"""Consumers are told what is current: in the invocation that moved it, after that was recorded.

The event follows from what the ledger records of the step that moved it (`by`), so that a repeat is the same event,
whoever repeats it and under which epoch. Telling never decides a run: the step passes with what became of each channel.
What a channel has not got stays in the ledger's outbox, where it has been since the move was recorded, for the sweep or
a person to send again. Not here: channels and signature (`consumers`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from rotation.consumers.channel import FAILED, failed_in
from rotation.consumers.event import Event, Notice
from rotation.context import Context, version_in
from rotation.contract import Version
from rotation.errors import Refused
from rotation.ledger.records import StepRecord, passed
from rotation.lineage import made_by
from rotation.phases import TELLING
from rotation.steps.step import Step, StepResult

# The phase by which control asks a store's function to tell once more what a run told.
SEND_AGAIN = "send_again"
# An invocation that died while it told consumers is repeated this often; the machine itself would try six times and
# then undo what consumers were to be told of.
ATTEMPTS = 3
_NOT_TRIED = f"{FAILED}not_tried"


class _Moved(NamedTuple):
    """What happened: `by` is the step that did it, whose epoch and time are the event's. own: this run's version."""

    event: Event
    by: StepRecord
    live: Version
    known_as: Version
    own: bool = False


def _promoted(context: Context) -> _Moved | None:
    by = context.steps.get("promote")
    live = version_in(by)
    return _Moved(Event.PROMOTED, by, live, live, own=True) if by and live and passed(by) else None


def _demoted(context: Context) -> _Moved | None:
    by = context.steps.get("demote")
    live = version_in(by)
    if by is None or live is None or not passed(by):
        return None
    if by.facts.get("undone") == "demoted":
        return _Moved(Event.ROLLED_BACK, by, live, context.expected or live)
    if context.expected is not None or passed(context.steps.get("publish")):
        return None
    # a first version stays current although its run is undone, and nobody has heard of it
    return _promoted(context) or _Moved(Event.PROMOTED, by, live, live, own=True)


def _reverted(context: Context) -> _Moved | None:
    by, way = context.steps.get("revert"), context.run.overlap
    live = version_in(by)
    return _Moved(Event.ROLLED_BACK, by, live, way.old) if by and live and way and passed(by) else None


def _forgone(context: Context) -> _Moved | None:
    """A rollback that failed after it had led readers back, so that they stay where they are."""
    if passed(context.steps.get("publish_reverted")):
        return None
    by, way = context.steps.get("forgo"), context.run.overlap
    live = version_in(by)
    return _reverted(context) or (_Moved(Event.ROLLED_BACK, by, live, way.old) if by and live and way else None)


def _retired(context: Context) -> _Moved | None:
    by, way = context.steps.get("dispose"), context.run.overlap
    return _Moved(Event.RETIRED, by, way.new, way.new) if by and way and passed(by) else None


# What each step tells of; the names are those of `phases.TELLING`.
_TELLS = {
    "publish": _promoted,
    "publish_back": _demoted,
    "publish_reverted": _reverted,
    "publish_forgone": _forgone,
    "publish_retired": _retired,
}


def publishing(name: str, *, undoes: bool = False) -> Step:
    """The step called `name`: skipped where nobody is to be told, or nothing happened."""

    def applies(context: Context) -> bool:
        return bool(context.policy.invalidate) and _TELLS[name](context) is not None

    def intend(context: Context) -> dict[str, str]:
        notice = _notice(context, name)
        return {"event": notice.id, "kind": notice.event.value, "version": notice.version}

    return Step(act=lambda context: _tell(context, name), intend=intend, undoes=undoes, applies=applies)


def _notice(context: Context, name: str) -> Notice:
    moved = _TELLS[name](context)
    if moved is None:
        raise Refused("nothing_to_tell", f"the step {name} of this run has nothing to tell", "look at its history")
    run, policy = context.run, context.policy
    return Notice(
        event=moved.event,
        stack=context.announcer.stack,
        secret=policy.name,
        store=policy.store,
        path=policy.ref.path,
        version=run.run_id if moved.own else made_by(context.ledger, policy.name, moved.known_as),
        store_version=moved.live.id,
        sequence=moved.by.epoch,
        at=moved.by.outcome_at,
    )


def _tell(context: Context, name: str) -> StepResult:
    if context.steps[name].attempts > ATTEMPTS:
        return StepResult(facts=dict.fromkeys(context.policy.invalidate, _NOT_TRIED))
    return StepResult(facts=context.announcer.announce(_notice(context, name), context.policy.invalidate))


def send_again(context: Context, name: str) -> Mapping[str, str]:
    """Tell once more what the step `name` tells, whether it was ever taken; what became of each channel.

    What readers do not get any more is not told again, late: somebody told consumers of what came after it.

    Refused `unknown_step`, `nothing_to_tell`.
    """
    if name not in TELLING:
        raise Refused("unknown_step", "the event names no step that tells consumers", "deploy again")
    run, moved = context.run, _TELLS[name](context)
    told: Mapping[str, str] = {}
    if moved is None or context.ledger.head(run.secret).current == moved.live:
        told = context.announcer.announce(_notice(context, name), context.policy.invalidate)
    context.ledger.outbox.settle(run.secret, run.run_id, name, sent=not failed_in(told))
    return told


def untold(steps: Mapping[str, StepRecord]) -> bool:
    """Whether a channel of some step has not got what it was to carry."""
    return any(failed_in(steps[name].facts) for name in TELLING & steps.keys())
