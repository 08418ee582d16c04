"""The end of an overlap: show that the old credential still works, revoke it, show that it is refused, dispose of it.

A refusal proves death only when the authentication was refused, the same path accepted the new credential in the same
probe, and the old one was accepted just before: a role that never existed is refused alike.
"""

from __future__ import annotations

from rotation.context import Context
from rotation.contract import Probe, Verdict
from rotation.errors import Refused
from rotation.ledger.records import Overlap
from rotation.phases import Outcome
from rotation.steps.step import StepResult


def witness(context: Context) -> StepResult:
    """Readers get the new one, and it is accepted; otherwise nothing is revoked. Whether the old one is, is noted."""
    overlap = _overlap(context)
    live, value = context.read_live()
    if live.id != overlap.new.id:
        return StepResult(outcome=Outcome.FAILED, reason="readers_not_on_new", facts={"live": live.id})
    new = context.issuer.probe(value)
    if new.verdict is not Verdict.ACCEPTED:
        # revoking the old one now would leave no working credential at all
        return StepResult(outcome=Outcome.FAILED, reason="new_not_accepted", facts=_facts("new", new))
    old = context.issuer.probe(context.read(overlap.old))
    return StepResult(facts=_facts("new", new) | _facts("old", old))


def revoke(context: Context) -> StepResult:
    """Make the target refuse the old credential and end its sessions."""
    ended = context.issuer.revoke(context.read(_overlap(context).old), context.fence)
    return StepResult(facts={"sessions_ended": str(ended)})


def prove(context: Context) -> StepResult:
    """Show both again: `dead`, `alive` or `unproven`, with the target's own codes."""
    overlap = _overlap(context)
    old = context.issuer.probe(context.read(overlap.old))
    new = context.issuer.probe(context.read_live()[1])
    facts = _facts("old", old) | _facts("new", new)
    proof = _proof(old, new, context.fact("witness", "old_verdict"))
    if proof == "dead":
        return StepResult(facts={**facts, "proof": proof})
    return StepResult(outcome=Outcome.FAILED, reason=f"old_{proof}", facts={**facts, "proof": proof})


def dispose(context: Context) -> StepResult:
    """Only now: the proof reads the old version, so the store gives it up last."""
    return StepResult(facts={"disposed": _disposed(context)})


def _disposed(context: Context) -> str:
    live, _ = context.read_live()
    return context.store.dispose(context.policy.ref, _overlap(context).old, live)


def _proof(old: Probe, new: Probe, witnessed: str) -> str:
    if old.verdict is Verdict.ACCEPTED:
        return "alive"
    accepted_before = witnessed == Verdict.ACCEPTED.value
    if old.verdict is Verdict.REFUSED and new.verdict is Verdict.ACCEPTED and accepted_before:
        return "dead"
    return "unproven"


def _facts(which: str, probe: Probe) -> dict[str, str]:
    said = {f"{which}_verdict": probe.verdict.value, f"{which}_code": probe.code, f"{which}_detail": probe.detail}
    return {name: text for name, text in said.items() if text}


def _overlap(context: Context) -> Overlap:
    if context.run.overlap is None:
        raise Refused("no_open_overlap", f"{context.policy.name} has no open overlap to end", "see `keyturn status`")
    return context.run.overlap
