"""Starting machines: execution names, and what the sweep starts by itself. Nothing here touches a store.

A name is a hash of what is to be done, so that asking twice starts once; where a name is used up, the claim decides.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Mapping

from rotation.control import awaited
from rotation.control.asked import BREAK_GLASS, EMERGENCY, UNACKNOWLEDGED
from rotation.control.desk import Desk, run_id_of
from rotation.control.signals import Finding
from rotation.control.undoable import stopped_by
from rotation.errors import Conflict, KeyturnError, Throttled, Unavailable
from rotation.ledger.due import Due
from rotation.ledger.records import CLAIM, RETIRE, Head, Overlap, Run
from rotation.ledger.switch import PASSED_BY_BREAK_GLASS

# Step Functions allows 80 characters in an execution's name; a readable start of the secret and a hash of the rest.
_NAME_CHARS = 80
_HASH_CHARS = 24
# A slot is ten minutes, two intervals of the sweep: `2026-01-01T00:0` of a time.
_SLOT_CHARS = 15
# A run that loses its execution this often is not continued by itself any more: a person repairs it.
MAX_TAKEOVERS = 3
SWEEP = "sweep"
_LOG = logging.getLogger("keyturn")


def start(desk: Desk, machine: str, secret: str, who: Mapping[str, str], attempt: object = "") -> dict[str, str]:
    """Start a machine; returns `{execution, run_id}`. `who`: `{reason, requested_by}`, and `resume`, `flags` if any."""
    payload = {"secret": secret, "resume": "", "flags": "", **who}
    what = attempt or desk.ledger.head(secret).rev
    try:
        execution = desk.machines.start(machine, execution_name(machine, secret, what), payload)
    except Conflict:
        # asked for twice, or a run failed before it changed the ledger: under a fresh name the claim decides
        fresh = execution_name(machine, secret, f"{what} {desk.ledger.now()}")
        execution = desk.machines.start(machine, fresh, payload)
    return {"execution": execution, "run_id": payload["resume"] or run_id_of(execution)}


def execution_name(machine: str, secret: str, attempt: object) -> str:
    """A legal execution name: letters, digits and dashes, one per secret and attempt."""
    digest = hashlib.sha256(f"{machine} {secret} {attempt}".encode()).hexdigest()[:_HASH_CHARS]
    readable = "".join(c if c.isascii() and c.isalnum() else "-" for c in f"{machine}-{secret}")
    return f"{readable[: _NAME_CHARS - _HASH_CHARS - 1]}-{digest}"


def sweep(desk: Desk) -> list[str]:
    """Start `retire` for every overlap that is over, and go on with every run that lost its execution.

    Returns the names of what it started. Twice at once starts nothing twice. What fails before its claim is started
    again in the next slot, under a new name: a name is used up for 90 days.
    """
    now = desk.ledger.now()
    lost = [secret for secret in desk.ledger.due(CLAIM, now) if alone(desk, _resume_lost, secret)]
    return lost + [secret for secret in desk.ledger.due(RETIRE, now) if alone(desk, start_due, secret)]


def alone(desk: Desk, begin: Callable[[Desk, str], bool], secret: str) -> bool:
    """One secret whose rows cannot be understood does not stop the others; the provider's trouble does."""
    try:
        return begin(desk, secret)
    except (Throttled, Unavailable):
        raise
    except KeyturnError as exc:
        _LOG.error("the sweep passes a secret over", extra={"fields": {"secret": secret, "reason": exc.reason}})
        desk.signals.tell(Finding.STUCK)
        return False


def start_due(desk: Desk, secret: str) -> bool:
    """Start the end of the secret's overlap, if it is over and no run holds the claim; whether it was started here.

    Consumers and a freeze do not hold it where it is part of an emergency that passes them: one that waits for the end
    of this overlap, or the one that opened it. Whoever asked for that is then who asks for this.
    """
    head, now = desk.ledger.head(secret), desk.ledger.now()
    # the index lags, and a retirement may take longer than the sweep's interval
    if head.overlap is None or now < head.overlap.retire_at or head.run_id:
        return False
    stop, waits = desk.ledger.switchboard.stopped(secret), awaited.waits(desk, head)
    waiting = _emergency(desk, secret) if stop or waits else None
    glass = _broken_for(desk, head.overlap, waiting)
    # an execution would only fail at its gate, at every sweep until that is over
    if (waits and waiting is None) or (stop and (glass is None or stop not in PASSED_BY_BREAK_GLASS)):
        return False
    flags = [word for word, holds in ((UNACKNOWLEDGED, waits), (BREAK_GLASS, glass is not None)) if holds]
    asked = glass or (waiting if waits else None)
    who = {"reason": asked.reason, "requested_by": asked.requested_by} if asked else {"reason": "overlap over"}
    return _started(desk, "retire", head, {**who, "flags": " ".join(flags)}, now)


def _emergency(desk: Desk, secret: str) -> Due | None:
    """What people asked for in an emergency and was not started yet."""
    due = desk.ledger.agenda.of(secret)
    return due if due is not None and EMERGENCY in due.flags.split() else None


def _broken_for(desk: Desk, overlap: Overlap, waiting: Due | None) -> Due | Run | None:
    """The emergency that breaks the glass also for the end of this overlap."""
    if waiting is not None and BREAK_GLASS in waiting.flags.split():
        return waiting
    if not (overlap.emergency and overlap.run_id):
        return None
    opened = desk.ledger.run(overlap.run_id)[0]
    return opened if opened.break_glass else None


def _resume_lost(desk: Desk, secret: str) -> bool:
    """Go on with a run whose execution is gone, where its claim would not be refused; what goes back always is."""
    head = desk.ledger.head(secret)
    if not head.run_id or not head.execution.startswith("arn:") or desk.machines.running(head.execution):
        return False
    run, steps = desk.ledger.run(head.run_id)
    if run.status == "halted":
        return False
    if run.takeovers >= MAX_TAKEOVERS:
        # told at every sweep until somebody repairs it
        desk.signals.tell(Finding.STUCK)
        return False
    if stopped_by(run, steps, desk.ledger.switchboard.stopped(secret)):
        return False
    who = {"reason": "its execution ended without it", "resume": run.run_id}
    return _started(desk, run.machine, head, who, desk.ledger.now())


def _started(desk: Desk, machine: str, head: Head, who: Mapping[str, str], now: str) -> bool:
    payload = {"secret": head.secret, "requested_by": SWEEP, "resume": "", "flags": "", **who}
    try:
        desk.machines.start(machine, execution_name(machine, head.secret, f"{head.rev} {now[:_SLOT_CHARS]}"), payload)
    except Conflict:
        return False
    return True


def resume(desk: Desk, run: Run, who: Mapping[str, str]) -> dict[str, str]:
    """Start another execution of the run's machine that continues it."""
    return start(desk, run.machine, run.secret, {**who, "resume": run.run_id}, f"{run.run_id} {run.takeovers}")
