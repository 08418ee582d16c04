"""Which policies the sweep has seen, by name and digest, in rows that each hold a part of the catalogue.

A hundred thousand policies are some hundred rows of a few kilobytes. One summary row says which catalogue they were
taken from and the digest of each part, so that a catalogue that did not change costs one read, and one policy that
changed costs one part. A part's row is written after the due rows of its policies: a crash between repeats the part.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from rotation.ledger.due import Due, due_key, to_row
from rotation.ledger.rows import ConditionFailed, Expect, Key, Put, Rows

# Parts of the catalogue: 400 policies of some 60 bytes in each where there are 100,000, a twentieth of an item's limit.
PARTS = 256
# Hex digits of a digest that are kept to tell a change: 64 bits are no protection, and none is needed here.
DIGEST_CHARS = 16
# Rows of one transaction: half of DynamoDB's limit, and far below its 4 MB.
_AT_ONCE = 50
_PK = "enrolment"
_SUMMARY = Key(_PK, "summary")


@dataclass(frozen=True, kw_only=True)
class Summary:
    """`tag`: of the catalogue's index that was taken in as a whole. parts: digest of each part that was."""

    tag: str = ""
    parts: Mapping[str, str] = field(default_factory=dict)
    rev: int = 0


def part_of(name: str) -> str:
    """The part that a policy belongs to; stable across processes."""
    return f"{hashlib.sha256(name.encode()).digest()[0] % PARTS:02x}"


def digest_of(part: Mapping[str, str]) -> str:
    """The digest of a part: of its names and their digests."""
    text = "\n".join(f"{name} {digest}" for name, digest in sorted(part.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:DIGEST_CHARS]


class Enrolment:
    """Reads and writes what was seen."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def summary(self) -> Summary:
        """What was seen so far; an empty one at first."""
        row = self._rows.get(_SUMMARY) or {}
        return Summary(tag=str(row.get("tag", "")), parts=row.get("parts", {}), rev=int(row.get("rev", 0)))

    def part(self, name: str) -> dict[str, str]:
        """The policies of a part as they were seen: digest by name."""
        row = self._rows.get(Key(_PK, name)) or {}
        return dict(row.get("policies", {}))

    def keep_part(self, name: str, policies: Mapping[str, str]) -> None:
        """Remember a part. Whoever writes last has seen the same catalogue, or the summary tells the difference."""
        self._rows.write([Put(key=Key(_PK, name), row={"policies": dict(policies)})])

    def keep_summary(self, seen: Summary, made: Summary) -> bool:
        """Replace the summary as it was seen; False when somebody else was faster."""
        made = replace(made, rev=seen.rev + 1)
        expect = Expect(equals={"rev": seen.rev}) if seen.rev else Expect(or_absent=True)
        row = {"tag": made.tag, "parts": dict(made.parts), "rev": made.rev}
        try:
            self._rows.write([Put(key=_SUMMARY, row=row, expect=expect)])
        except ConditionFailed:
            return False
        return True

    def add(self, secrets: Iterable[str], now: str) -> None:
        """A due row, to be looked at now, for each secret that has none; the others are left as they are."""
        fresh = [Due(secret=secret, due_at=now, rev=1) for secret in secrets]
        for i in range(0, len(fresh), _AT_ONCE):
            self._added(fresh[i : i + _AT_ONCE])

    def _added(self, fresh: Sequence[Due]) -> None:
        try:
            self._rows.write([_new(due) for due in fresh])
        except ConditionFailed as exc:
            # those that are there: another sweep, or one that crashed before it could remember this part
            left = [due for i, due in enumerate(fresh) if i not in exc.failed]
            if left:
                self._added(left)


def _new(due: Due) -> Put:
    return Put(key=due_key(due.secret), row=to_row(due), expect=Expect(or_absent=True))
