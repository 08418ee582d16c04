"""What holds a rotation that a person starts now: window, freezes of the policy, its group, its parent.

Judged by the sweep's own plan (`rotation.planning`) over the one secret, so that people and the schedule are held by
the same things. An emergency and break-glass pass all four; a first value disturbs nobody and is held by none. Reads
only, and nothing where the policy names none of them. Not here: switches, claims and overlaps, which the claim refuses,
and budgets, which every write waits for. Two people at the same moment may start two members of a group: the turn is
the sweep's.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from rotation.control.asked import BREAK_GLASS, EMERGENCY
from rotation.control.desk import Desk
from rotation.control.sweep_facts import gather, groups_of
from rotation.due_times import earliest_start
from rotation.errors import Refused
from rotation.ledger.due import Due
from rotation.ledger.moments import timestamp
from rotation.planning.plan import Cause, Facts, plan
from rotation.policy import Policy

# Sorts after every time: it never may start.
_NEVER = "~"
_BEYOND = "`--emergency` (it leaked: no overlap) and `--break-glass` pass it"


def check_held(desk: Desk, policy: Policy, flags: str) -> None:
    """Refused `outside_window`, `frozen_by_policy`, `group_held`, `parent_due`."""
    passes = {EMERGENCY, BREAK_GLASS} & {*flags.split()}
    refusal = None if passes else held(desk, policy)
    if refusal:
        raise refusal


def held(desk: Desk, policy: Policy) -> Refused | None:
    """The refusal of a rotation that a person would start now; None for nothing."""
    if not (policy.window or policy.freezes or policy.group or policy.parent):
        return None
    if desk.ledger.head(policy.name).current is None:
        return None
    starts = starts_at(policy, desk.ledger.now())
    due = Due(secret=policy.name, due_at=starts or _NEVER, store=policy.store, group=policy.group, parent=policy.parent)
    facts = replace(gather(desk, [due], groups_of(desk, [due])), pools={}, blocked={})
    holds = plan([due], facts, desk.ledger.now()).holds
    return _refusal(policy, holds[0].cause, starts, facts, desk.ledger.now()) if holds else None


def starts_at(policy: Policy, now: str) -> str:
    """When a rotation that is wanted now may start by window and freezes; "" for not within two years."""
    start = earliest_start(policy, datetime.fromisoformat(now))
    return timestamp(start) if start else ""


def _refusal(policy: Policy, cause: str, starts: str, facts: Facts, now: str) -> Refused:
    name = policy.name
    if cause == Cause.GROUP:
        other = facts.busy.get(policy.group, "")
        said = f"{other} of the group `{policy.group}` is being rotated, and of a group one at a time is"
        return Refused("group_held", said, f"wait until that has ended: `keyturn status {other}`; {_BEYOND}")
    if cause == Cause.PARENT:
        said = f"{policy.parent} is due or being rotated, and {name} follows it"
        return Refused("parent_due", said, f"`keyturn rotate {policy.parent}` first, or wait for the sweep; {_BEYOND}")
    when = f"it may start from {starts} on" if starts else "it may not start within two years: mend the policy"
    if starts_at(replace(policy, freezes=()), now) != timestamp(datetime.fromisoformat(now)):
        return Refused("outside_window", f"it is outside the window of {name}: {when}", f"wait until then; {_BEYOND}")
    said = f"a freeze in the policy of {name} holds: {when}"
    return Refused("frozen_by_policy", said, f"wait until then; {_BEYOND}")
