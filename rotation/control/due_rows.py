"""The due rows that a look decides on: found by the index, settled where a run has ended, reckoned where need be.

Only here does the sweep read policies: of a secret that is new, changed, or has missed its window.
"""

from __future__ import annotations

import logging

from rotation.control.desk import Desk, run_id_of
from rotation.control.launches import launch
from rotation.control.settling import KEYTURN, after
from rotation.control.signals import Finding
from rotation.errors import Halted, KeyturnError, NotFound, Refused, Throttled, Unavailable
from rotation.ledger.agenda import membership
from rotation.ledger.due import Due
from rotation.planning.reckoning import described, failed, reckoned

# Rows of one shard that a look reads: twenty times what it may start, so that what is held hides nothing, and some
# megabytes in all.
ROWS_PER_SHARD = 1_500
# Policies that a look reads: some 40 ms each, and the function has a minute.
POLICIES_PER_LOOK = 300
FROZEN = "frozen"
_LOG = logging.getLogger("keyturn")


def look_at(desk: Desk) -> list[Due]:
    """The rows that are due, each once, brought up to date; of what is calm only the oldest while the stack stands."""
    now, stop, agenda = desk.ledger.now(), stopped(desk), desk.ledger.agenda
    found = {due.secret: due for due in agenda.ripe(now, 1 if stop else ROWS_PER_SHARD)}
    # what breaks the glass is among them, and what waits for a switch is told; the index may show a row in the shard
    # that it has just left, too
    found |= {due.secret: due for due in agenda.urgent(now, ROWS_PER_SHARD)}
    if stop:
        return list(found.values())
    unread = [due.secret for due in found.values() if not due.under_way and _unread(due, now)]
    readable = {*unread[:POLICIES_PER_LOOK], *(found.keys() - set(unread))}
    rows = [_alone(desk, due, now) for due in found.values() if due.secret in readable]
    return [row for row in rows if row is not None and (row.under_way or row.due_at <= now)]


def read_all(desk: Desk) -> bool:
    """Read every policy that no look has read yet, so that groups have all their members; False where some are left."""
    now = desk.ledger.now()
    unread = [due for due in desk.ledger.agenda.ripe(now, ROWS_PER_SHARD) if not due.under_way and not due.since]
    for due in unread[:POLICIES_PER_LOOK]:
        _alone(desk, due, now)
    return len(unread) <= POLICIES_PER_LOOK


def stopped(desk: Desk) -> str:
    """What stops the whole stack, as a slug; "" for nothing. Unreadable counts as engaged."""
    try:
        state = desk.ledger.switchboard.state()
    except Halted as exc:
        return exc.reason
    if state.engaged or state.report_only:
        return "kill_switch" if state.engaged else "report_only"
    return FROZEN if state.frozen_until > desk.ledger.now() else ""


def _unread(due: Due, now: str) -> bool:
    """Whether the policy has to be read: never was, has changed, or the time in which it may start is over."""
    if due.urgent:
        return not due.store
    return not due.since or (bool(due.closes) and now >= due.closes)


def _alone(desk: Desk, due: Due, now: str) -> Due | None:
    """One secret that cannot be understood does not stop the others; the provider's trouble does."""
    try:
        if due.under_way:
            return _looked_after(desk, due, now)
        return _read(desk, due, now) if _unread(due, now) else due
    except (Throttled, Unavailable):
        raise
    except (KeyturnError, ValueError) as exc:
        reason = exc.reason if isinstance(exc, KeyturnError) else "bad_cadence"
        _LOG.error("the sweep passes a secret over", extra={"fields": {"secret": due.secret, "reason": reason}})
        desk.signals.tell(Finding.STUCK)
        return None


def _read(desk: Desk, due: Due, now: str) -> Due | None:
    """The row by its policy; None when it is gone, or not the sweep's business, or somebody else was faster."""
    agenda = desk.ledger.agenda
    try:
        policy = desk.catalogue.policy(due.secret)
    except Refused as exc:
        if exc.reason != "unknown_secret":
            raise
        agenda.drop(due)
        return None
    if policy.scheduler != KEYTURN:
        # AWS's own schedule rotates it
        agenda.drop(due)
        return None
    made = described(due, policy) if due.urgent else reckoned(due, policy, now)
    return agenda.put(due, made, *membership(due, made.group))


def _looked_after(desk: Desk, due: Due, now: str) -> Due | None:
    """The row of a rotation that was started a while ago: under way still, or what its end made of it."""
    if not due.execution:
        # a sweep broke off between its intent and the start, or the answer was lost: the name starts once
        held = launch(desk, due) or desk.ledger.head(due.secret).run_id
        return due if held else _given_up(desk, due, now)
    run_id = run_id_of(due.execution)
    if desk.ledger.head(due.secret).run_id == run_id:
        return due
    try:
        run, _ = desk.ledger.run(run_id)
    except NotFound:
        return due if desk.machines.running(due.execution) else _given_up(desk, due, now)
    made = after(desk, due, run)
    return desk.ledger.agenda.put(due, made) if made else due


def _given_up(desk: Desk, due: Due, now: str) -> Due | None:
    return desk.ledger.agenda.put(due, failed(due, "execution_lost", now))
