"""Compensation before the pivot, rollback after it: target, then store.

Each step judges by ledger and store how far the run came, and does nothing where there is nothing to undo. The old
credential is re-applied as staged, never minted.
"""

from __future__ import annotations

from dataclasses import replace

from rotation.context import Context, version_facts, version_in
from rotation.contract import Verdict, Version
from rotation.errors import Conflict, NotFound, Refused
from rotation.ledger.records import passed
from rotation.phases import Outcome
from rotation.steps import issue
from rotation.steps.step import StepResult
from rotation.value import SecretValue

_NOTHING = StepResult(facts={"undone": "nothing"})


def restore(context: Context) -> StepResult:
    """Make the target accept the old credential again, where a type has no overlap and lost it at `apply`."""
    if context.issuer.capabilities.overlaps or context.expected is None or "apply" not in context.steps:
        return _NOTHING
    context.issuer.restore(context.read(context.expected), context.fence)
    return StepResult(facts={"undone": "restored"})


def demote(context: Context) -> StepResult:
    """Make the old version current again, if this run's version is; a first version has nothing to go back to."""
    live = context.live or _settle_promotion(context)
    if live is None:
        return _NOTHING
    if context.expected is None:
        # readers may have it already: it stays, and the head learns of it
        return StepResult(facts={"undone": "nothing", **version_facts(live)})
    left = {"left": live.id, "left_path": live.path}
    try:
        back = context.store.demote(context.policy.ref, context.run.run_id, live, context.expected)
    except Conflict as exc:
        # readers get somebody else's version, so ours is nobody's. The head goes back to what it was, which is still
        # valid: `repair` finds that readers get another one
        return StepResult(facts={"undone": "nothing", "met": exc.reason, **left, **version_facts(context.expected)})
    return StepResult(facts={"undone": "demoted", **left, **version_facts(back)})


def _settle_promotion(context: Context) -> Version | None:
    """An intent to promote without an outcome: promoting again finds it done or does it, so that it can be undone.

    Reading the pointer would not do: Google's lags. A conflict says that the promotion never happened.
    """
    record, staged = context.steps.get("promote"), context.staged
    if record is None or record.done or staged is None:
        return None
    try:
        return context.store.promote(context.policy.ref, context.run.run_id, staged, context.expected)
    except Conflict:
        return None


def withdraw(context: Context) -> StepResult:
    """Make the target refuse the new credential, if it may have heard of it."""
    if context.issuer.capabilities.replaced_by_store:
        # what was staged is what readers get
        return _NOTHING
    if context.issuer.capabilities.mints_at_target:
        return _withdraw_made(context)
    if "apply" not in context.steps or context.staged is None or _stays_current(context):
        return _NOTHING
    return _withdraw_staged(context, context.staged)


def _withdraw_made(context: Context) -> StepResult:
    """The same where the target makes it: it may have, as soon as `stage` was begun; what was staged and what is lost.

    An intent without an outcome: only the store can tell whether the value got there.
    """
    if "stage" not in context.steps or _stays_current(context):
        return _NOTHING
    ref, run_id = context.policy.ref, context.run.run_id
    staged = context.staged or context.store.find_staged(ref, run_id, context.steps["stage"].intent)
    result = _withdraw_staged(context, staged) if staged else _NOTHING
    if result.outcome is not Outcome.PASSED:
        return result
    return replace(result, facts={**result.facts, "lost_removed": str(issue.unmake(context))})


def _withdraw_staged(context: Context, staged: Version) -> StepResult:
    try:
        value = context.read(_candidate(context, staged))
    except NotFound:
        return _withdrawn_before(context)
    # a first value is current in AWS from the moment that it is put
    if "promote" not in context.steps and context.expected is not None and _is_live(context, value):
        # somebody else made it current: `repair` shows it
        return StepResult(outcome=Outcome.FAILED, reason="candidate_is_current")
    context.issuer.withdraw(value, context.fence)
    return StepResult(facts={"undone": "withdrawn"})


def _is_live(context: Context, value: SecretValue) -> bool:
    """Whether readers get this value, by whatever version."""
    try:
        return context.store.read_live(context.policy.ref)[1].fingerprint() == value.fingerprint()
    except NotFound:
        return False


def _withdrawn_before(context: Context) -> StepResult:
    """The value is gone from the store, as after an earlier undoing that was not recorded: the target knows of that."""
    probe = context.issuer.check(context.public, context.applied)
    if probe.verdict is Verdict.REFUSED:
        return _NOTHING
    facts = {"verdict": probe.verdict.value, "code": probe.code, "detail": probe.detail}
    return StepResult(outcome=Outcome.FAILED, reason="candidate_lost", facts=facts)


def _candidate(context: Context, staged: Version) -> Version:
    """Where the new value lies now: promoted, it may be gone from where it was staged."""
    demoted = context.steps.get("demote")
    if demoted is not None and demoted.facts.get("left"):
        return Version(id=demoted.facts["left"], path=demoted.facts["left_path"])
    return context.live or staged


def abandon(context: Context) -> StepResult:
    """Leave no pending value of this run in the store."""
    if "stage" not in context.steps or _stays_current(context):
        return _NOTHING
    ref, run_id = context.policy.ref, context.run.run_id
    # an intent without an outcome: only the store can tell whether there is something to abandon
    staged = context.staged or context.store.find_staged(ref, run_id, context.steps["stage"].intent)
    context.store.abandon(ref, run_id, staged)
    return StepResult(facts={"undone": "abandoned"})


def _stays_current(context: Context) -> bool:
    """A first version that was promoted stays: there is none before it that readers could get instead.

    Its promotion may be recorded by `demote`, which settles one that has no outcome.
    """
    live = context.live or version_in(context.steps.get("demote"))
    return live is not None and context.expected is None


def _same(before: Version | None, now: Version | None) -> bool:
    """Whether readers still get what the failed run started from: nobody else changed it since."""
    return before is not None and now is not None and before.id == now.id


def _restore_for_readers(left: Context) -> None:
    """The target takes again what readers get all the time: the run that goes on may fail before its own `apply`."""
    try:
        restore(left)
    except NotFound:
        # the store gave it up: nobody can put it back
        return


def settle_leftover(context: Context) -> None:
    """Finish what a failed run could not undo, before a new candidate takes its place in store and target.

    Under the failed run's own fence: a target that a newer run has touched since refuses it. The effects may be
    repeated, so that they need no intent of their own.
    """
    if not context.run.leftover:
        return
    failed, steps = context.ledger.run(context.run.leftover)
    left = replace(context, run=failed, steps=steps, values={}, seen=None, recovered=None, live_now=None)
    if not passed(steps.get("restore")) and _same(left.expected, context.remembered.current):
        _restore_for_readers(left)
    if not passed(steps.get("withdraw")) and (settled := withdraw(left)).outcome is not Outcome.PASSED:
        raise Refused(settled.reason, f"what the run {failed.run_id} left cannot be settled", "see `keyturn repair`")
    if not passed(steps.get("abandon")):
        abandon(left)
