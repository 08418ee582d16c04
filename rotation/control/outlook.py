"""When a secret's next rotation comes, and whom it meets then: for `keyturn plan`. Reads only, no store and no target.

Times are the sweep's own, from its due row; where the sweep has not seen the policy as it is now, they are reckoned by
the same arithmetic, and `by` says which of the two it was. What the sweep would hold it for now is told in its words.
Not here: what else refuses a rotation that a person starts now (the command judges that from `status`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from rotation.control.desk import Desk
from rotation.control.holds import held
from rotation.control.settling import KEYTURN
from rotation.control.sweep_facts import gather, groups_of
from rotation.due_times import due_after
from rotation.ledger.budget import Limit, limits
from rotation.ledger.due import Due
from rotation.ledger.moments import timestamp
from rotation.planning.reckoning import reckoned
from rotation.planning.spread import anchor
from rotation.policy import Policy

# Who reckoned the times: the sweep, in the ledger; this look, by the policy; AWS's own schedule, which tells no times.
LEDGER, POLICY, NATIVE = "ledger", "policy", "native"
_NO_TIMES = {"due_at": "", "starts_at": "", "closes": "", "overlap_until": ""}


def when(desk: Desk, policy: Policy) -> dict[str, Any]:
    """The schedule: `due_at` by the cadence, `starts_at` with window, freezes, spread and pause, `overlap_until`."""
    row = desk.ledger.agenda.of(policy.name)
    said = {
        "cadence": policy.cadence,
        "window": asdict(policy.window) if policy.window else None,
        "freezes": [asdict(freeze) for freeze in policy.freezes],
        "approval": asdict(policy.approval) if policy.approval else None,
        "failures": row.failures if row else 0,
        "cause": row.cause if row else "",
        "under_way": row.under_way if row else False,
    }
    if policy.scheduler != KEYTURN:
        return {**said, **_NO_TIMES, "by": NATIVE}
    by = LEDGER if row and row.since and row.digest == policy.digest() else POLICY
    return {**said, **_times(desk, policy, row, by), "by": by}


def _times(desk: Desk, policy: Policy, row: Due | None, by: str) -> dict[str, str]:
    try:
        due = row if row and by == LEDGER else reckoned(_unseen(desk, policy, row), policy, desk.ledger.now())
        counted = datetime.fromisoformat(due.anchor)
        nominal = due_after(policy.cadence, counted, counted)
    except ValueError:
        # a cadence that never comes: the lint says so, and names the file
        return _NO_TIMES
    # while one is under way its row is looked at again at `due_at`, which is no start
    starts = max(due.since if due.under_way else due.due_at, due.not_before)
    ends = datetime.fromisoformat(starts) + timedelta(seconds=policy.warm_up_s + policy.overlap_s)
    return {
        "due_at": timestamp(nominal),
        "starts_at": starts,
        "closes": due.closes,
        "overlap_until": timestamp(ends),
    }


def _unseen(desk: Desk, policy: Policy, row: Due | None) -> Due:
    """What the sweep would begin with: its row, or one that counts from the last rotation."""
    if row:
        return row
    begun = [run.started_at for run in desk.ledger.history(policy.name) if _rotated(run.machine, run.status)]
    counted = timestamp(anchor(policy.cadence, datetime.fromisoformat(begun[-1]))) if begun else ""
    return Due(secret=policy.name, due_at=desk.ledger.now(), anchor=counted)


def _rotated(machine: str, status: str) -> bool:
    return machine == "rotate" and status == "succeeded"


def meets(desk: Desk, policy: Policy) -> dict[str, Any]:
    """Whom it meets: consumers, its group and parent, what the sweep would hold it for now, budgets of the store."""
    due = Due(secret=policy.name, due_at="", store=policy.store, group=policy.group, parent=policy.parent)
    facts = gather(desk, [due], groups_of(desk, [due]))
    busy = facts.busy.get(policy.group, "")
    pool = facts.pools.get(policy.store)
    return {
        "consumers": [asdict(consumer) for consumer in policy.consumers],
        "invalidate": list(policy.invalidate),
        "acknowledge_s": policy.acknowledge_s,
        "group": policy.group,
        "group_busy": "" if busy == policy.name else busy,
        "parent": policy.parent,
        "parent_waits": policy.parent in facts.waiting,
        "held": _held(desk, policy),
        "blocked": facts.blocked.get(policy.name, ""),
        "starts_ready": pool.ready if pool else None,
        "budgets": [_budget(desk, limit) for limit in limits(policy.store, policy.name)],
    }


def _held(desk: Desk, policy: Policy) -> dict[str, str] | None:
    """What refuses a rotation that a person starts now without passing it."""
    found = held(desk, policy)
    return {"reason": found.reason, "message": found.message, "remedy": found.remedy} if found else None


def _budget(desk: Desk, limit: Limit) -> Mapping[str, Any]:
    """One bucket of writes: tokens there now, of how many, filled at how many a second."""
    left = desk.ledger.budgets.left(limit)
    return {"pool": limit.pool, "left": left, "holds": int(limit.burst), "per_s": limit.rate}
