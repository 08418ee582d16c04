"""What the sweep takes in of the catalogue: new policies get a due row, changed ones move theirs, gone ones lose it.

A catalogue that did not change costs a HEAD of its index and one row. No policy is read here: a row that is new is due
at once, and read when the sweep comes to it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from rotation.control.desk import Desk
from rotation.ledger.due_enrolment import DIGEST_CHARS, Summary, digest_of, part_of

# Rows that one look takes in: some 15 s of transactions. The rest of a large catalogue follows in the next looks.
_ROWS = 5_000


def take_in(desk: Desk) -> bool:
    """Compare the catalogue's index with what was seen; True when all of it was taken in."""
    seen, tag = desk.ledger.enrolment.summary(), desk.catalogue.index_tag()
    if tag in ("", seen.tag):
        return True
    there = _parts(desk.catalogue.index())
    parts, left = dict(seen.parts), _ROWS
    for name in sorted({*there, *parts}):
        part = there.get(name, {})
        if parts.get(name) == digest_of(part):
            continue
        if left <= 0:
            break
        left -= _part_taken_in(desk, name, part)
        parts[name] = digest_of(part)
    else:
        return desk.ledger.enrolment.keep_summary(seen, Summary(tag=tag, parts=_named(parts, there)))
    desk.ledger.enrolment.keep_summary(seen, Summary(parts=_named(parts, there)))
    return False


def _named(parts: Mapping[str, str], there: Mapping[str, object]) -> dict[str, str]:
    """Without the parts of which no policy is left."""
    return {name: digest for name, digest in parts.items() if name in there}


def _parts(index: Mapping[str, str]) -> dict[str, dict[str, str]]:
    parts: dict[str, dict[str, str]] = {}
    for name, digest in index.items():
        parts.setdefault(part_of(name), {})[name] = digest[:DIGEST_CHARS]
    return parts


def _part_taken_in(desk: Desk, name: str, part: Mapping[str, str]) -> int:
    """Write the rows of one part, then remember it; how many rows that were."""
    enrolment, now = desk.ledger.enrolment, desk.ledger.now()
    known = enrolment.part(name)
    changed = [secret for secret, digest in known.items() if secret in part and part[secret] != digest]
    gone = [secret for secret in known if secret not in part]
    fresh = [secret for secret in part if secret not in known]
    enrolment.add(sorted([*fresh, *(secret for secret in changed if not _reckon_anew(desk, secret, now))]), now)
    for secret in gone:
        _forget(desk, secret)
    enrolment.keep_part(name, part)
    return len(fresh) + len(changed) + len(gone)


def _reckon_anew(desk: Desk, secret: str, now: str) -> bool:
    """Whether there is a row; one that waits is looked at now. One that is under way is reckoned when its run ends."""
    row = desk.ledger.agenda.of(secret)
    if row is not None and not row.under_way and not row.urgent:
        # somebody who is faster reads the policy as it is now, too
        desk.ledger.agenda.put(row, replace(row, since="", due_at=now))
    return row is not None


def _forget(desk: Desk, secret: str) -> None:
    row = desk.ledger.agenda.of(secret)
    if row is not None:
        # changed meanwhile: the sweep finds out that nothing names it any more
        desk.ledger.agenda.drop(row)
