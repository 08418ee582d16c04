"""What one look of the sweep reads: items, bytes and memory, for so many policies of which so many are due.

The real sweep over a table in memory that counts, with the index that DynamoDB has; bytes are those of the rows as
JSON, a little more than DynamoDB counts. Beside it the same look where nothing is due, and one with a tenth of the
policies, so that it shows what the cost grows with. Not here: time, which depends on the machine.
"""

from __future__ import annotations

import json
import tracemalloc
from datetime import UTC, datetime
from typing import Any

from bench.written import FOLDER
from rotation.control.desk import Desk
from rotation.control.sweep import sweep
from rotation.ledger.due import Due, due_key, to_row
from rotation.ledger.due_enrolment import Enrolment, Summary
from rotation.ledger.ledger import Ledger
from rotation.ledger.moments import timestamp
from rotation.ledger.rows import Key, Put, Row
from tests.model.clock import Clock
from tests.model.world import ModelCatalogue, ModelFunctions, ModelMachines, Told
from tests.property.year_world import IndexedRows

POLICIES, DUE = 100_000, 1_000
# Rows that are not due yet.
_LATER = timestamp(datetime(2027, 1, 1, tzinfo=UTC))
_TAG = "v1"


class CountedRows(IndexedRows):
    """Counts what a look reads and writes."""

    def __init__(self) -> None:
        super().__init__()
        self.items, self.bytes, self.calls = 0, 0, 0

    def get(self, key: Key) -> Row | None:
        """One row."""
        found = super().get(key)
        self._count([found] if found else [])
        return found

    def partition(self, pk: str, prefix: str = "", newest: int = 0) -> list[Row]:
        """Rows of a partition."""
        found = super().partition(pk, prefix, newest)
        self._count(found)
        return found

    def due(self, shard: str, until: str, most: int = 0) -> list[Row]:
        """Rows of the index."""
        # as a client's answer: text of its own, not the table's
        found: list[Row] = json.loads(json.dumps(super().due(shard, until, most)))
        self._count(found)
        return found

    def _count(self, rows: list[Row]) -> None:
        self.calls += 1
        self.items += len(rows)
        self.bytes += sum(len(json.dumps(row)) for row in rows)


class _Catalogue(ModelCatalogue):
    """Taken in already; a policy that is read would be counted."""

    def index_tag(self) -> str:
        """As the ledger remembers it."""
        return _TAG


def look(policies: int, due: int) -> dict[str, int]:
    """One look; what it read and how much memory it took beside the table."""
    rows, clock = CountedRows(), Clock()
    now = timestamp(clock())
    Enrolment(rows).keep_summary(Summary(), Summary(tag=_TAG))
    for i in range(policies):
        at = now if i < due else _LATER
        made = Due(secret=f"group/{i:06}", due_at=at, since=at, store="aws", digest="0" * 64, anchor=now, rev=1)
        rows.write([Put(key=due_key(made.secret), row=to_row(made))])
    desk = Desk(
        ledger=Ledger(rows, clock),
        catalogue=_Catalogue({}),  # type: ignore[arg-type]
        machines=ModelMachines(),
        functions=ModelFunctions(lambda _: None),  # type: ignore[arg-type, return-value]
        table_id=rows.identity,
        signals=Told(),
    )
    rows.items = rows.bytes = rows.calls = 0
    tracemalloc.start()
    answer = sweep(desk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    started = answer["started"]
    begun = len(started) if isinstance(started, list) else 0
    read = {"items": rows.items, "bytes": rows.bytes, "calls": rows.calls, "memory_bytes": peak}
    return {"policies": policies, "due": due, "started": begun, **read}


def measured(policies: int = POLICIES, due: int = DUE) -> dict[str, Any]:
    """The document: the look itself, with nothing due, and with a tenth of the policies."""
    looks = [look(policies, due), look(policies, 0), look(max(due, policies // 10), due)]
    return {"date": f"{datetime.now(UTC):%Y-%m-%d}", "looks": looks}


def markdown(document: dict[str, Any]) -> str:
    """The document for people."""
    names = ("policies", "due", "started", "items", "bytes", "calls", "memory_bytes")
    lines = [" | ".join(f"{one[name]:,}" for name in names) for one in document["looks"]]
    heads = " | ".join(name.replace("_", " ") for name in names)
    table = [f"| {heads} |", "|---" * len(names) + "|", *(f"| {line} |" for line in lines)]
    made = (
        f"Made by `python -m bench sweep` on {document['date']}: read by one look, not counting what it starts later."
    )
    return "\n".join(["# One look of the sweep\n", f"{made}\n", *table, ""])


def write(document: dict[str, Any]) -> None:
    """`sweep.json` and `sweep.md` among the results."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "sweep.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    (FOLDER / "sweep.md").write_text(markdown(document), encoding="utf-8")
