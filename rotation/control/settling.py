"""What becomes of a secret's due row when a rotation of it ends, whoever had started it.

The record of a run is written first: a crash between the two repeats this, and where nobody repeats it the sweep finds
the row still under way and looks at the run.
"""

from __future__ import annotations

from dataclasses import replace

from rotation.control.desk import Desk
from rotation.control.takeover import UNENDED
from rotation.errors import NotFound, Refused
from rotation.ledger.due import Due
from rotation.ledger.records import Run
from rotation.ledger.rehearsals import RUNS_READ, ends_rehearsal
from rotation.planning.reckoning import failed, succeeded

# The scheduler of a policy that the sweep rotates.
KEYTURN = "keyturn"
# Somebody else changes the same row, a sweep mostly, which does so once: the row is looked at again this often.
_ATTEMPTS = 3


def settle(desk: Desk, run_id: str) -> None:
    """Write the due row that follows from an ended run, and whether that ended a rehearsal.

    Nothing for a run of another machine, or one that goes on.
    """
    try:
        run, _ = desk.ledger.run(run_id)
    except NotFound:
        return
    # a run that has not ended holds its claim, and with it the row
    if run.machine != "rotate" or run.status in UNENDED:
        return
    _write_row(desk, run)
    if run.status == "succeeded" and ends_rehearsal(desk.ledger.history(run.secret, RUNS_READ), run):
        desk.ledger.rehearsals.held(run.ended_at, run.run_id)


def _write_row(desk: Desk, run: Run) -> None:
    for _ in range(_ATTEMPTS):
        row = desk.ledger.agenda.of(run.secret)
        made = after(desk, row, run) if row else None
        if row is None or made is None or desk.ledger.agenda.put(row, made):
            return


def after(desk: Desk, row: Due, run: Run) -> Due | None:
    """The row after the run; None where it stays as it is."""
    if row.under_way and run.ended_at < row.started_at:
        # a record that was repeated late: the row is of a newer run
        return None
    if run.status == "succeeded" or run.failure.get("phase") == "record":
        # where only the record broke the credential is another one all the same
        return _next(desk, row, run)
    if not row.name or run.execution.rpartition(":")[2] != row.name:
        return None
    return failed(row, run.failure.get("cause") or run.failure.get("reason", run.status), desk.ledger.now())


def _next(desk: Desk, row: Due, run: Run) -> Due | None:
    try:
        policy = desk.catalogue.policy(run.secret)
    except Refused:
        # the sweep says of each such secret what is wrong with its policy
        return None
    if policy.scheduler != KEYTURN:
        # the sweep removes the row
        return replace(row, name="", execution="", since="", due_at=desk.ledger.now())
    return succeeded(row, policy, run.started_at, desk.ledger.now())
