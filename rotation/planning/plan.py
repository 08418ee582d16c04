"""Which of the due rotations start now, which later, and what holds the others: one pure function.

What people asked for in an emergency goes first and waits for no window; then the longest due. Of a group
one member at a time, until its run has ended, bake included: its claim is free. The overlap that follows does not hold
the group: both credentials are valid in it, and groups whose overlaps must not meet are better one policy after another
by their crons. A child waits while its parent is due, or under way. One that leaked waits only for a parent that is
under way, or that people asked for as well: for the latter an hour at most, and not while it pauses after a failure.
Each start takes a token of its store's pool; who gets none now is given the slot in which there will be some. The same
facts make the same plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from rotation.ledger.due import Due
from rotation.ledger.moments import timestamp
from rotation.planning.spread import place

# A parent that people asked for together with its child has had its turn by then: looks are five minutes apart, and a
# rotation takes minutes. After this a leaked credential that still waits, for whatever it is, is told to somebody.
PATIENCE = timedelta(hours=1)


class Cause(StrEnum):
    """Why a rotation that is due does not start."""

    # its last run failed: it waits before the next one
    PAUSE = "pause"
    WINDOW = "window"
    GROUP = "group"
    PARENT = "parent"
    BUDGET = "budget"


@dataclass(frozen=True, kw_only=True)
class Pool:
    """Starts that a store's budget allows now, and how many a second from then on."""

    ready: int
    rate: float


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What the plan depends on beside the rows.

    busy: members of a group that are under way, by group. waiting: parents that are due, or under way; running: those
    under way; asked: those that people asked for in an emergency and that did not fail since; each beside those among
    the rows. blocked: secrets that cannot start, and why. pools: by store; a store without one has no ceiling.
    """

    busy: Mapping[str, str] = field(default_factory=dict)
    waiting: frozenset[str] = frozenset()
    running: frozenset[str] = frozenset()
    asked: frozenset[str] = frozenset()
    blocked: Mapping[str, str] = field(default_factory=dict)
    pools: Mapping[str, Pool] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Start:
    """One rotation to start at `not_before` or later."""

    due: Due
    not_before: str


@dataclass(frozen=True, kw_only=True)
class Hold:
    """One rotation that does not start, and why: a `Cause`, or what blocks the secret."""

    due: Due
    cause: str


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What to do about each of the rows, in order."""

    starts: tuple[Start, ...]
    holds: tuple[Hold, ...]


def plan(rows: Iterable[Due], facts: Facts, now: str) -> Plan:
    """Starts and holds of the rows, each once. Rows that are under way hold their group and their children only."""
    ordered = sorted(rows, key=_order)
    draft = _Draft(_with_rows(facts, ordered, now), now)
    draft.taken |= {due.group: due.secret for due in ordered if due.group and due.under_way}
    for due in ordered:
        if not due.under_way:
            draft.place(due)
    return Plan(starts=tuple(draft.starts), holds=tuple(draft.holds))


def _with_rows(facts: Facts, rows: Iterable[Due], now: str) -> Facts:
    """The facts with the parents that are among the rows."""
    found = list(rows)
    return replace(
        facts,
        waiting=facts.waiting | {due.secret for due in found},
        running=facts.running | {due.secret for due in found if due.under_way},
        asked=facts.asked | {due.secret for due in found if hopeful(due, now)},
    )


def hopeful(due: Due, now: str) -> bool:
    """Whether people asked for it, and it does not pause after a failure."""
    return due.urgent and due.not_before <= now


def impatient(due: Due, now: str) -> bool:
    """Whether people asked for it so long ago that it should have started."""
    return due.urgent and due.asked_at <= timestamp(datetime.fromisoformat(now) - PATIENCE)


def _order(due: Due) -> tuple[bool, str, float, str]:
    """Emergencies, then by how long it is due; the hash makes no name the first for ever."""
    return (not due.urgent, due.asked_at if due.urgent else due.since, place(due.secret), due.secret)


class _Draft:
    """A plan while it is made."""

    def __init__(self, facts: Facts, now: str) -> None:
        self.starts: list[Start] = []
        self.holds: list[Hold] = []
        self.taken: dict[str, str] = dict(facts.busy)
        self._facts = facts
        self._now = now
        self._spent: dict[str, int] = {}

    def place(self, due: Due) -> None:
        """Start it, or hold it and say why."""
        cause = self._cause(due)
        if cause:
            self.holds.append(Hold(due=due, cause=cause))
            return
        slot = self._slot(due.store)
        if not due.urgent and due.closes and slot >= due.closes:
            self.holds.append(Hold(due=due, cause=Cause.BUDGET))
            return
        self._spent[due.store] = self._spent.get(due.store, 0) + 1
        if due.group:
            self.taken[due.group] = due.secret
        self.starts.append(Start(due=due, not_before=slot))

    def _cause(self, due: Due) -> str:
        if due.secret in self._facts.blocked:
            return self._facts.blocked[due.secret]
        if due.not_before > self._now:
            return Cause.PAUSE
        if not due.urgent and not due.due_at <= self._now < (due.closes or "~"):
            return Cause.WINDOW
        if due.parent != due.secret and self._behind(due):
            return Cause.PARENT
        if due.group and self.taken.get(due.group, due.secret) != due.secret:
            return Cause.GROUP
        return ""

    def _behind(self, due: Due) -> bool:
        if not due.urgent:
            return due.parent in self._facts.waiting
        if due.parent in self._facts.running:
            return True
        return due.parent in self._facts.asked and not impatient(due, self._now)

    def _slot(self, store: str) -> str:
        pool, spent = self._facts.pools.get(store), self._spent.get(store, 0)
        if pool is None or spent < pool.ready:
            return self._now
        late = timedelta(seconds=(spent - pool.ready + 1) / pool.rate)
        return timestamp(datetime.fromisoformat(self._now) + late)
