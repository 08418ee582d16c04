"""The ledger's table in a process: judges the same conditions as DynamoDB. For tests and the in-process runner."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from threading import Lock

from rotation.ledger.rows import Check, ConditionFailed, Key, Put, Row, Write


class MemoryRows:
    """Rows in a dictionary, copied in and out, so that nobody holds a live row."""

    def __init__(self) -> None:
        self._rows: dict[Key, Row] = {}
        self._lock = Lock()
        self.table_id = "table"

    def identity(self) -> str:
        """One name per object, which a test changes as a restore does."""
        return self.table_id

    def get(self, key: Key) -> Row | None:
        """One row or None."""
        return copy.deepcopy(self._rows.get(key))

    def partition(self, pk: str, prefix: str = "", newest: int = 0) -> list[Row]:
        """Rows of a partition in the order of their sort key."""
        keys = sorted((k for k in self._rows if k.pk == pk and k.sk.startswith(prefix)), key=lambda k: k.sk)
        return [copy.deepcopy(self._rows[key]) for key in keys[-newest:]]

    def due(self, shard: str, until: str, most: int = 0) -> list[Row]:
        """Rows that carry `due_shard` and a `due_at` not after `until`."""
        rows = (r for r in self._rows.values() if r.get("due_shard") == shard and r.get("due_at", "~") <= until)
        return [copy.deepcopy(row) for row in sorted(rows, key=lambda r: str(r["due_at"]))[: most or None]]

    def write(self, writes: Sequence[Write]) -> None:
        """All or nothing."""
        with self._lock:
            failed = [i for i, w in enumerate(writes) if w.expect and not w.expect.holds(self._rows.get(w.key))]
            if failed:
                raise ConditionFailed(failed)
            for write in writes:
                if isinstance(write, Put):
                    self._rows[write.key] = copy.deepcopy({**write.row, "pk": write.key.pk, "sk": write.key.sk})
                elif not isinstance(write, Check):
                    self._rows.pop(write.key, None)
