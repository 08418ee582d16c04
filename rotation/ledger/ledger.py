"""The ledger's verbs: claim, begin and finish a step, end a run. Every write is fenced by the claim's epoch.

Intent before, outcome after every effect; one write may close a step and open the next. What stops runs (`switch`) is
a condition of the write that opens a step, so it is in force before the next effect; undoing is never stopped by it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from rotation.contract import Version
from rotation.errors import Conflict, Fenced, NotFound, Unavailable
from rotation.ledger import switch
from rotation.ledger.agenda import Agenda
from rotation.ledger.approvals import Approvals
from rotation.ledger.budget import Budgets
from rotation.ledger.due_enrolment import Enrolment
from rotation.ledger.incidents import Incidents
from rotation.ledger.leases import Leases
from rotation.ledger.moments import timestamp
from rotation.ledger.outbox import Outbox
from rotation.ledger.records import (
    Head,
    Overlap,
    Run,
    StepRecord,
    claim_key,
    from_row,
    head_key,
    history_key,
    retire_key,
    run_key,
    step_key,
    to_row,
)
from rotation.ledger.rehearsals import Rehearsals
from rotation.ledger.rows import Check, ConditionFailed, Delete, Expect, Key, Put, Row, Rows, Write
from rotation.ledger.surveyed import Surveyed
from rotation.phases import BACKWARDS

# Rows that come due are spread over this many index partitions; the sweep reads each.
SHARDS = 4
# The sweep looks whether a claim's execution still runs after this, and at every sweep from then on: longer than any
# run without a warm-up takes, so that it is seldom asked in vain. No clock decides: the execution's state does.
LOOK_AFTER = timedelta(minutes=10)
# The first step of a machine's undoing.
TURNS = {"rotate": "restore", "rollback": "forgo"}
# Machines that only undo or mend: no switch stops them.
NEVER_STOPPED = ("rollback", "repair")
# Writes of an amendment before its guards: head, end of the overlap, audit.
_OF_AN_AMENDMENT = 3


def shard_of(secret: str) -> str:
    """The index partition of a secret; stable across processes."""
    return str(sum(secret.encode()) % SHARDS)


class Ledger:
    """Verbs over `rows`; `clock` gives aware datetimes."""

    def __init__(self, rows: Rows, clock: Callable[[], datetime]) -> None:
        self._rows = rows
        self._clock = clock
        self.switchboard = switch.Switchboard(rows, clock)
        self.agenda = Agenda(rows)
        self.budgets = Budgets(rows, clock)
        self.enrolment = Enrolment(rows)
        self.rehearsals = Rehearsals(rows)
        self.outbox = Outbox(rows, clock)
        self.leases = Leases(rows)
        self.approvals = Approvals(rows)
        self.incidents = Incidents(rows)
        self.surveyed = Surveyed(rows)

    def now(self) -> str:
        """The clock's time as the ledger writes it."""
        return timestamp(self._clock())

    def head(self, secret: str) -> Head:
        """The secret's head; a fresh one where the secret was never claimed."""
        row = self._rows.get(head_key(secret))
        return from_row(Head, row) if row else Head(secret=secret)

    def run(self, run_id: str) -> tuple[Run, dict[str, StepRecord]]:
        """A run and its steps by name; NotFound `run_unknown`."""
        rows = self._rows.partition(f"run#{run_id}")
        found = [from_row(Run, row) for row in rows if row["sk"] == "run"]
        if not found:
            raise NotFound("run_unknown", f"the ledger has no run {run_id}", "list runs with `keyturn history`")
        steps = [from_row(StepRecord, row) for row in rows if row["sk"].startswith("step#")]
        return found[0], {step.step: step for step in steps}

    def history(self, secret: str, newest: int = 0) -> list[Run]:
        """The secret's runs, oldest first; only so many of the newest, or with 0 all."""
        rows = self._rows.partition(f"secret#{secret}", "history#", newest)
        return [from_row(Run, row) for row in rows]

    def due(self, what: str, until: str) -> list[str]:
        """Names of secrets with a row of the kind `what` (`records.RETIRE`, `CLAIM`) that came due by `until`."""
        rows = [row for i in range(SHARDS) for row in self._rows.due(str(i), until)]
        return [str(row["secret"]) for row in rows if row["sk"] == what]

    def claim(self, head: Head, run: Run, *, lost: Run | None = None, noted: switch.Who | None = None) -> Run:
        """Take the secret for `run`, as seen in `head`; Fenced `claim_lost` when somebody was faster.

        A run that is in the ledger already is taken over by another execution: same run, new epoch. Halted where a
        switch stops it. lost: the run whose place it takes, ended in the same write. noted: who goes on with it, for
        the audit. Returns the run with its epoch.
        """
        claimed = replace(run, epoch=head.epoch + 1, version=run.version if run.takeovers else head.version)
        taken = replace(head, rev=head.rev + 1, epoch=claimed.epoch, run_id=run.run_id, execution=run.execution)
        self._write(
            claimed,
            *self._guards(claimed),
            Put(key=head.key, row=to_row(taken), expect=_unchanged(head)),
            *_told(claimed, _next_of(claimed)),
            *(_told(lost) if lost else ()),
            Put(key=claim_key(run.secret), row=_due(run.secret, timestamp(self._clock() + LOOK_AFTER))),
            *([self.switchboard.noted(noted, run.secret)] if noted else []),
        )
        return claimed

    def begin(self, run: Run, step: StepRecord, *, closing: StepRecord | None = None, undoing: bool = False) -> None:
        """Write a step's intent, closing the one before in the same write.

        Halted when a switch stops it (never while undoing), Fenced when the claim went to somebody else.
        """
        guards = [*([] if undoing else self._guards(run)), *_not_turned(run, step)]
        begins = Put(key=step_key(run.run_id, step.step), row=to_row(step), expect=_after(step))
        self._write(run, *guards, _mine(run), *_closes(run, closing), begins)

    def finish(self, run: Run, step: StepRecord, *more: Write) -> None:
        """Write a step's outcome, and `more` with it. Not stopped by the switch: the effect has happened."""
        self._write(run, _mine(run), *_closes(run, step), *more)

    def promoted(
        self, run: Run, step: StepRecord, head: Head, live: Version | None, pending_token: str, *more: Write
    ) -> None:
        """Close the step that moved current (forward or back), and move the head with it: one write, with `more`."""
        version = _known_as(run, step)
        moved = replace(head, rev=head.rev + 1, current=live, pending_token=pending_token, version=version)
        self._write(run, Put(key=head.key, row=to_row(moved), expect=_owned(run, head)), *_closes(run, step), *more)

    def end(self, run: Run, head: Head, *, overlap: Overlap | None, noted: switch.Who | None = None) -> None:
        """Record how a run ended and free the claim; `overlap` is what stays open afterwards. noted: who ended it."""
        freed = replace(head, rev=head.rev + 1, run_id="", execution="", overlap=overlap)
        self._write(
            run,
            Put(key=head.key, row=to_row(freed), expect=_owned(run, head)),
            *_told(run),
            Delete(key=claim_key(run.secret)),
            _retirement(run.secret, overlap),
            *([self.switchboard.noted(noted, run.secret)] if noted else []),
        )

    def park(self, run: Run, *, watched: bool = False) -> None:
        """Record that a run stopped before its end. It keeps its claim, so that it can be resumed or undone.

        watched: the sweep takes it up again by itself.
        """
        unwatched = [] if watched else [Delete(key=claim_key(run.secret))]
        self._write(run, _mine(run), *_told(run), *unwatched)

    def turned(self, run: Run) -> list[Write]:
        """The writes that note a run's direction while it keeps its claim, to go with others."""
        return [_mine(run), *_told(run)]

    def look(self, run: Run) -> None:
        """Keep the subject of a look, which a store's function reads; it claims nothing and is in no history."""
        self._write(run, Put(key=run_key(run.run_id), row=to_row(run)))

    def forget(self, run: Run) -> None:
        """Remove the subject of a look."""
        self._write(run, Delete(key=run_key(run.run_id)))

    def end_unclaimed(self, run: Run) -> None:
        """Record a run that never got the claim, so that history shows it; Fenced when it has got it after all."""
        self._write(run, *_told(run, Expect(or_absent=True)))

    def amend(self, head: Head, who: switch.Who, guards: Sequence[Write] = (), **changes: object) -> Head:
        """Change a secret's head by hand, as seen in `head`; kept in the audit. Conflict `head_changed`.

        guards: what has to hold besides (`switch.guards`); Halted where it does not.
        """
        made = replace(head, rev=head.rev + 1, **changes)  # type: ignore[arg-type]  # names are the callers' literals
        try:
            self._rows.write(
                [
                    Put(key=head.key, row=to_row(made), expect=_unchanged(head)),
                    _retirement(head.secret, made.overlap),
                    self.switchboard.noted(who, head.secret),
                    *guards,
                ]
            )
        except ConditionFailed as exc:
            # after the three writes of its own
            if any(i >= _OF_AN_AMENDMENT for i in exc.failed):
                raise switch.halted(self._rows, head.secret, self.now()) from exc
            raise Conflict(
                "head_changed", f"{head.secret} was changed by somebody else meanwhile", "look again and repeat"
            ) from exc
        return made

    def _guards(self, run: Run) -> list[Write]:
        if run.undoing or run.machine in NEVER_STOPPED:
            return []
        return switch.guards(run.secret, self.now(), break_glass=run.break_glass)

    def _write(self, run: Run, *writes: Write) -> None:
        try:
            self._rows.write(writes)
        except ConditionFailed as exc:
            if any(switch.is_guard(writes[i]) for i in exc.failed):
                raise switch.halted(self._rows, run.secret, self.now()) from exc
            if all(writes[i].key.sk.startswith("step#") for i in exc.failed):
                # the machine asks again, and finds what the other one did
                raise Unavailable("step_taken", "another invocation works on the same step", "wait for it") from exc
            raise Fenced(
                "claim_lost",
                "another run holds the claim of this secret now; this one stops without a further effect",
                "look at the newer run with `keyturn status`",
            ) from exc


