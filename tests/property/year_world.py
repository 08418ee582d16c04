"""A stack's year in minutes: the real sweep over an indexed table in memory; runs last, write, fail and get lost.

Time jumps to the next thing that happens: a row that comes due, seen at the next tick of the sweep's schedule, or a run
that writes or ends. What is counted is what a store would see: each write at its second, each start with its policy.
"""

from __future__ import annotations

import heapq
import random
from bisect import insort
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from rotation.control.desk import Desk, run_id_of
from rotation.control.settling import settle
from rotation.control.sweep import sweep
from rotation.due_times import earliest_start
from rotation.errors import NotFound, Throttled
from rotation.ledger.due import SHARDS, URGENT
from rotation.ledger.ledger import Ledger
from rotation.ledger.moments import timestamp
from rotation.ledger.records import Head, Run, StepRecord
from rotation.ledger.rows import Check, ConditionFailed, Key, Put, Row, Write
from rotation.policy import Policy
from tests.model.world import ModelCatalogue, ModelFunctions, Told

START = datetime(2026, 1, 1, tzinfo=UTC)
# The schedule's period, and the pause between two looks of one sweep.
TICK = timedelta(minutes=5)
PAUSE = timedelta(seconds=10)
# Writes of each store's phases, at seconds after the start; the last are those of the end of the overlap.
WRITES: Mapping[str, Sequence[tuple[int, int]]] = {
    "aws": ((5, 1), (40, 1)),
    "vault": ((5, 1), (40, 2)),
    "gcp": ((5, 1), (40, 1), (3_700, 2)),
}
# How a task is tried again after its function was throttled (`rotation.definition`).
RETRIES_S = (5, 10, 20, 40, 80)
# A run without trouble ends after this.
LASTS_S = 120
# A start that nothing held comes within one period of the sweep, and what its budget needs for a full hour's worth.
LATE_S = 3_600
# What a look needs for one start: five calls, one after the other.
START_TAKES = timedelta(milliseconds=60)
# One run in so many fails, and one in so many loses its execution without a record.
FAILS, LOST = 50, 500


class IndexedRows:
    """The ledger's table with a real index, so that a look costs what is due. One thread; rows are copied flat."""

    def __init__(self) -> None:
        self.rows: dict[Key, Row] = {}
        self._partitions: dict[str, set[str]] = defaultdict(set)
        self._index: dict[str, list[tuple[str, Key]]] = defaultdict(list)
        self.read = 0

    def identity(self) -> str:
        return "table"

    def get(self, key: Key) -> Row | None:
        self.read += 1
        row = self.rows.get(key)
        return dict(row) if row is not None else None

    def partition(self, pk: str, prefix: str = "", newest: int = 0) -> list[Row]:
        keys = sorted(sk for sk in self._partitions.get(pk, ()) if sk.startswith(prefix))
        self.read += len(keys)
        return [dict(self.rows[Key(pk, sk)]) for sk in keys[-newest:]]

    def due(self, shard: str, until: str, most: int = 0) -> list[Row]:
        found: list[Row] = []
        for due_at, key in self._index[shard]:
            if due_at > until or 0 < most <= len(found):
                break
            found.append(dict(self.rows[key]))
        self.read += len(found)
        return found

    def next_due(self) -> str:
        """When the next row comes due; "~" for never."""
        return min((self._index[shard][0][0] for shard in (*SHARDS, URGENT) if self._index[shard]), default="~")

    def write(self, writes: Sequence[Write]) -> None:
        failed = [i for i, one in enumerate(writes) if one.expect and not one.expect.holds(self.rows.get(one.key))]
        if failed:
            raise ConditionFailed(failed)
        for one in writes:
            if not isinstance(one, Check):
                self._replace(one.key, dict(one.row) if isinstance(one, Put) else None)

    def _replace(self, key: Key, row: Row | None) -> None:
        old = self.rows.pop(key, None)
        if old is not None and "due_shard" in old:
            self._index[old["due_shard"]].remove((old["due_at"], key))
        if row is None:
            self._partitions[key.pk].discard(key.sk)
            return
        self.rows[key] = {**row, "pk": key.pk, "sk": key.sk}
        self._partitions[key.pk].add(key.sk)
        if "due_shard" in row:
            insort(self._index[row["due_shard"]], (row["due_at"], key), key=lambda one: (one[0], one[1].pk, one[1].sk))


