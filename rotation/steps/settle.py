"""Targets that answer for a while as they did before a change: looking again instead of believing them.

How long is a capability (`settle_s`); it is measured by the ledger's times, never slept. Not here: how often a phase
looks again (`phases`).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rotation.context import Context


def settling(context: Context, step: str) -> bool:
    """Whether the target may not have heard of what `step` of this run changed. False where types settle at once."""
    lasts, record = context.issuer.capabilities.settle_s, context.steps.get(step)
    if not lasts or record is None:
        return False
    changed = record.outcome_at or record.begun_at or record.intent_at
    return not is_over(context, changed, lasts)


def is_over(context: Context, since: str, seconds: float) -> bool:
    """Whether `seconds` have passed since a moment of the ledger (ISO 8601)."""
    return datetime.fromisoformat(context.ledger.now()) - datetime.fromisoformat(since) >= timedelta(seconds=seconds)
