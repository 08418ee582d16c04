"""What the ledger's rows mean, as frozen values: head of a secret, run, step. No table and no clock here.

Rows hold references and times, never a value. Times are ISO 8601 in UTC with microseconds, so that they sort as text.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from rotation.contract import Version
from rotation.ledger.rows import Key, Row

# Sort keys of the rows that the sweep's index finds.
RETIRE, CLAIM = "retire", "claim"
# A run's direction once it only goes back: because a person said so, or because it had begun to by itself.
UNDO, BACK = "undo", "back"


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Old and new are both valid until `retire_at`; `run_id` is the rotation that opened it.

    witnessed_by: the retirement that saw the old one accepted and then began to revoke it, but could not finish.
    emergency: the run that opened it did not wait, because the old one must not be used any more. horizon: how many
    versions back a rollback reaches, the smaller of the store's and the target's; limited_by: whose it is.
    disposed: what became of the old version in the store once it was dead. old_id, new_id: what consumers call the two,
    Keyturn's ids; "" in what an older program wrote.
    """

    run_id: str
    old: Version
    new: Version
    retire_at: str
    witnessed_by: str = ""
    emergency: bool = False
    horizon: int = 1
    limited_by: str = ""
    disposed: str = ""
    old_id: str = ""
    new_id: str = ""


@dataclass(frozen=True, kw_only=True)
class Head:
    """One row per secret: who holds the claim, which version is current, which overlap is open.

    epoch rises with every claim and fences stores and targets. rev rises with every write and guards the row itself.
    """

    secret: str
    rev: int = 0
    epoch: int = 0
    run_id: str = ""
    execution: str = ""
    current: Version | None = None
    # what the store told about its pending place the last time, for stores that need it (see Observation)
    pending_token: str = ""
    overlap: Overlap | None = None
    # a failed run whose candidate could not be withdrawn or abandoned: the next run does that first
    leftover: str = ""
    # the overlap that was ended last: where a rollback leads once the old credential is retired
    retired: Overlap | None = None
    # the table that the secret was claimed in last: another one means that the ledger was restored from a backup
    table: str = ""
    # what consumers call the current version: Keyturn's id; "" where an older program made it current
    version: str = ""

    @property
    def key(self) -> Key:
        """Where the row lies."""
        return head_key(self.secret)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a machine: what it follows (`policy`, the document, and its digest), who asked and why.

    machine: `rotate`, `retire`, `rollback` or `repair`. status: `running`, `halted` (stopped by a switch, to be resumed
    or undone), `stuck` (its undoing did not end; the sweep takes it up), `succeeded`, `failed`, `undone` (by a person),
    `reported` (nothing was done). current, overlap: where it started from. emergency: no overlap. break_glass: it
    passes a freeze. direction: `undo` or `back` once it only goes back. takeovers: executions that continued it.
    clear: the pending version that a repair is to remove. unacknowledged: it does not wait for consumers. version:
    Keyturn's id of what was current when it began. continued_by, continued_why: whoever went on with it last, or took
    it back; "" where it needed nobody.
    """

    run_id: str
    secret: str
    machine: str
    epoch: int
    execution: str
    function: str
    policy: str
    policy_digest: str
    reason: str
    requested_by: str
    started_at: str
    status: str = "running"
    ended_at: str = ""
    failure: dict[str, str] = field(default_factory=dict)
    current: Version | None = None
    pending_token: str = ""
    overlap: Overlap | None = None
    leftover: str = ""
    emergency: bool = False
    break_glass: bool = False
    direction: str = ""
    takeovers: int = 0
    clear: str = ""
    unacknowledged: bool = False
    version: str = ""
    continued_by: str = ""
    continued_why: str = ""

    @property
    def undoing(self) -> bool:
        """Whether it is only to be undone."""
        return self.direction in (UNDO, BACK)


@dataclass(frozen=True, kw_only=True)
class StepRecord:
    """One step of a run: `intent` before its effect, `facts` after it; both without values.

    calls: calls by kind made by the step's invocation up to its outcome. fenced: store or target would refuse the
    effect of an invocation that is late; an open step that is not has to be waited out by whoever continues the run.
    epoch: of the claim it was recorded under; a step that failed under an earlier one is tried again. begun_at: of the
    last attempt.
    """

    step: str
    phase: str
    intent_at: str
    intent: dict[str, str] = field(default_factory=dict)
    outcome_at: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    attempts: int = 1
    fenced: bool = True
    epoch: int = 0
    begun_at: str = ""

    @property
    def done(self) -> bool:
        """Whether the outcome was recorded."""
        return bool(self.outcome_at)


def passed(record: StepRecord | None) -> bool:
    """Whether a step was taken, and passed."""
    return record is not None and record.facts.get("outcome") == "passed"


def head_key(secret: str) -> Key:
    """Key of a secret's head."""
    return Key(f"secret#{secret}", "head")


def retire_key(secret: str) -> Key:
    """Key of the row that the sweep's index finds when an overlap ends."""
    return Key(f"secret#{secret}", RETIRE)


def claim_key(secret: str) -> Key:
    """Key of the row by which the sweep finds a run that may have lost its execution."""
    return Key(f"secret#{secret}", CLAIM)


def history_key(run: Run) -> Key:
    """Key of the short row that lists a run under its secret, in order of start."""
    return Key(f"secret#{run.secret}", f"history#{run.started_at}#{run.run_id}")


def run_key(run_id: str) -> Key:
    """Key of a run."""
    return Key(f"run#{run_id}", "run")


def step_key(run_id: str, step: str) -> Key:
    """Key of one step of a run."""
    return Key(f"run#{run_id}", f"step#{step}")


T = TypeVar("T", Head, Run, StepRecord)

_NESTED = {"current": Version, "overlap": Overlap, "retired": Overlap, "old": Version, "new": Version}


def to_row(record: Head | Run | StepRecord) -> Row:
    """The record as a row."""
    return asdict(record)


def from_row(kind: type[T], row: Row) -> T:
    """The record in a row; attributes of a newer program are ignored, so that both versions can work."""
    return kind(**_arguments(kind, row))


def _arguments(kind: type[Any], row: Row) -> dict[str, Any]:
    known = {f.name for f in fields(kind)} & row.keys()
    return {name: _value(name, row[name]) for name in known}


def _value(name: str, value: Any) -> Any:
    nested = _NESTED.get(name)
    if nested is None or value is None:
        return value
    return nested(**_arguments(nested, value))
