"""Which instance of which consumer uses which version, for how long that holds: one row per instance, under its secret.

A row is replaced as it was seen, so that of two messages of one instance neither undoes the other. Its sort key begins
with `lease#`, so that all of a secret are one query, and of other rows nothing is read. Not here: who may acknowledge
what (`control.acknowledge`), and what a retirement makes of it (`control.awaited`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields

from rotation.ledger.rows import ConditionFailed, Delete, Expect, Key, Put, Row, Rows

_PREFIX = "lease#"
# DynamoDB takes a hundred writes at once; what is left goes the next time.
_FORGOTTEN_AT_ONCE = 100


@dataclass(frozen=True, kw_only=True)
class Lease:
    """What one instance said last. `version`: Keyturn's id. actor: who IAM verified as the sender.

    expires_at: until when it holds. acknowledged: when each version was acknowledged first, the newest few.
    """

    secret: str
    consumer: str
    instance: str
    version: str
    actor: str
    seen_at: str
    expires_at: str
    acknowledged: dict[str, str] = field(default_factory=dict)
    rev: int = 0

    @property
    def key(self) -> Key:
        """Where the row lies."""
        return _key(self.secret, self.consumer, self.instance)

    def live(self, now: str) -> bool:
        """Whether it still holds."""
        return self.expires_at > now


class Leases:
    """Verbs over the rows."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def one(self, secret: str, consumer: str, instance: str) -> Lease | None:
        """The lease of one instance, strongly consistent."""
        row = self._rows.get(_key(secret, consumer, instance))
        return _read(row) if row else None

    def of(self, secret: str) -> list[Lease]:
        """All leases of a secret, also those that have run out, by consumer and instance."""
        return [_read(row) for row in self._rows.partition(f"secret#{secret}", _PREFIX)]

    def put(self, seen: Lease | None, made: Lease) -> bool:
        """Replace the lease as it was seen; False when another message of the instance was faster."""
        row: Row = {**asdict(made), "rev": (seen.rev if seen else 0) + 1}
        expect = Expect(equals={"rev": seen.rev}) if seen else Expect(or_absent=True)
        try:
            self._rows.write([Put(key=made.key, row=row, expect=expect)])
        except ConditionFailed:
            return False
        return True

    def forget(self, leases: Sequence[Lease], until: str) -> None:
        """Remove those of `leases` that had run out by `until`, so that instances of long ago do not pile up."""
        gone = [lease for lease in leases if not lease.live(until)][:_FORGOTTEN_AT_ONCE]
        if not gone:
            return
        try:
            self._rows.write([Delete(key=one.key, expect=Expect(not_after={"expires_at": until})) for one in gone])
        except ConditionFailed:
            # one of them is back: the next retirement forgets the others
            return


def _key(secret: str, consumer: str, instance: str) -> Key:
    return Key(f"secret#{secret}", f"{_PREFIX}{consumer}#{instance}")


_NAMES = tuple(f.name for f in fields(Lease))


def _read(row: Row) -> Lease:
    """The record in a row; attributes of a newer program are ignored."""
    return Lease(**{name: row[name] for name in _NAMES if name in row})
