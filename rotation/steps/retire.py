"""The end of an overlap: show that the old credential still works, revoke it, show that it is refused, dispose of it.

A refusal proves death only when the authentication was refused, the same path accepted the new credential in the same
probe, and the old one was accepted just before: a role that never existed is refused alike.
"""

from __future__ import annotations

from rotation.context import Context
from rotation.contract import Probe, Verdict
from rotation.errors import NotFound, Refused
from rotation.ledger.records import Overlap
from rotation.phases import Outcome
from rotation.steps.last_use import in_use
from rotation.steps.replaced import seen_to_work
from rotation.steps.settle import settling
from rotation.steps.step import StepResult

# What an old version gets that the store has no more.
_GONE = "gone"
_VALUE_GONE = "the store has its value no more: nobody can show it to the target, nor revoke it by it"
# What a credential without a target gets in the place of a verdict or a proof.
_NO_TARGET = "not-applicable"
_SAME = "readers get the same credential under another version"


def witness(context: Context) -> StepResult:
    """Readers get the new one, and it is accepted; otherwise nothing is revoked. Whether the old one is, is noted.

    Reasons: `new_not_accepted` where the target refused it, `new_unproven` where the target could not be asked,
    `old_in_use` where the target says that somebody used the old one a short while ago.
    """
    overlap = _overlap(context)
    live, value = context.read_live()
    if live.id != overlap.new.id:
        return StepResult(outcome=Outcome.FAILED, reason="readers_not_on_new", facts={"live": live.id})
    if not context.issuer.capabilities.has_target:
        return StepResult(facts={"old_verdict": _NO_TARGET})
    new = context.issuer.probe(value)
    if new.verdict is not Verdict.ACCEPTED:
        # revoking the old one now would leave no working credential at all
        reason = "new_unproven" if new.verdict is Verdict.UNPROVEN else "new_not_accepted"
        return StepResult(outcome=Outcome.FAILED, reason=reason, facts=_facts("new", new))
    try:
        value = context.read(overlap.old)
    except NotFound as exc:
        # the store gave it up before its time: nobody can show it to the target or revoke it any more
        return StepResult(facts={**_facts("new", new), "old_verdict": _GONE, "old_code": exc.reason})
    used, busy = in_use(context, overlap, value)
    if busy:
        return StepResult(outcome=Outcome.FAILED, reason="old_in_use", facts=_facts("new", new) | used)
    old = context.issuer.probe(value)
    facts = _facts("new", new) | _facts("old", old) | used
    if old.verdict is not Verdict.ACCEPTED and overlap.witnessed_by:
        # an earlier retirement saw it work, and broke off after it had begun to revoke
        facts["witnessed_by"] = overlap.witnessed_by
    return StepResult(facts=facts)


def revoke(context: Context) -> StepResult:
    """Make the target refuse the old credential and end its sessions; nothing where readers get the very same one."""
    if _gone(context):
        return StepResult(facts={"sessions_ended": "0", "why": _VALUE_GONE})
    if _one_credential(context):
        return StepResult(facts={"sessions_ended": "0", "why": _SAME})
    ended = context.issuer.revoke(context.read(_overlap(context).old), context.fence)
    return StepResult(facts={"sessions_ended": str(ended)})


def _gone(context: Context) -> bool:
    """Whether the witness found that the store has the old value no more."""
    return context.steps["witness"].facts.get("old_verdict") == _GONE


def prove(context: Context) -> StepResult:
    """Show both again: `dead`, `alive` or `unproven`, with the target's own codes; `not-applicable` without a target.

    Fails, to be tried again, while the old one is alive or the target cannot be asked. An old one that was refused
    already before the revoke stays `unproven` for good: it may never have worked, and waiting would change nothing.
    """
    overlap, spared = _overlap(context), _without_a_probe(context)
    if spared:
        return StepResult(facts=spared)
    old = context.issuer.probe(context.read(overlap.old))
    new = context.issuer.probe(context.read_live()[1])
    facts = _facts("old", old) | _facts("new", new)
    if old.verdict is not Verdict.REFUSED and settling(context, "revoke"):
        return StepResult(outcome=Outcome.UNOBSERVED, reason="old_settling", facts=facts)
    if old.verdict is Verdict.ACCEPTED:
        return StepResult(outcome=Outcome.FAILED, reason="old_alive", facts={**facts, "proof": "alive"})
    if old.verdict is Verdict.UNPROVEN or new.verdict is not Verdict.ACCEPTED:
        return StepResult(outcome=Outcome.FAILED, reason="old_unproven", facts={**facts, "proof": "unproven"})
    if _witnessed(context):
        return StepResult(facts={**facts, "proof": "dead"})
    return StepResult(facts={**facts, "proof": "unproven", "why": "the old one was refused before it was revoked"})


def _without_a_probe(context: Context) -> dict[str, str]:
    """The proof where there is nothing to show to the target, and why; empty where there is."""
    if not context.issuer.capabilities.has_target:
        return {"proof": _NO_TARGET, "why": "no target accepts or refuses this credential"}
    if _gone(context):
        return {"proof": "unproven", "why": _VALUE_GONE}
    return {"proof": _NO_TARGET, "why": _SAME} if _one_credential(context) else {}


def dispose(context: Context) -> StepResult:
    """Only now, and only after a proof: the proof reads the old version, so the store gives it up last."""
    if context.fact("prove", "proof") not in ("dead", _NO_TARGET):
        # a value that the store has lost leads nobody back
        return StepResult(facts={"disposed": _GONE if _gone(context) else "kept"})
    live, _ = context.read_live()
    return StepResult(facts={"disposed": context.store.dispose(context.policy.ref, _overlap(context).old, live)})


def _one_credential(context: Context) -> bool:
    """Whether somebody put the old value once more: then it is in use, under the new version's id."""
    return context.read(_overlap(context).old).same_credential(context.read_live()[1])


def _witnessed(context: Context) -> bool:
    """Whether the old one was seen to work just before it was revoked, or replaced: by this run or an earlier one."""
    seen = context.steps["witness"].facts
    if seen["old_verdict"] == Verdict.ACCEPTED or "witnessed_by" in seen:
        return True
    return seen_to_work(context, _overlap(context))


def _facts(which: str, probe: Probe) -> dict[str, str]:
    said = {f"{which}_verdict": probe.verdict.value, f"{which}_code": probe.code, f"{which}_detail": probe.detail}
    return {name: text for name, text in said.items() if text}


def _overlap(context: Context) -> Overlap:
    if context.run.overlap is None:
        raise Refused("no_open_overlap", f"{context.policy.name} has no open overlap to end", "see `keyturn status`")
    return context.run.overlap
