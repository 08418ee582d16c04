"""What the ledger's rows mean, as frozen values: head of a secret, run, step. No table and no clock here.

Rows hold references and times, never a value. Times are ISO 8601 in UTC with microseconds, so that they sort as text.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field, fields
from typing import Any, TypeVar

from rotation.contract import Version
from rotation.ledger.rows import Key, Row


@dataclass(frozen=True, kw_only=True)
class Overlap:
    """Old and new are both valid until `retire_at`; `run_id` is the rotation that opened it.

    witnessed_by: the retirement that saw the old one accepted and then began to revoke it, but could not finish.
    """

    run_id: str
    old: Version
    new: Version
    retire_at: str
    witnessed_by: str = ""


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

    @property
    def key(self) -> Key:
        """Where the row lies."""
        return head_key(self.secret)


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of a machine: what it follows (`policy`, the document, and its digest), who asked and why.

    machine: `rotate` or `retire`. status: `running`, `succeeded`, `failed`. started: versions it started from.
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


@dataclass(frozen=True, kw_only=True)
class StepRecord:
    """One step of a run: `intent` before its effect, `facts` after it; both without values.

    calls: calls by kind made by the step's invocation up to its outcome.
    """

    step: str
    phase: str
    intent_at: str
    intent: dict[str, str] = field(default_factory=dict)
    outcome_at: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)
    attempts: int = 1

    @property
    def done(self) -> bool:
        """Whether the outcome was recorded."""
        return bool(self.outcome_at)


def head_key(secret: str) -> Key:
    """Key of a secret's head."""
    return Key(f"secret#{secret}", "head")


def retire_key(secret: str) -> Key:
    """Key of the row that the sweep's index finds when an overlap ends."""
    return Key(f"secret#{secret}", "retire")


def history_key(run: Run) -> Key:
    """Key of the short row that lists a run under its secret, in order of start."""
    return Key(f"secret#{run.secret}", f"history#{run.started_at}#{run.run_id}")


def run_key(run_id: str) -> Key:
    """Key of a run."""
    return Key(f"run#{run_id}", "run")


def step_key(run_id: str, step: str) -> Key:
    """Key of one step of a run."""
    return Key(f"run#{run_id}", f"step#{step}")


# The kill switch of the whole stack; absent means not engaged, unreadable means engaged.
SWITCH = Key("switch", "global")

T = TypeVar("T", Head, Run, StepRecord)

_NESTED = {"current": Version, "overlap": Overlap, "old": Version, "new": Version}


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
