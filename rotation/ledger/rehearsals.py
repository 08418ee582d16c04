"""When a rehearsal succeeded last: rotate, roll back and rotate again, of one secret, within a day. One row.

Whoever made the three runs, they have shown that the way back works. The sweep publishes the age; before the first
rehearsal it counts from the first look, so that a stack that never rehearses shows it. Not here: anything that
rehearses by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from rotation.ledger.records import Run
from rotation.ledger.rows import Key, Put, Rows

_KEY = Key("rehearsal", "last")
# The three runs, oldest first. What lies between them, ends of overlaps and failed attempts, is nothing that counts.
_SCENES = ("rotate", "rollback", "rotate")
# Further apart they were no exercise: the last one was only the next rotation that came due.
_WITHIN = timedelta(days=1)
# Newest runs that are looked at: three, ends of overlaps between them, and some attempts that failed.
RUNS_READ = 12


def ends_rehearsal(runs: Sequence[Run], last: Run) -> bool:
    """Whether the run, which ended well, was the last scene. `runs`: the secret's newest, oldest first, it included."""
    begun = datetime.fromisoformat(last.ended_at) - _WITHIN
    told = [
        run
        for run in runs
        if run.machine in _SCENES and run.status == "succeeded" and datetime.fromisoformat(run.started_at) >= begun
    ]
    scenes = told[-len(_SCENES) :]
    return tuple(run.machine for run in scenes) == _SCENES and scenes[-1].run_id == last.run_id


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
