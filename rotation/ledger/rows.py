"""The narrow table under the ledger: read a row, read a partition, write several rows if all conditions hold.

Conditions are data, so that DynamoDB and the in-memory table judge them alike. Values are JSON scalars and maps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

Row = dict[str, Any]


@dataclass(frozen=True)
class Key:
    """Partition and sort key of one row."""

    pk: str
    sk: str


@dataclass(frozen=True, kw_only=True)
class Expect:
    """What must hold of a row: the attributes equal (all of them), or, with `or_absent`, no such row.

    not_after: texts that the attributes must not come after; times sort as text. Nothing but `or_absent` means: the row
    must not exist.
    """

    equals: Mapping[str, Any] = field(default_factory=dict)
    not_after: Mapping[str, str] = field(default_factory=dict)
    or_absent: bool = False

    def holds(self, row: Row | None) -> bool:
        """Whether a row that is there, or none, is what is expected: for tables in memory."""
        if row is None:
            return self.or_absent
        if not self.equals and not self.not_after:
            return not self.or_absent
        equal = all(row.get(name) == value for name, value in self.equals.items())
        return equal and all(name in row and row[name] <= text for name, text in self.not_after.items())


@dataclass(frozen=True, kw_only=True)
class Put:
    """Write a whole row, if `expect` holds of the row that is there."""

    key: Key
    row: Row
    expect: Expect | None = None


@dataclass(frozen=True, kw_only=True)
class Check:
    """Write nothing; the other writes happen only if this holds."""

    key: Key
    expect: Expect


@dataclass(frozen=True, kw_only=True)
class Delete:
    """Remove a row, if `expect` holds."""

    key: Key
    expect: Expect | None = None


Write = Put | Check | Delete


class ConditionFailed(Exception):
    """Nothing was written; `failed` are the positions whose condition did not hold."""

    def __init__(self, failed: Sequence[int]) -> None:
        super().__init__(f"conditions failed at {list(failed)}")
        self.failed = tuple(failed)


class Rows(Protocol):
    """The table. All methods raise `rotation.errors` classes for the provider's failures."""

    def identity(self) -> str:
        """Which table this is: a backup is always restored into another one, also under the same name."""
        ...

    def get(self, key: Key) -> Row | None:
        """One row, strongly consistent."""
        ...

    def partition(self, pk: str, prefix: str = "", newest: int = 0) -> list[Row]:
        """The rows of a partition whose sort key starts with `prefix`, in its order, strongly consistent.

        newest: only so many, those at the end of the order; 0 for all.
        """
        ...

    def due(self, shard: str, until: str, most: int = 0) -> list[Row]:
        """Rows of the index `due` in this shard whose `due_at` is not after `until`; eventually consistent.

        Oldest first. most: how many at most, 0 for all.
        """
        ...

    def write(self, writes: Sequence[Write]) -> None:
        """All or nothing; ConditionFailed when a condition does not hold."""
        ...
