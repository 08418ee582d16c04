"""Removal of a pending version that no run owns, on the word of a person who saw the diagnosis.

The store is looked at once more under the claim: only the very version that was shown goes, and never one whose value
the target accepts, because that may be the only copy of a working credential.
"""

from __future__ import annotations

from rotation.context import Context
from rotation.contract import Pending, Verdict
from rotation.errors import NotFound
from rotation.phases import Outcome
from rotation.steps.step import StepResult


def clear(context: Context) -> StepResult:
    """Abandon the pending version that the run names; gone already is success. Fails `pending_accepted`."""
    ref, known = context.policy.ref, context.run.current
    found = [p for p in context.store.survey(ref, known).pendings if p.version.id == context.run.clear]
    if not found:
        return StepResult(facts={"cleared": "nothing"})
    if _works(context, found[0]):
        return StepResult(outcome=Outcome.FAILED, reason="pending_accepted", facts={"pending": context.run.clear})
    context.store.abandon(ref, found[0].owner, found[0].version)
    return StepResult(facts={"cleared": context.run.clear})


def _works(context: Context, pending: Pending) -> bool:
    """Whether the target accepts it; one that cannot be asked is not taken for a refusal."""
    if pending.empty or not context.issuer.capabilities.has_target or _was_promoted(context, pending):
        return False
    return context.issuer.probe(context.read(pending.version)).verdict is not Verdict.REFUSED


def _was_promoted(context: Context, pending: Pending) -> bool:
    """Whether a run that succeeded left it behind: the same value, of which the store keeps the live version."""
    try:
        owner, steps = context.ledger.run(pending.owner)
    except NotFound:
        return False
    staged = {**steps["stage"].facts, **steps["stage"].intent} if "stage" in steps else {}
    return owner.status == "succeeded" and staged.get("fingerprint", "") == pending.fingerprint
