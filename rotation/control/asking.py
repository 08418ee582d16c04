"""An incident makes a rotation of one secret due at once: in an emergency, hence without overlap, and exactly once.

It becomes a due row like a person's emergency, so that kill switch, freezes, groups, budgets, claims and approvals hold
for it as for any other, and a run that fails is tried again. The row and the memory of the incident are one
transaction. Not here: which incidents call for one (`triggers`), and starting it (`sweep`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from rotation.control.asked import EMERGENCY
from rotation.control.desk import Desk
from rotation.errors import NotFound, Refused, Unavailable
from rotation.incidents.fields import AHEAD
from rotation.incidents.incident import Incident
from rotation.ledger.agenda import membership
from rotation.ledger.due import Due
from rotation.ledger.moments import timestamp
from rotation.ledger.records import Head
from rotation.planning.reckoning import described
from rotation.policy import Policy

# A sweep, or the end of a run, writes the same row; each does so once.
_ATTEMPTS = 5
# CloudTrail cuts a time down to its second, and clocks differ by less than the rest of it.
_CLOCKS_DIFFER = timedelta(seconds=5)


def ask(desk: Desk, policy: Policy, incident: Incident) -> str:
    """Make it due: `asked`; or why that is not necessary: `repeated`, `replaced`, `waiting`.

    `replaced`: what readers get was made after the incident, and what was before it is dead or dies now. `waiting`: an
    emergency rotation is due already, or began after the incident. Refused `incident_id_reused`. Unavailable where
    others keep writing the row.
    """
    for _ in range(_ATTEMPTS):
        if asked_at := desk.ledger.incidents.asked_at(policy.name, incident.id):
            _check_same(incident, asked_at)
            return "repeated"
        if _replaced(desk, desk.ledger.head(policy.name), incident):
            return "replaced"
        seen = desk.ledger.agenda.of(policy.name)
        if seen is not None and _waits(seen, incident):
            return "waiting"
        before, now = seen or Due(secret=policy.name, due_at=desk.ledger.now()), desk.ledger.now()
        made = _due(before, policy, incident, now)
        noted = desk.ledger.incidents.noted(policy.name, incident.id, incident.says, now)
        if desk.ledger.agenda.put(seen, made, noted, *membership(before, made.group)):
            return "asked"
    raise Unavailable("agenda_busy", f"others keep changing when {policy.name} is due", "the event is delivered again")


def _check_same(incident: Incident, asked_at: str) -> None:
    """What was answered before it happened is another incident under the same id: it must not pass for a repeat."""
    if incident.at > timestamp(datetime.fromisoformat(asked_at) + AHEAD):
        raise Refused(
            "incident_id_reused",
            "an event has the id of an earlier one and is about something later",
            "give each incident an id of its own, and send it again",
        )


def _replaced(desk: Desk, head: Head, incident: Incident) -> bool:
    if not head.version or (head.overlap is not None and not head.overlap.emergency):
        return False
    try:
        made, _ = desk.ledger.run(head.version)
    except NotFound:
        # an older program's, or somebody else's version
        return False
    return made.started_at > _surely_after(incident)


def _waits(seen: Due, incident: Incident) -> bool:
    return seen.urgent and (not seen.under_way or seen.started_at > _surely_after(incident))


def _surely_after(incident: Incident) -> str:
    return timestamp(datetime.fromisoformat(incident.at) + _CLOCKS_DIFFER)


def _due(before: Due, policy: Policy, incident: Incident, now: str) -> Due:
    asked = replace(
        before,
        # one that is under way may have minted what leaked: it is rotated again when that has ended
        due_at=before.due_at if before.under_way else now,
        since=before.since or now,
        not_before="",
        flags=EMERGENCY,
        asked_at=now,
        reason=incident.says,
        requested_by=f"event:{incident.source}",
    )
    return described(asked, policy)
