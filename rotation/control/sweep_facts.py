"""What the plan has to know beside the due rows: groups, parents, brakes, claims and budgets. Reads only.

Read for the rows at hand only, and claims and freezes for those alone that would start now.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rotation.control.asked import BREAK_GLASS
from rotation.control.desk import Desk
from rotation.control.due_rows import FROZEN, stopped
from rotation.control.starts import SWEEP
from rotation.definition import LOOK_PAUSE_S
from rotation.ledger.agenda import Group
from rotation.ledger.budget import Limit, limits
from rotation.ledger.due import Due
from rotation.ledger.switch import PASSED_BY_BREAK_GLASS, Who
from rotation.planning.plan import Facts, Pool, hopeful

# Writes of one rotation and the end of its overlap, from the calls of one credential's life (see bench): what the pace
# of starts has to leave room for.
_WRITES = {"aws": 2, "vault": 3, "gcp": 4}


def start_limit(store: str) -> Limit | None:
    """The bucket of starts of a store: as many a second as its writes allow; None for a store without a ceiling.

    It holds what comes together between two looks, so that pauses between looks cost no pace.
    """
    found = [limit for limit in limits(store, "") if limit.pool == store]
    if not found:
        return None
    rate = found[0].rate / _WRITES[store]
    return Limit(pool=f"starts/{store}", rate=rate, burst=rate * LOOK_PAUSE_S, stripes=1)


def groups_of(desk: Desk, rows: Sequence[Due]) -> Mapping[str, Group]:
    """The groups of the rows, turns first: who starts a member after this is found out by the turn."""
    return {name: desk.ledger.agenda.group(name) for name in sorted({due.group for due in rows if due.group})}


def gather(desk: Desk, rows: Sequence[Due], groups: Mapping[str, Group]) -> Facts:
    """The facts of a plan over the rows."""
    known = {due.secret: due for due in rows}
    now, stop = desk.ledger.now(), stopped(desk)
    parents = _parents(desk, rows, known)
    stores = {due.store for due in rows}
    return Facts(
        busy={name: secret for name, group in groups.items() if (secret := _busy(desk, group, known))},
        waiting=frozenset(name for name, one in parents.items() if one.runs or (one.row and _is_due(one.row, now))),
        running=frozenset(name for name, one in parents.items() if one.runs),
        asked=frozenset(name for name, one in parents.items() if one.row and hopeful(one.row, now)),
        blocked={due.secret: stop for due in rows if stop and not _passes(due, stop)},
        pools={store: _pool(desk, limit) for store in stores if (limit := start_limit(store))},
    )


def _busy(desk: Desk, group: Group, known: Mapping[str, Due]) -> str:
    """A member that is under way, whoever started it."""
    for secret in group.members:
        if _runs(desk, known.get(secret) or desk.ledger.agenda.of(secret), secret):
            return secret
    return ""


def _runs(desk: Desk, row: Due | None, secret: str) -> bool:
    """Whether it is under way: the row knows the sweep's own starts, the head those of people too."""
    return (row is not None and row.under_way) or bool(desk.ledger.head(secret).run_id)


@dataclass(frozen=True, kw_only=True)
class _Parent:
    """A parent's due row, if it has one, and whether it is under way."""

    row: Due | None
    runs: bool


def _parents(desk: Desk, rows: Sequence[Due], known: Mapping[str, Due]) -> dict[str, _Parent]:
    """Parents that are not among the rows; of what leaked also those that are, for which a calm child waits anyway."""
    wanted = {due.parent for due in rows if due.parent and (due.urgent or due.parent not in known)}
    found = {name: known.get(name) or desk.ledger.agenda.of(name) for name in wanted}
    return {name: _Parent(row=row, runs=_runs(desk, row, name)) for name, row in found.items()}


def _is_due(row: Due, now: str) -> bool:
    return bool(row.since) and row.due_at <= now


def _passes(due: Due, stop: str) -> bool:
    return stop in PASSED_BY_BREAK_GLASS and BREAK_GLASS in due.flags.split()


def _pool(desk: Desk, limit: Limit) -> Pool:
    return Pool(ready=desk.ledger.budgets.left(limit), rate=limit.rate)


def why_blocked(desk: Desk, due: Due) -> str:
    """Why a secret cannot be rotated now whatever the plan says; "" for nothing.

    An emergency ends the open overlap: it is over from now on, and the next look retires it.
    """
    if BREAK_GLASS not in due.flags.split() and desk.ledger.switchboard.freeze_of(due.secret):
        return FROZEN
    head = desk.ledger.head(due.secret)
    if head.run_id:
        return "claim_held"
    if head.overlap is None:
        return ""
    now = desk.ledger.now()
    if due.urgent and head.overlap.retire_at > now:
        who = Who(actor=due.requested_by or SWEEP, reason=due.reason, verb="overlap_close")
        desk.ledger.amend(head, who, overlap=replace(head.overlap, retire_at=now))
    return "overlap_open"