def _known_as(run: Run, step: StepRecord) -> str:
    """Keyturn's id of what is current after a step that moved it; "" where the way back is of an older program."""
    if step.step in ("revert", "forgo"):
        return run.overlap.old_id if run.overlap else ""
    # a first version stays current although its run is undone: there is none to go back to
    stays = step.facts.get("undone") == "nothing" and "met" not in step.facts
    return run.version if step.step == "demote" and not stays else run.run_id


def _unchanged(head: Head) -> Expect:
    return Expect(equals={"rev": head.rev} if head.rev else {}, or_absent=not head.rev)


def _owned(run: Run, head: Head) -> Expect:
    return Expect(equals={"rev": head.rev, "run_id": run.run_id, "epoch": run.epoch})


def _mine(run: Run) -> Check:
    return Check(key=head_key(run.secret), expect=Expect(equals={"run_id": run.run_id, "epoch": run.epoch}))


def _closes(run: Run, step: StepRecord | None) -> Sequence[Put]:
    """The outcome of an attempt, while no other invocation has begun the next one."""
    if step is None:
        return []
    expect = Expect(equals={"attempts": step.attempts})
    return [Put(key=step_key(run.run_id, step.step), row=to_row(step), expect=expect)]


def _not_turned(run: Run, step: StepRecord) -> list[Check]:
    """No step goes forward once the run is being undone: an event may come twice, and late."""
    turn = TURNS.get(run.machine)
    if turn is None or step.step in BACKWARDS:
        return []
    return [Check(key=step_key(run.run_id, turn), expect=Expect(or_absent=True))]


def _after(step: StepRecord) -> Expect:
    """An attempt follows the one that its invocation has seen."""
    return Expect(equals={"attempts": step.attempts - 1}) if step.attempts > 1 else Expect(or_absent=True)


def _told(run: Run, expect: Expect | None = None) -> Sequence[Put]:
    """The run, if `expect` holds of its row, and its short row for listing: everything but the policy's text."""
    short: Row = {**to_row(run), "policy": ""}
    return [Put(key=run_key(run.run_id), row=to_row(run), expect=expect), Put(key=history_key(run), row=short)]


def _next_of(run: Run) -> Expect:
    """A claim is of a run that is new, or continues it from where it was seen: its event may come twice, and late."""
    return Expect(equals={"takeovers": run.takeovers - 1}) if run.takeovers else Expect(or_absent=True)


def _retirement(secret: str, overlap: Overlap | None) -> Write:
    """The row by which the sweep finds the end of an overlap, or none where none is open."""
    key: Key = retire_key(secret)
    return Put(key=key, row=_due(secret, overlap.retire_at)) if overlap else Delete(key=key)


def _due(secret: str, due_at: str) -> Row:
    return {"secret": secret, "due_shard": shard_of(secret), "due_at": due_at}
