"""Promotion and proof of death in one invocation, where an engine of the store replaces the credential at its target.

There is no pending value and no overlap: from the promotion on the old value is refused, and nobody can read it any
more. So it is read and shown before, and shown again after, beside the new one. Whoever dies between the two leaves a
credential that was replaced and a proof that cannot be made up for: it stays `unproven`, and says why.
"""

from __future__ import annotations

from rotation.context import Context
from rotation.contract import Probe, Verdict, Version
from rotation.errors import NotFound
from rotation.value import SecretValue

_UNSEEN = "it had been replaced before it could be read: by an attempt that broke off, or by somebody else"
_NOT_ACCEPTED = "the old one was not accepted before it was replaced"
_NO_ANSWER = "the target did not tell old and new apart after the replacement"


def promote(context: Context, staged: Version) -> tuple[Version, dict[str, str]]:
    """Replace the credential, once per run; the live version, and the proof as facts."""
    old = _read(context, staged)
    before = context.issuer.probe(old) if old else None
    live = context.store.promote(context.policy.ref, context.run.run_id, staged, context.expected)
    if old is None or before is None:
        return live, {"proof": "unproven", "why": _UNSEEN}
    context.values.pop(staged, None)
    return live, _proof(before, context.issuer.probe(old), context.issuer.probe(context.read(live)))


def check(context: Context) -> Probe:
    """Show what readers get to the target: the store's engine is all that knows what was applied."""
    return context.issuer.probe(context.read_live()[1])


def _read(context: Context, staged: Version) -> SecretValue | None:
    try:
        return context.read(staged)
    except NotFound:
        return None


def _proof(before: Probe, old: Probe, new: Probe) -> dict[str, str]:
    facts = {"old_verdict": old.verdict.value, "old_code": old.code, "new_verdict": new.verdict.value}
    if before.verdict is not Verdict.ACCEPTED:
        return {**facts, "proof": "unproven", "why": _NOT_ACCEPTED}
    if old.verdict is Verdict.ACCEPTED:
        return {**facts, "proof": "alive"}
    if old.verdict is Verdict.REFUSED and new.verdict is Verdict.ACCEPTED:
        return {**facts, "proof": "dead"}
    return {**facts, "proof": "unproven", "why": _NO_ANSWER}
