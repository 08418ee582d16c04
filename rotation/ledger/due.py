"""When a secret's next rotation is due, as one row per secret that the sweep's index finds. No table and no clock here.

The row keeps what the sweep needs to decide: nothing of the catalogue is read for a rotation that waits for its turn.
Shards of their own, so that looking for rotations reads no ended overlap and the other way round; rotations that people
asked for in an emergency have one more, so that they are found while everything else is stopped.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

from rotation.ledger.rows import Key, Row

# Sort keys of the row, and of the one beside it by which the index finds since when a rotation is late.
ROTATE, LATE = "rotate", "late"
# Index partitions: 1,000 rows of half a kilobyte are a page of DynamoDB in four reads.
SHARDS = ("rotate-0", "rotate-1", "rotate-2", "rotate-3")
URGENT = "urgent"
# Of rows beside: few, because a window is seldom missed.
ROTATE_LATE = "rotate-late"


@dataclass(frozen=True, kw_only=True)
class Due:
    """The next rotation of a secret. Times as the ledger writes them, "" for none.

    due_at: when the sweep looks at it. since: when it may have started first; "" until the policy was read. closes: the
    end of the time in which it may start; after that it rolls forward to the next window. digest: of the policy these
    were reckoned from. anchor: what the cadence counts from, the start of the last rotation or the first sight of the
    policy. not_before: the pause after failures, of which `failures` came in a row, the last for `cause`.
    name, execution, started_at: of the execution under way; `execution` is its ARN, once it is known. attempt: rises
    with every start. flags, reason, requested_by, asked_at: of people who asked for an emergency rotation.
    """

    secret: str
    due_at: str
    rev: int = 0
    since: str = ""
    closes: str = ""
    digest: str = ""
    anchor: str = ""
    store: str = ""
    group: str = ""
    parent: str = ""
    not_before: str = ""
    failures: int = 0
    cause: str = ""
    attempt: int = 0
    name: str = ""
    execution: str = ""
    started_at: str = ""
    flags: str = ""
    reason: str = ""
    requested_by: str = ""
    asked_at: str = ""

    @property
    def under_way(self) -> bool:
        """Whether an execution was started for it and its end has not been seen."""
        return bool(self.name)

    @property
    def urgent(self) -> bool:
        """Whether people asked for it: it waits for no window."""
        return bool(self.flags)

    @property
    def late(self) -> bool:
        """Whether it missed its time and waits for a later one, until which the index does not show it as due."""
        return bool(self.since) and self.due_at > self.since and not (self.under_way or self.urgent)

    @property
    def key(self) -> Key:
        """Where the row lies."""
        return due_key(self.secret)


def due_key(secret: str) -> Key:
    """Key of a secret's due row."""
    return Key(f"secret#{secret}", ROTATE)


def late_key(secret: str) -> Key:
    """Key of the row beside a secret's due row that says since when it is late."""
    return Key(f"secret#{secret}", LATE)


def late_row(due: Due) -> Row:
    """The row beside: indexed by since when the rotation may have started first."""
    return {"secret": due.secret, "due_at": due.since, "due_shard": ROTATE_LATE}


def shard_of(due: Due) -> str:
    """The index partition of a row; stable across processes."""
    return URGENT if due.urgent else SHARDS[sum(due.secret.encode()) % len(SHARDS)]


_NAMES = tuple(f.name for f in fields(Due))


def to_row(due: Due) -> Row:
    """The record as a row: what is empty is left out."""
    kept = {name: value for name in _NAMES if (value := getattr(due, name)) not in ("", 0)}
    return {**kept, "due_shard": shard_of(due)}


def from_row(row: Row) -> Due:
    """The record in a row; attributes of a newer program are ignored."""
    return Due(**{name: row[name] for name in _NAMES if name in row})
