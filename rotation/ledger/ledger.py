"""The ledger's verbs: claim, begin and finish a step, end a run. Every write is fenced by the claim's epoch.

Intent before, outcome after every effect; one write may close a step and open the next. The kill switch is a condition
of the write that opens a step, so it is in force before the next effect; undoing is never stopped by it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from rotation.contract import Version
from rotation.errors import Fenced, Halted, KeyturnError, NotFound
from rotation.ledger.records import (
    SWITCH,
    Head,
    Overlap,
    Run,
    StepRecord,
    from_row,
    head_key,
    history_key,
    retire_key,
    run_key,
    step_key,
    to_row,
)
from rotation.ledger.rows import Check, ConditionFailed, Delete, Expect, Put, Rows, Write

# Retire rows are spread over this many index partitions; the sweep reads each.
SHARDS = 4

_SWITCH_OFF = Check(key=SWITCH, expect=Expect(equals={"engaged": False}, or_absent=True))


def timestamp(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds: sorts as text."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def shard_of(secret: str) -> str:
    """The index partition of a secret; stable across processes."""
    return str(sum(secret.encode()) % SHARDS)


class Ledger:
    """Verbs over `rows`; `clock` gives aware datetimes."""

    def __init__(self, rows: Rows, clock: Callable[[], datetime]) -> None:
        self._rows = rows
        self._clock = clock

    def now(self) -> str:
        """The clock's time as the ledger writes it."""
        return timestamp(self._clock())

    def check_switch(self) -> None:
        """Halted `kill_switch` while the switch is engaged, `switch_unreadable` when nobody can tell."""
        try:
            row = self._rows.get(SWITCH)
        except KeyturnError as exc:
            raise Halted("switch_unreadable", "the kill switch cannot be read, so it counts as engaged") from exc
        if row is not None and row.get("engaged") is not False:
            raise _halted()

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

    def history(self, secret: str) -> list[Run]:
        """The secret's runs, oldest first."""
        rows = self._rows.partition(f"secret#{secret}", "history#")
        return [from_row(Run, row) for row in rows]

    def due_retirements(self, until: str) -> list[str]:
        """Names of secrets whose overlap ended by `until`."""
        return [str(row["secret"]) for i in range(SHARDS) for row in self._rows.due(str(i), until)]

    def claim(self, head: Head, run: Run) -> Run:
        """Take the secret for `run`, as seen in `head`; Fenced `claim_lost` when somebody was faster.

        Returns the run with its epoch.
        """
        claimed = replace(run, epoch=head.epoch + 1)
        taken = replace(head, rev=head.rev + 1, epoch=claimed.epoch, run_id=run.run_id, execution=run.execution)
        self._write(
            _SWITCH_OFF,
            Put(key=head.key, row=to_row(taken), expect=_unchanged(head)),
            Put(key=run_key(run.run_id), row=to_row(claimed)),
            Put(key=history_key(run), row=_short(claimed)),
        )
        return claimed

    def begin(self, run: Run, step: StepRecord, *, closing: StepRecord | None = None, undoing: bool = False) -> None:
        """Write a step's intent, closing the one before in the same write.

        Halted when the switch is engaged (never while undoing), Fenced when the claim went to somebody else.
        """
        writes: list[Write] = [] if undoing else [_SWITCH_OFF]
        writes += [_mine(run), *_puts(run, closing, step)]
        self._write(*writes)

    def finish(self, run: Run, step: StepRecord) -> None:
        """Write a step's outcome. Not stopped by the switch: the effect has happened."""
        self._write(_mine(run), *_puts(run, step))

    def promoted(self, run: Run, step: StepRecord, head: Head, live: Version | None, pending_token: str) -> None:
        """Close the step that moved current (forward or back), and move the head with it: one write."""
        moved = replace(head, rev=head.rev + 1, current=live, pending_token=pending_token)
        self._write(Put(key=head.key, row=to_row(moved), expect=_owned(run, head)), *_puts(run, step))

    def end(self, run: Run, head: Head, *, overlap: Overlap | None) -> None:
        """Record how a run ended and free the claim; `overlap` is what stays open afterwards."""
        freed = replace(head, rev=head.rev + 1, run_id="", execution="", overlap=overlap)
        writes: list[Write] = [
            Put(key=head.key, row=to_row(freed), expect=_owned(run, head)),
            Put(key=run_key(run.run_id), row=to_row(run)),
            Put(key=history_key(run), row=_short(run)),
        ]
        key = retire_key(run.secret)
        if overlap:
            row = {"secret": run.secret, "due_shard": shard_of(run.secret), "due_at": overlap.retire_at}
            writes.append(Put(key=key, row=row))
        else:
            writes.append(Delete(key=key))
        self._write(*writes)

    def end_unclaimed(self, run: Run) -> None:
        """Record a run that never got the claim, so that history shows it."""
        self._write(Put(key=run_key(run.run_id), row=to_row(run)), Put(key=history_key(run), row=_short(run)))

    def _write(self, *writes: Write) -> None:
        try:
            self._rows.write(writes)
        except ConditionFailed as exc:
            if any(writes[i] is _SWITCH_OFF for i in exc.failed):
                raise _halted() from exc
            raise Fenced(
                "claim_lost",
                "another run holds the claim of this secret now; this one stops without a further effect",
                "look at the newer run with `keyturn status`",
            ) from exc


def _unchanged(head: Head) -> Expect:
    return Expect(equals={"rev": head.rev} if head.rev else {}, or_absent=not head.rev)


def _owned(run: Run, head: Head) -> Expect:
    return Expect(equals={"rev": head.rev, "run_id": run.run_id, "epoch": run.epoch})


def _mine(run: Run) -> Check:
    return Check(key=head_key(run.secret), expect=Expect(equals={"run_id": run.run_id, "epoch": run.epoch}))


def _puts(run: Run, *steps: StepRecord | None) -> Sequence[Put]:
    return [Put(key=step_key(run.run_id, s.step), row=to_row(s)) for s in steps if s]


def _short(run: Run) -> dict[str, object]:
    """A run's row for listing: everything but the policy's text."""
    return {**to_row(run), "policy": ""}


def _halted() -> Halted:
    return Halted("kill_switch", "the kill switch is engaged: no new effect is begun", "see who engaged it and why")
