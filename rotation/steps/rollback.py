"""Back to the version before, by hand: the target first, then the store; and what takes a rollback back.

Nothing is minted: the old value is read where it was staged and applied again. What is left behind is retired like any
old credential, after an overlap of its own, so that nobody who has it already is cut off.
"""

from __future__ import annotations

from rotation.context import Context, version_facts, version_in
from rotation.contract import Verdict, Version
from rotation.errors import Conflict, NotFound, Refused
from rotation.ledger.records import Overlap
from rotation.phases import Outcome
from rotation.steps.settle import settling
from rotation.steps.step import StepResult


def reinstate(context: Context) -> StepResult:
    """Make the target accept the old value again, also where it still does: the new epoch fences older runs out."""
    context.issuer.restore(context.read(_way(context).old), context.fence)
    return StepResult()


def retest(context: Context) -> StepResult:
    """Show the old value to the target: readers are only sent back to what works."""
    if not context.issuer.capabilities.has_target:
        return StepResult(facts={"verdict": "not-applicable"})
    probe = context.issuer.probe(context.read(_way(context).old))
    facts = {"verdict": probe.verdict.value, "code": probe.code, "detail": probe.detail}
    if probe.verdict is Verdict.ACCEPTED:
        return StepResult(facts=facts)
    if settling(context, "reinstate"):
        return StepResult(outcome=Outcome.UNOBSERVED, reason="old_settling", facts=facts)
    return StepResult(outcome=Outcome.FAILED, reason=f"old_{probe.verdict.value}", facts=facts)


def revert(context: Context) -> StepResult:
    """Make the old version current, if current still is the one that was left; Conflict `current_moved` otherwise."""
    return StepResult(facts=version_facts(_demoted(context)))


def forgo(context: Context) -> StepResult:
    """A rollback that failed: the target is set back to what it was before. A revert in doubt is found done or undone.

    A revert that happened stays, and the head learns of it: the old value was tested before.
    """
    reverted = context.steps.get("revert")
    if reverted is not None and not reverted.done:
        try:
            return StepResult(facts={"undone": "nothing", **version_facts(_demoted(context))})
        except Conflict:
            pass
    elif version_in(reverted) is not None:
        return StepResult(facts={"undone": "nothing"})
    if "reinstate" not in context.steps:
        return StepResult(facts={"undone": "nothing"})
    return StepResult(facts={"undone": _set_back(context)})


def _set_back(context: Context) -> str:
    way = _way(context)
    if not context.issuer.capabilities.overlaps:
        # the old one took the place of the one that stays current
        context.issuer.restore(context.read(way.new), context.fence)
        return "restored"
    if way.disposed:
        # it was retired and is retired again; while its overlap is open it stays valid
        try:
            old = context.read(way.old)
        except NotFound:
            # nothing was reinstated without it, or nobody can take it back any more: either way there is no more to do
            return "gone"
        context.issuer.revoke(old, context.fence)
        return "revoked"
    return "nothing"


def _demoted(context: Context) -> Version:
    way = _way(context)
    return context.store.demote(context.policy.ref, context.run.run_id, way.new, way.old)


def _way(context: Context) -> Overlap:
    if context.run.overlap is None:
        raise Refused("nothing_to_roll_back", f"{context.policy.name} has no version to go back to", "rotate forward")
    return context.run.overlap
