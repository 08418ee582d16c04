"""Which credentials nobody rotates from end to end by one command alone, and whom each of them waits for.

A demonstration and a measurement leave these out and say so: they would wait for hours for somebody who is not there.
"""

from __future__ import annotations

from collections.abc import Sequence

from keyturn.answers import Standing

# The credential type that a person changes by hand.
REMINDER = "reminder"


def waits_for(standing: Standing) -> str:
    """Who has to do something before a rotation of it is over, in a sentence; empty for nobody."""
    policy, consumers = standing.policy, [one.name for one in standing.consumers]
    if policy.credential == REMINDER:
        return f"a person of {policy.owner} changes it, and says so with `keyturn reminder done {standing.secret}`"
    if policy.approvers:
        agree = " or ".join(policy.approvers)
        return f"{agree} has to agree, and did not ask for it: `keyturn approvals`"
    if consumers:
        return f"its old value is revoked when {' and '.join(consumers)} acknowledged the new one, and none runs here"
    return ""


def unattended(standings: Sequence[Standing]) -> list[Standing]:
    """Those that wait for nobody."""
    return [standing for standing in standings if not waits_for(standing)]
