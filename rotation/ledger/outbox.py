"""What consumers are still to be told, kept in the ledger until every channel has it.

The row is written in the very transaction that records what happened, and removed with the outcome of telling: whoever
dies in between, consumers are told. It names run and step, from which the event follows, and comes due a little later
than anybody at work on the run needs, in an index partition of its own, which the sweep reads in one query.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta

from rotation.ledger.moments import timestamp
from rotation.ledger.rows import Delete, Key, Put, Row, Rows, Write

_PREFIX = "undelivered#"
# Rows are few: one while a run tells its consumers, and what could not be sent.
SHARD = "undelivered"
# The sweep's next look but one: a run tells its consumers within its minute, and a broker that is down needs some.
FIRST_PAUSE = timedelta(minutes=5)
# Doubled per attempt up to this: whoever learns of it late learns of it within the hour.
LONGEST_PAUSE = timedelta(hours=1)
# Beyond this doubling is above the longest pause anyway.
_DOUBLINGS = 4
# The sweep has a minute and other work; what is left comes first the next time.
_MOST = 20
# Rows that one answer lists: far more than people could read.
MOST = 100
# Sorts after every time.
_EVER = "~"


@dataclass(frozen=True, kw_only=True)
class Undelivered:
    """What one step of a run tells consumers. `attempts`: how often it was sent again in vain."""

    secret: str
    run_id: str
    step: str
    due_at: str
    attempts: int = 0

    @property
    def key(self) -> Key:
        """Where the row lies."""
        return Key(f"secret#{self.secret}", f"{_PREFIX}{self.run_id}#{self.step}")


class Outbox:
    """Rows to be written with others (`kept`, `sent`), and verbs of whoever sends again."""

    def __init__(self, rows: Rows, clock: Callable[[], datetime]) -> None:
        self._rows = rows
        self._clock = clock

    def kept(self, secret: str, run_id: str, step: str) -> Write:
        """To be written with what happened."""
        first = timestamp(self._clock() + FIRST_PAUSE)
        return _put(Undelivered(secret=secret, run_id=run_id, step=step, due_at=first))

    def sent(self, secret: str, run_id: str, step: str) -> Write:
        """To be written with the outcome, once every channel has it."""
        return Delete(key=Undelivered(secret=secret, run_id=run_id, step=step, due_at="").key)

    def settle(self, secret: str, run_id: str, step: str, *, sent: bool) -> None:
        """Sent again: every channel has it now, or it is tried once more, later each time."""
        if sent:
            self._rows.write([self.sent(secret, run_id, step)])
            return
        one = Undelivered(secret=secret, run_id=run_id, step=step, due_at="")
        row = self._rows.get(one.key)
        one = _read(row) if row else one
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** min(one.attempts + 1, _DOUBLINGS))
        later = timestamp(self._clock() + pause)
        self._rows.write([_put(replace(one, attempts=one.attempts + 1, due_at=later))])

    def due(self, until: str) -> list[Undelivered]:
        """What came due by `until`, of all secrets, the oldest first, at most so many as one look can send."""
        return [_read(row) for row in self._rows.due(SHARD, until, _MOST)]

    def waiting(self) -> list[Undelivered]:
        """What consumers of all secrets have not been told, due or not, the next to be tried first."""
        return [_read(row) for row in self._rows.due(SHARD, _EVER, MOST)]

    def of(self, secret: str) -> list[Undelivered]:
        """What consumers of a secret have not been told, due or not."""
        return [_read(row) for row in self._rows.partition(f"secret#{secret}", _PREFIX)]


def _put(one: Undelivered) -> Put:
    row: Row = {**asdict(one), "due_shard": SHARD}
    return Put(key=one.key, row=row)


def _read(row: Row) -> Undelivered:
    return Undelivered(
        secret=row["secret"], run_id=row["run_id"], step=row["step"], due_at=row["due_at"], attempts=row["attempts"]
    )
