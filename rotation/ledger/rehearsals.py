"""When a rotation was rehearsed last: rotate, roll back and rotate again on a canary secret. One row.

Whoever rehearses says so here; the sweep publishes the age. Before the first rehearsal the age counts from the first
look, so that a stack that never rehearses shows it.
"""

from __future__ import annotations

from datetime import datetime

from rotation.ledger.rows import Key, Put, Rows

_KEY = Key("rehearsal", "last")


class Rehearsals:
    """Reads and writes the row."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def held(self, at: str, run_id: str) -> None:
        """A rehearsal succeeded at that time; its last run."""
        self._rows.write([Put(key=_KEY, row={"at": at, "run_id": run_id})])

    def age_s(self, now: str) -> float:
        """Seconds since the last one, or since this was asked first."""
        row = self._rows.get(_KEY)
        if row is None:
            self._rows.write([Put(key=_KEY, row={"at": now, "run_id": ""})])
            return 0.0
        passed = datetime.fromisoformat(now) - datetime.fromisoformat(str(row["at"]))
        return max(0.0, passed.total_seconds())
