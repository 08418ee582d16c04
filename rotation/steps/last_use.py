"""Whether somebody still works with a credential that is about to be revoked, where its target knows that.

Asked before the old one is shown to the target, which would be a use as well. An emergency does not wait for anybody,
and neither does a retirement that goes on with what an earlier one began: that one has shown and half revoked it.
"""

from __future__ import annotations

from datetime import datetime
from typing import cast

from rotation.context import Context
from rotation.ledger.records import Overlap
from rotation.minting import UseWitness
from rotation.steps.settle import is_over
from rotation.value import SecretValue

_NEVER = "never"


def in_use(context: Context, overlap: Overlap, old: SecretValue) -> tuple[dict[str, str], bool]:
    """Facts for the ledger, and whether the old one has to be left alone for now."""
    if not context.issuer.capabilities.tells_last_use:
        return {}, False
    use = cast("UseWitness", context.issuer).last_use(old)
    facts = {"old_last_used_at": use.at or _NEVER}
    hurried = context.run.emergency or overlap.emergency or overlap.witnessed_by
    if not use.at or hurried or _may_be_ours(context, use.at):
        return facts, False
    return facts, not is_over(context, use.at, use.grace_s)


def _may_be_ours(context: Context, used_at: str) -> bool:
    """Whether an earlier attempt of this very step may have been the user; it had looked before it showed."""
    witness = context.steps["witness"]
    return witness.attempts > 1 and datetime.fromisoformat(used_at) >= datetime.fromisoformat(witness.intent_at)
