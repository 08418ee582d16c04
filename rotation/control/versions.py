"""What consumers call the version that is current, and the one before it: Keyturn's ids, and the store's own.

Keyturn's id is the run that made the version, also where a rollback made it current again. The head keeps it with
every move, so that it costs no look at the history; only of what an older program has moved the history is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from rotation.contract import Version
from rotation.ledger.ledger import Ledger
from rotation.ledger.records import Head, Overlap
from rotation.lineage import made_by


@dataclass(frozen=True, kw_only=True)
class Ids:
    """Keyturn's ids; "" where there is none. `stored`: the store's ids of the same versions, and what they lead to."""

    current: str = ""
    before: str = ""
    stored: dict[str, str] = field(default_factory=dict)

    def named(self, said: str) -> str:
        """Keyturn's id of what an instance calls so; "" when it is neither current nor the one before."""
        return said if said and said in (self.current, self.before) else self.stored.get(said, "")


def known_ids(ledger: Ledger, secret: str) -> Ids:
    """The ids of a secret, as the ledger has them now."""
    head = ledger.head(secret)
    current = current_id(ledger, head)
    before, version = _before(ledger, head, current)
    stored = {version.id: before} if version and before else {}
    # the one that is current has the last word, should both ever be called the same
    return Ids(current=current, before=before, stored=stored | ({head.current.id: current} if head.current else {}))


def current_id(ledger: Ledger, head: Head) -> str:
    """Keyturn's id of what is current; "" before the first value."""
    if head.current is None:
        return ""
    return head.version or made_by(ledger, head.secret, head.current)


def new_id(ledger: Ledger, secret: str, overlap: Overlap) -> str:
    """Keyturn's id of the version that an overlap leads to."""
    return overlap.new_id or made_by(ledger, secret, overlap.new)


def _before(ledger: Ledger, head: Head, current: str) -> tuple[str, Version | None]:
    if head.run_id:
        # one that has moved current and is not ended yet: the overlap is opened at its end
        run, _ = ledger.run(head.run_id)
        left = run.overlap.new if run.machine == "rollback" and run.overlap else run.current
        if run.machine in ("rotate", "rollback") and left and run.version != current:
            return run.version, left
    way = head.overlap or head.retired
    if way is None or head.current is None or way.new.id != head.current.id:
        return "", None
    return way.old_id or made_by(ledger, head.secret, way.old), way.old
