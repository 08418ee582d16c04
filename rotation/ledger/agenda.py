"""The table's part of what is due: rows that are ripe, changes that only one of two sweeps can make, turns of a group.

Every change names the revision that it was decided on, so that of two sweeps that saw the same row one starts it. Two
members of a group are two rows: the start of either moves the group's turn on in the same write, so that of two sweeps
that saw the same turn one starts its member. A rotation that missed its time has a row beside it, written with it, by
which the index tells since when it is late: its own comes due at the next window. Not here: when something is due
(`rotation.planning`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from rotation.ledger.due import ROTATE_LATE, SHARDS, URGENT, Due, due_key, from_row, late_key, late_row, to_row
from rotation.ledger.rows import ConditionFailed, Delete, Expect, Key, Put, Rows, Write

# Attributes of a group's partition: who belongs to it, and how often it was somebody's turn.
_TURN, _MEMBER = "turn", "member#"


@dataclass(frozen=True, kw_only=True)
class Group:
    """Members of a group that were seen so far, and the number of its turn."""

    name: str
    turn: int
    members: tuple[str, ...]


class Agenda:
    """Verbs over the due rows."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def ripe(self, until: str, most: int) -> list[Due]:
        """Rows that came due by `until`, at most so many of each shard, the oldest of each."""
        return [from_row(row) for shard in SHARDS for row in self._rows.due(shard, until, most)]

    def urgent(self, until: str, most: int) -> list[Due]:
        """As `ripe`, of what people asked for in an emergency."""
        return [from_row(row) for row in self._rows.due(URGENT, until, most)]

    def late_since(self, now: str) -> str:
        """Since when the rotation is late that waits the longest for a later time; "" for none."""
        return next((str(row["due_at"]) for row in self._rows.due(ROTATE_LATE, now, 1)), "")

    def of(self, secret: str) -> Due | None:
        """A secret's row, strongly consistent."""
        row = self._rows.get(due_key(secret))
        return from_row(row) if row else None

    def put(self, seen: Due | None, made: Due, *more: Write) -> Due | None:
        """Replace the row as it was seen; the row with its new revision, or None when somebody else was faster."""
        written = replace(made, rev=(seen.rev if seen else 0) + 1)
        expect = Expect(equals={"rev": seen.rev}) if seen else Expect(or_absent=True)
        try:
            self._rows.write([Put(key=made.key, row=to_row(written), expect=expect), *_beside(seen, made), *more])
        except ConditionFailed:
            return None
        return written

    def drop(self, seen: Due) -> bool:
        """Remove the row of a policy that is gone; False when somebody else changed it."""
        gone: list[Write] = [Delete(key=seen.key, expect=Expect(equals={"rev": seen.rev}))]
        if seen.late:
            gone.append(Delete(key=late_key(seen.secret)))
        if seen.group:
            gone.append(Delete(key=_member_key(seen.group, seen.secret)))
        try:
            self._rows.write(gone)
        except ConditionFailed:
            return False
        return True

    def group(self, name: str) -> Group:
        """Members and turn, strongly consistent."""
        rows = self._rows.partition(f"group#{name}")
        turns = [int(row["turn"]) for row in rows if row["sk"] == _TURN]
        members = tuple(str(row["secret"]) for row in rows if row["sk"].startswith(_MEMBER))
        return Group(name=name, turn=turns[0] if turns else 0, members=members)


def _beside(seen: Due | None, made: Due) -> Sequence[Write]:
    """The writes of the row that says since when it is late."""
    if made.late:
        return [Put(key=late_key(made.secret), row=late_row(made))]
    return [Delete(key=late_key(made.secret))] if seen and seen.late else []


def turn_taken(group: Group) -> Write:
    """The write by which a start takes the group's turn as it was seen."""
    expect = Expect(equals={"turn": group.turn}) if group.turn else Expect(or_absent=True)
    return Put(key=Key(f"group#{group.name}", _TURN), row={"turn": group.turn + 1}, expect=expect)


def membership(seen: Due, group: str) -> Sequence[Write]:
    """The writes that move a secret from the group that was seen to another; none where it stays."""
    if seen.group == group:
        return []
    left: list[Write] = [Delete(key=_member_key(seen.group, seen.secret))] if seen.group else []
    row: Mapping[str, str] = {"secret": seen.secret}
    return [*left, Put(key=_member_key(group, seen.secret), row=dict(row))] if group else left


def _member_key(group: str, secret: str) -> Key:
    return Key(f"group#{group}", f"{_MEMBER}{secret}")
