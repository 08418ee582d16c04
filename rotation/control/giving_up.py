"""A retirement that was halted or lost its execution is given up: its claim is freed, and the overlap is open again.

A machine's undoing phases have nothing to do here: until the store disposes of the old version, what a retirement has
begun is put right by the rollback that may follow, which applies the old value again first. So this is one write of the
ledger, which no switch stops; it fences a late invocation out like any other end of a run. Not here: the rollback.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from rotation.control.desk import Desk
from rotation.control.records import still_open
from rotation.control.takeover import TooEarly, check_continuable, check_late
from rotation.errors import Refused
from rotation.ledger.moments import timestamp
from rotation.ledger.records import UNDO, Head, Overlap, Run, StepRecord
from rotation.ledger.switch import Who
from rotation.policy import from_document

# Shortest overlap after a retirement was given up, whatever the policy says: the sweep would start it again at once,
# and a person needs the time to go back or to draw the overlap out.
AT_LEAST = timedelta(hours=1)


def give_up(desk: Desk, head: Head, run: Run, steps: Mapping[str, StepRecord], who: Mapping[str, str]) -> None:
    """End a retirement that nobody works on, as `undone`; its overlap lasts the policy's length from now.

    Refused as `check_continuable`, `old_leaked` where the old one must not live on, `cannot_undo` once the store began
    to dispose of it, `claim_held` while an earlier invocation may still revoke it.
    """
    check_continuable(desk, head, run, undo=False)
    overlap = still_open(head.overlap, run, steps)
    if overlap is not None and overlap.emergency:
        raise Refused(
            "old_leaked",
            f"the run {run.run_id} ends a credential that was replaced in an emergency: it must not live on",
            f"go on with it: `keyturn resume {run.run_id}`",
        )
    if "dispose" in steps:
        raise Refused(
            "cannot_undo",
            f"the run {run.run_id} has shown the old credential dead, and the store may have given its version up",
            f"`keyturn resume {run.run_id}` ends it; `keyturn status {run.secret}` says then whether a way leads back",
        )
    try:
        check_late(desk.ledger.now(), steps)
    except TooEarly:
        raise Refused(
            "claim_held",
            f"an invocation of the run {run.run_id} may still revoke the old credential",
            "ask again in a minute",
        ) from None
    now = desk.ledger.now()
    failure = {"phase": "gate", "reason": "undo_asked"}
    by, why = who["requested_by"], who["reason"]
    ended = replace(run, status="undone", direction=UNDO, ended_at=now, failure=failure)
    ended = replace(ended, continued_by=by, continued_why=why)
    noted = Who(actor=by, reason=why, verb="give_up")
    desk.ledger.end(ended, head, overlap=_put_off(overlap, run, now), noted=noted)


def _put_off(overlap: Overlap | None, run: Run, now: str) -> Overlap | None:
    if overlap is None:
        return None
    lasts = max(AT_LEAST, timedelta(seconds=from_document(run.policy).overlap_s))
    return replace(overlap, retire_at=max(overlap.retire_at, timestamp(datetime.fromisoformat(now) + lasts)))
