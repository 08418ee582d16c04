"""One look at a secret for `repair`: what ledger, store and target say of it, and what would refuse which action now.

Changes nothing, but for the ledger's row of the look itself while a store's function reads it. Not here: judging what
was found (`diagnosis`), and acting on it (`repair`).
"""

from __future__ import annotations

import hashlib
from dataclasses import replace

from rotation.control.awaited import awaited_by
from rotation.control.desk import RUN_ID_CHARS, Desk
from rotation.control.findings import Findings
from rotation.control.followed import Followed
from rotation.control.holds import held
from rotation.errors import KeyturnError, NotFound
from rotation.inspection import Inspected
from rotation.ledger.records import Head, Run
from rotation.policy import Policy


def look(desk: Desk, follows: Followed) -> Findings:
    """Everything that can be seen of the secret. While a run is under way nothing is asked: it may be in the middle."""
    ledger, policy = desk.ledger, follows.policy
    head, now = ledger.head(policy.name), ledger.now()
    unfinished, steps = ledger.run(head.run_id) if head.run_id else (None, {})
    history = ledger.history(policy.name)
    running = bool(head.run_id) and desk.machines.running(head.execution)
    found = Findings(
        head=head,
        now=now,
        table=desk.table_id(),
        running=running,
        unfinished=unfinished,
        steps=steps,
        last=history[-1] if history else None,
        stopped=ledger.switchboard.stopped(policy.name),
    )
    if running:
        return found
    over = head.overlap if head.overlap and head.overlap.retire_at <= now else None
    unrotatable, beyond = _unrotatable(desk, follows, head)
    found = replace(found, awaited=tuple(awaited_by(desk, policy, over)), unrotatable=unrotatable, beyond=beyond)
    try:
        inspected = _inspected(desk, policy, head, now)
    except KeyturnError as exc:
        return replace(found, trouble=exc.reason, trouble_says=exc.message)
    return replace(found, inspected=inspected, owner=_status_of_owner(desk, inspected))


def _unrotatable(desk: Desk, follows: Followed, head: Head) -> tuple[str, tuple[str, ...]]:
    """What would refuse a rotation that begins now, whatever switches say, and the commands that lead on."""
    name = follows.policy.name
    if head.overlap:
        by_hand = "make the target accept what readers get again, by hand: docs/runbooks/repair.md#current_not_accepted"
        ask = (f"keyturn status {name}", by_hand, f"keyturn overlap close {name}")
        return f"its overlap is open until {head.overlap.retire_at}", ask
    if follows.removed:
        return "no policy names it any more", (f"keyturn history {name}",)
    holds = held(desk, follows.policy)
    return (holds.message, (f"keyturn rotate {name} --break-glass --reason WHY",)) if holds else ("", ())


def _status_of_owner(desk: Desk, inspected: Inspected) -> str:
    owner = inspected["pendings"][0]["owner"] if inspected["pendings"] else ""
    try:
        return desk.ledger.run(owner)[0].status if owner else ""
    except NotFound:
        return ""


def _inspected(desk: Desk, policy: Policy, head: Head, now: str) -> Inspected:
    """Ask the store's function. What it looks at goes through the ledger, never through the event."""
    name = f"look {policy.name} {now}"
    run = Run(
        run_id=hashlib.sha256(name.encode()).hexdigest()[:RUN_ID_CHARS],
        secret=policy.name,
        machine="repair",
        epoch=head.epoch,
        execution="",
        function="",
        policy=policy.document(),
        policy_digest=policy.digest(),
        reason="look",
        requested_by="",
        started_at=now,
        current=head.current,
        overlap=head.overlap or head.retired,
        leftover=head.run_id or head.leftover,
    )
    desk.ledger.look(run)
    try:
        return desk.functions.inspect(desk.functions.pin(policy.store, run.run_id), run.run_id)
    finally:
        desk.ledger.forget(run)
