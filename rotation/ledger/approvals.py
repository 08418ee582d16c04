"""Who is asked to agree to a run, and what they said: one row per run, in the run's own partition.

The row keeps the task token by which the run's execution waits. Whoever holds a token and may answer tokens ends the
wait, so it stays here: no view, message, log line or repr shows it. Every change names the revision that it was decided
on: of two people one is heard. The row is found by the sweep when it expires, and once it is answered until the machine
has heard so. Not here: who may agree (`control.approvals`).
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from rotation.ledger.rows import ConditionFailed, Expect, Key, Put, Row, Rows, Write

# Index partition of the rows: few, one for each run that waits.
_SHARD = "approval"
# Sorts after every time.
_EVER = "~"
# Earlier tokens that are kept, more than attempts that a state is given; a row has 400 KB and a token 2 KB at most.
_TOKENS = 8
# Runs that one answer lists, and one look of the sweep ends: far more than people could read.
MOST = 100


class Status(StrEnum):
    """How a request stands."""

    WAITING = "waiting"
    APPROVED = "approved"
    DENIED = "denied"
    EXPIRED = "expired"
    # the run was undone instead
    WITHDRAWN = "withdrawn"
    # of a reminder: a person has done it by hand
    DONE = "done"


# What people are asked for: to agree, or to do something by hand.
APPROVAL, REMINDER = "approval", "reminder"


@dataclass(frozen=True, kw_only=True)
class Request:
    """A run that waits for a person, or did. Times as the ledger writes them, "" for none.

    digest: of the policy that the run follows. approvers: names of roles. by, why, answered_at: of the answer.
    outcome, cause: what the machine is told of it. delivered: it has been told. told: people have been.
    execution: whose token it is. others: tokens of its other attempts, since a late invocation may be heard last.
    kind: `approval`, or `reminder`, which asks no particular role. version: that a person made by hand.
    """

    run_id: str
    secret: str
    digest: str
    approvers: tuple[str, ...]
    requested_by: str
    reason: str
    requested_at: str
    expires_at: str
    token: str = field(repr=False)
    others: tuple[str, ...] = field(default=(), repr=False)
    execution: str = ""
    status: str = Status.WAITING
    by: str = ""
    why: str = ""
    answered_at: str = ""
    outcome: str = ""
    cause: str = ""
    delivered: bool = False
    told: bool = False
    kind: str = APPROVAL
    version: str = ""
    rev: int = 0

    def asked_by(self, execution: str, token: str) -> Request:
        """With the token of one more attempt, beside others of the same execution; nobody has told it yet."""
        kept = (self.token, *self.others) if execution == self.execution else ()
        others = tuple(one for one in kept if one != token)[:_TOKENS]
        return replace(self, token=token, others=others, execution=execution, delivered=False)

    @property
    def waiting(self) -> bool:
        """Whether nobody has answered yet."""
        return self.status == Status.WAITING

    @property
    def key(self) -> Key:
        """Where the row lies."""
        return _key(self.run_id)


@dataclass(frozen=True, kw_only=True)
class Approved:
    """What was agreed to last for a secret: the run, whose record has the policy, and that policy's digest."""

    run_id: str
    digest: str
    by: str
    at: str


class Approvals:
    """Verbs over these rows."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def of(self, run_id: str) -> Request | None:
        """A run's request, strongly consistent; None for a run that never waited."""
        row = self._rows.get(_key(run_id))
        return _read(row) if row else None

    def put(self, seen: Request | None, made: Request, *more: Write) -> Request | None:
        """Replace the row as it was seen, with `more`; None when somebody else was faster."""
        written = replace(made, rev=(seen.rev if seen else 0) + 1)
        expect = Expect(equals={"rev": seen.rev}) if seen else Expect(or_absent=True)
        try:
            self._rows.write([Put(key=made.key, row=_row(written), expect=expect), *more])
        except ConditionFailed:
            return None
        return written

    def due(self, until: str) -> list[Request]:
        """Requests that have expired by then, and answers that the machine has not heard; the index lags."""
        return [_read(row) for row in self._rows.due(_SHARD, until, MOST)]

    def waiting(self) -> list[Request]:
        """All that wait, the first to expire first."""
        return [one for one in self.due(_EVER) if one.waiting]

    def last(self, secret: str) -> Approved | None:
        """What was agreed to last."""
        row = self._rows.get(_last_key(secret))
        return Approved(**{name: str(row[name]) for name in ("run_id", "digest", "by", "at")}) if row else None


def approved(request: Request) -> Write:
    """The write that keeps what was agreed to last, to go with the answer."""
    row = {"run_id": request.run_id, "digest": request.digest, "by": request.by, "at": request.answered_at}
    return Put(key=_last_key(request.secret), row=row)


def _key(run_id: str) -> Key:
    return Key(f"run#{run_id}", "approval")


def _last_key(secret: str) -> Key:
    return Key(f"secret#{secret}", "approved")


_NAMES = tuple(f.name for f in fields(Request))


def _row(request: Request) -> Row:
    row: Row = {name: getattr(request, name) for name in _NAMES}
    row |= {"approvers": list(request.approvers), "others": list(request.others)}
    if request.delivered:
        return row
    due_at = request.expires_at if request.waiting else request.answered_at
    return {**row, "due_shard": _SHARD, "due_at": due_at}


def _read(row: Row) -> Request:
    """The record in a row; attributes of a newer program are ignored."""
    known: dict[str, Any] = {name: row[name] for name in _NAMES if name in row}
    lists = {name: tuple(known.get(name, ())) for name in ("approvers", "others")}
    return Request(**{**known, **lists})
