"""What a person agreed to before a rollback: which run is undone, or from which version to which.

Between the preview and the yes somebody else may have gone back already, and the same word would then mean the way
there. So the request says what was seen, the verb compares, and the claim compares once more what the verb had judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from rotation.control.asked import LEAVES, TO, Asked
from rotation.errors import Refused
from rotation.event_fields import mapping
from rotation.ledger.records import Head, Overlap


@dataclass(frozen=True, kw_only=True)
class Agreed:
    """kind: `undo` of the run `run_id`, or `rollback` from version `leaves` to version `to`; "" where it has none."""

    kind: str
    run_id: str = ""
    leaves: str = ""
    to: str = ""


def agreed_in(event: Mapping[str, Any]) -> Agreed | None:
    """The field `agreed` of a request; None where its caller looked at nothing. Refused `bad_event`."""
    if event.get("agreed") is None:
        return None
    said = mapping(event, "agreed")
    return Agreed(**{name: str(said.get(name) or "") for name in ("kind", "run_id", "leaves", "to")})


def check_undo(head: Head, agreed: Agreed | None) -> None:
    """Refused `diagnosis_changed` where another run, or none, was to be undone."""
    if agreed and (agreed.kind, agreed.run_id) != ("undo", head.run_id):
        raise _changed(head)


def check_way(head: Head, way: Overlap, agreed: Agreed | None) -> None:
    """Refused `diagnosis_changed` where the way back that was seen is not the one there is."""
    if agreed and (agreed.kind, agreed.leaves, agreed.to) != ("rollback", _current(head), way.old.id):
        raise _changed(head)


def words(head: Head, way: Overlap) -> str:
    """The way that was judged, as flags of the machine."""
    return f"{LEAVES}{_current(head)} {TO}{way.old.id}"


def check_claim(head: Head, way: Overlap, asked: Asked) -> None:
    """Under the claim: Refused `diagnosis_changed` where the way that was judged is not the one there is.

    An execution that an older program started says nothing of it.
    """
    if asked.leaves and (asked.leaves, asked.to) != (_current(head), way.old.id):
        raise _changed(head)


def _current(head: Head) -> str:
    return head.current.id if head.current else ""


def _changed(head: Head) -> Refused:
    return Refused(
        "diagnosis_changed",
        f"{head.secret} is not any more what was looked at: version {_current(head)} is current; nothing was done",
        f"look again: `keyturn rollback {head.secret}` shows what it would do now",
    )
