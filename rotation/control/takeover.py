"""A run that lost its execution, or was halted, is continued by another one: same run, same staged version, new epoch.

The new epoch fences the earlier execution out of ledger and target. What neither store nor target can fence is waited
out: an open step of that kind is taken over only when the invocation that began it has certainly ended. A run that has
not reached its pivot may also be given up for a new one, which settles what it left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from rotation.control.asked import Asked
from rotation.control.desk import Desk
from rotation.control.signals import Finding
from rotation.control.undoable import direction_of, ways_on
from rotation.errors import Halted, Refused
from rotation.ledger.ledger import Ledger
from rotation.ledger.records import UNDO, Head, Run, StepRecord
from rotation.ledger.switch import Who
from rotation.phases import TABLES
from rotation.policy import from_document

# Above the functions' own timeout (60 s, `definition`), which is counted from the start of the invocation.
LATE = timedelta(seconds=65)
# A run in one of these is not ended.
UNENDED = ("running", "halted", "stuck")
# A run that has got this far may have changed what readers get or what the target accepts of old credentials: nothing
# else may start before it is ended.
PIVOTS = frozenset({"promote", "revoke", "reinstate", "revert"})
# How a run ends whose execution was gone and whose place another run took.
_LOST = {"phase": "claim", "reason": "execution_lost"}


class TooEarly(Exception):
    """An invocation of the execution before may still work on a step that nobody can fence: look again."""


def take_over(desk: Desk, asked: Asked, run: Run, steps: Mapping[str, StepRecord]) -> Run:
    """Claim an unfinished run, or one that failed and left its candidate behind, for another execution.

    Refused `run_ended`, `claim_held`, `claim_lost`, `cannot_undo`; TooEarly. Returns the run with its new epoch.
    """
    head = desk.ledger.head(run.secret)
    same_table(desk.table_id(), head)
    check_continuable(desk, head, run, undo=asked.undo)
    check_late(desk.ledger.now(), steps)
    direction = UNDO if asked.undo else direction_of(run, steps)
    continued = replace(
        run,
        execution=asked.execution,
        # one that Secrets Manager began has none
        function=run.function if run.function.startswith("arn:") else _pinned(desk, run),
        status="running",
        direction=direction,
        break_glass=run.break_glass or asked.break_glass,
        takeovers=run.takeovers + 1,
        continued_by=asked.requested_by,
        continued_why=asked.reason,
        ended_at="",
        failure={} if asked.undo else run.failure,
    )
    claimed = desk.ledger.claim(head, continued, noted=_noted(asked))
    if asked.break_glass:
        desk.signals.tell(Finding.BREAK_GLASS)
    return claimed


def _noted(asked: Asked) -> Who | None:
    """For the audit, because the run itself names only whoever went on with it last."""
    verb = "undo" if asked.undo else "break_glass" if asked.break_glass else ""
    return Who(actor=asked.requested_by, reason=asked.reason, verb=verb) if verb else None


def _pinned(desk: Desk, run: Run) -> str:
    return desk.functions.pin(from_document(run.policy).store, run.run_id)


def check_late(now: str, steps: Mapping[str, StepRecord]) -> None:
    """TooEarly while an open step may still take effect that nobody would refuse."""
    for record in steps.values():
        begun = datetime.fromisoformat(record.begun_at or record.intent_at)
        if not record.done and not record.fenced and datetime.fromisoformat(now) - begun < LATE:
            raise TooEarly


def given_up(ledger: Ledger, head: Head) -> tuple[Run, dict[str, StepRecord]]:
    """The run that holds the claim without anybody at work on it, where a new run may simply take its place.

    Refused `run_unfinished` for one that may have moved current: its overlap has to be opened, or its promotion undone.
    TooEarly while a step of it may still take effect.
    """
    dead, steps = ledger.run(head.run_id)
    if dead.status != "running" or PIVOTS & steps.keys():
        raise Refused(
            "run_unfinished",
            f"the run {dead.run_id} of {head.secret} is not ended ({dead.status})",
            ways_on(dead, steps),
        )
    check_late(ledger.now(), steps)
    return dead, steps


def lost(dead: Run, now: str) -> Run:
    """How a run ends whose place another one takes."""
    return replace(dead, status="failed", ended_at=now, failure=_LOST)


def same_table(table: str, head: Head) -> str:
    """The ledger's table. Halted `ledger_restored` while what it says of the secret is of a backup."""
    if head.table not in ("", table):
        raise Halted(
            "ledger_restored",
            f"the ledger was restored from a backup since {head.secret} was rotated last: it may be behind",
            f"`keyturn repair {head.secret}`, or `--all`, compares it with store and target",
        )
    return table


def check_continuable(desk: Desk, head: Head, run: Run, *, undo: bool) -> None:
    """Refused, with what to do instead, where a run cannot be continued in this direction."""
    left_behind = run.status == "failed" and head.leftover == run.run_id and not head.run_id
    if run.status not in UNENDED and not (undo and left_behind):
        raise Refused("run_ended", f"the run {run.run_id} is {run.status}", "start another one")
    if undo and not any(phase.on_undo for phase in TABLES[run.machine]):
        raise Refused(
            "cannot_undo",
            f"a run of the machine {run.machine} cannot be undone, only gone on with",
            f"`keyturn resume {run.run_id}`",
        )
    if left_behind:
        return
    if head.run_id != run.run_id:
        raise Refused("claim_lost", f"a newer run holds {run.secret}", f"look at it: `keyturn status {run.secret}`")
    if desk.machines.running(run.execution):
        raise Refused("claim_held", f"the run {run.run_id} is under way", "wait for it: `keyturn history`")