class YearLedger(Ledger):
    """The ledger, with claims and runs as the simulation has them."""

    def __init__(self, rows: IndexedRows, clock: YearClock) -> None:
        super().__init__(rows, clock)
        self.claims: dict[str, str] = {}
        self.runs: dict[str, Run] = {}

    def head(self, secret: str) -> Head:
        return Head(secret=secret, run_id=self.claims.get(secret, ""))

    def run(self, run_id: str) -> tuple[Run, dict[str, StepRecord]]:
        if run_id not in self.runs:
            raise NotFound("run_unknown", "no such run")
        return self.runs[run_id], {}

    def due(self, what: str, until: str) -> list[str]:
        # ends of overlaps are not simulated, only their writes
        return []


class YearClock:
    """Moves only forward."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment


class IndexedPolicies(ModelCatalogue):
    """A catalogue that is deployed once."""

    def index_tag(self) -> str:
        return "v1"

    def some(self, after: str, most: int) -> list[str]:
        """No store is looked at in this year: nobody moves a version from outside."""
        del after, most
        return []


@dataclass
class Seen:
    """What the year has shown."""

    starts: int = 0
    failures: int = 0
    lost: int = 0
    throttled: int = 0
    given_up: int = 0
    looks: int = 0
    most_under_way: int = 0
    wrong: list[str] = field(default_factory=list)
    writes: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    latest_s: float = 0.0


class Year:
    """The simulation; `step` makes one thing happen."""

    def __init__(self, policies: Sequence[Policy], seed: int) -> None:
        self.clock = YearClock()
        self.rows = IndexedRows()
        self.ledger = YearLedger(self.rows, self.clock)
        self.policies = {one.name: one for one in policies}
        self.seen = Seen()
        self.told = Told()
        self._random = random.Random(seed)  # noqa: S311 - a simulation that can be repeated
        self._events: list[tuple[datetime, int, str, tuple[Any, ...]]] = []
        self._number = 0
        self._begun_now = 0
        self._groups: dict[str, str] = {}
        self._alive: set[str] = set()
        self.desk = Desk(
            ledger=self.ledger,
            catalogue=IndexedPolicies(self.policies),  # type: ignore[arg-type]
            machines=self,
            functions=ModelFunctions(lambda _: None),  # type: ignore[arg-type, return-value]
            table_id=self.rows.identity,
            signals=self.told,
        )

    def run(self, days: int) -> Seen:
        """The whole time, from an empty ledger on."""
        end = START + timedelta(days=days)
        self._at(START, "tick")
        while self._events and self._events[0][0] < end:
            moment, _, what, about = heapq.heappop(self._events)
            self.clock.moment = moment
            getattr(self, f"_{what}")(*about)
        return self.seen

    def _at(self, moment: datetime, what: str, *about: Any) -> None:
        self._number += 1
        heapq.heappush(self._events, (moment, self._number, what, about))

    def _tick(self, begun: str = "") -> None:
        self.seen.looks += 1
        self._begun_now = 0
        answer = sweep(self.desk, begun or self.ledger.now())
        if answer["outcome"] == "unobserved":
            self._at(self.clock.moment + PAUSE, "tick", begun or self.ledger.now())
            return
        self._at(max(self._next_tick(self.clock.moment), self._next_tick(self._due(), late=True)), "tick")

    def _due(self) -> datetime:
        due = self.rows.next_due()
        return datetime.fromisoformat(due) if due < "~" else self.clock.moment + timedelta(days=1)

    def _next_tick(self, moment: datetime, *, late: bool = False) -> datetime:
        """The schedule's tick after a moment, or at it when `late`."""
        ticks, rest = divmod(moment - START, TICK)
        return START + (ticks + (0 if late and not rest else 1)) * TICK

    def start(self, machine: str, name: str, payload: Mapping[str, str]) -> str:
        """StartExecution: checks what the sweep promises, and lays out the run's life."""
        secret, now = payload["secret"], self.clock.moment
        policy, execution = self.policies[secret], f"arn:{name}"
        self.seen.starts += 1
        if earliest_start(policy, now) != now:
            self.seen.wrong.append(f"{secret} started outside its window or in a freeze at {now}")
        if policy.group and self._groups.get(policy.group):
            self.seen.wrong.append(f"{secret} and {self._groups[policy.group]} of {policy.group} at once at {now}")
        if secret in self.ledger.claims:
            self.seen.wrong.append(f"{secret} was started twice at {now}")
        self._check_late(secret)
        self._groups[policy.group] = secret
        self._alive.add(execution)
        self.ledger.claims[secret] = run_id_of(execution)
        self.seen.most_under_way = max(self.seen.most_under_way, len(self.ledger.claims))
        self._begun_now += 1
        begins = now + self._begun_now * START_TAKES
        for after, writes in WRITES[policy.store]:
            self._at(begins + timedelta(seconds=after), "write", policy.store, secret, writes, 0)
        fate = self._random.random()
        how = "lost" if fate < 1 / LOST else "failed" if fate < 1 / LOST + 1 / FAILS else "succeeded"
        self._at(begins + timedelta(seconds=LASTS_S), "end", secret, execution, how, self.ledger.now())
        del machine
        return execution

    def _check_late(self, secret: str) -> None:
        row = self.ledger.agenda.of(secret)
        if row is None:
            return
        late = (self.clock.moment - datetime.fromisoformat(row.since)).total_seconds()
        self.seen.latest_s = max(self.seen.latest_s, late)
        if late > LATE_S and not (row.failures or row.group or row.parent):
            self.seen.wrong.append(f"{secret} started {late:.0f} s late without a cause")

    def left_over(self) -> list[str]:
        """Secrets that are overdue at the end although nothing holds them."""
        rows = (self.ledger.agenda.of(name) for name in self.policies)
        latest = timestamp(self.clock.moment - timedelta(seconds=LATE_S))
        calm = (row for row in rows if row and not (row.under_way or row.failures or row.group or row.parent))
        return [row.secret for row in calm if row.since < latest and row.due_at < latest]

    def running(self, execution: str) -> bool:
        """DescribeExecution."""
        return execution in self._alive

    def _write(self, store: str, secret: str, writes: int, tried: int) -> None:
        try:
            self.ledger.budgets.spend(store, secret, writes)
        except Throttled:
            self.seen.throttled += 1
            if tried < len(RETRIES_S):
                later = self.clock.moment + timedelta(seconds=RETRIES_S[tried])
                self._at(later, "write", store, secret, writes, tried + 1)
            else:
                self.seen.given_up += 1
            return
        second = int((self.clock.moment - START).total_seconds())
        self.seen.writes[store][second] += writes
        if store == "gcp":
            self.seen.writes[f"gcp/{secret}"][second] += writes

    def _end(self, secret: str, execution: str, how: str, started_at: str) -> None:
        self._alive.discard(execution)
        self.ledger.claims.pop(secret, None)
        self._groups.pop(self.policies[secret].group, None)
        if how == "lost":
            self.seen.lost += 1
            return
        self.seen.failures += how == "failed"
        run = _run(secret, execution, how, started_at, self.ledger.now())
        self.ledger.runs[run.run_id] = run
        settle(self.desk, run.run_id)


def _run(secret: str, execution: str, status: str, started_at: str, ended_at: str) -> Run:
    return Run(
        run_id=run_id_of(execution),
        secret=secret,
        machine="rotate",
        epoch=1,
        execution=execution,
        function="",
        policy="",
        policy_digest="",
        reason="due",
        requested_by="sweep",
        started_at=started_at,
        ended_at=ended_at,
        status=status,
        failure={"phase": "prepare", "reason": "target_denied"} if status == "failed" else {},
    )
