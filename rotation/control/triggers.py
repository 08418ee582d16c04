"""What an event of the bus leads to: a rotation, a look at a moved version, or nothing, and why.

An event names a secret and never says what is done about it: that is the policy's, read in the sealed catalogue. What
is refused or cannot be followed is alarmed, because it may have been a leak. The provider's trouble is raised, so that
Lambda delivers the event again and then to the dead letters.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from rotation.contract import SecretRef
from rotation.control import asking, outside
from rotation.control.desk import Desk
from rotation.control.signals import Finding
from rotation.control.sweep import at_once
from rotation.errors import KeyturnError, Refused, Throttled, Unavailable
from rotation.incidents.incident import Incident, Kind, Ours
from rotation.incidents.reading import read
from rotation.policy import Policy

# Policies that one off-boarding is followed for: some 50 ms each, and the function has a minute.
MOST_POLICIES = 300
_LOG = logging.getLogger("keyturn")


def respond(desk: Desk, event: Mapping[str, Any], ours: Ours) -> dict[str, Any]:
    """Follow one event: `{outcome, reason, kind, id, secrets}`, `secrets` from a policy's name to what became of it.

    outcome: `followed`, `ignored`, or `refused` with a reason. Raises Throttled, Unavailable.
    """
    try:
        incident = read(event, ours, desk.ledger.now())
        names = [] if incident.harmless else _named(desk, incident)
    except Refused as exc:
        desk.signals.tell(Finding.EVENT_REFUSED)
        return {"outcome": "refused", "reason": exc.reason, "kind": "", "id": "", "secrets": {}}
    became = {name: _alone(desk, name, incident) for name in names[:MOST_POLICIES]}
    for name in at_once(desk, [name for name, what in became.items() if what == "asked"]):
        became[name] = "started"
    if left := names[MOST_POLICIES:]:
        _LOG.error("not every policy was followed", extra={"fields": {"left": len(left), "first": left[0]}})
        desk.signals.tell(Finding.EVENT_REFUSED)
    about = {"kind": incident.kind.value, "id": incident.id, "secrets": became}
    return {"outcome": "followed" if names else "ignored", "reason": incident.harmless or _none(names), **about}


def _none(names: Sequence[str]) -> str:
    return "" if names else "unknown_secret"


def _named(desk: Desk, incident: Incident) -> list[str]:
    """The policies it is about. What the catalogue's list of places says is a hint; the sealed policy is asked next."""
    if incident.secrets:
        return list(incident.secrets)
    places = desk.catalogue.places()
    if incident.places:
        found = sorted(one.name for one in places if incident.is_at(SecretRef(store=one.store, path=one.path)))
        if not found and incident.kind is Kind.LEAK:
            raise Refused("unknown_secret", "no policy names the secret that leaked", "rotate it where it is made")
        return found
    return sorted(place.name for place in places if incident.kind.value in place.triggers)


def _alone(desk: Desk, name: str, incident: Incident) -> str:
    """What becomes of one secret; that nothing can be done about it is told, and hides no other."""
    try:
        policy = desk.catalogue.policy(name)
        follow = _outside if incident.kind is Kind.OUTSIDE_CHANGE else _ask
        return follow(desk, policy, incident)
    except (Throttled, Unavailable):
        raise
    except KeyturnError as exc:
        _LOG.error("an event cannot be followed", extra={"fields": {"policy": name, "reason": exc.reason}})
        desk.signals.tell(Finding.EVENT_REFUSED)
        return exc.reason


def _ask(desk: Desk, policy: Policy, incident: Incident) -> str:
    if not _is_of(policy, incident):
        return "another_place"
    if incident.kind.value not in policy.triggers:
        return "not_a_trigger"
    if incident.kind is Kind.HUMAN_READ and incident.principal in _declared(policy):
        return "declared_reader"
    if policy.scheduler == "native":
        raise Refused("native_scheduler", f"AWS's own schedule rotates {policy.name}", "rotate it there")
    return asking.ask(desk, policy, incident)


def _declared(policy: Policy) -> set[str]:
    return {str(reader) for reader in policy.readers} | {str(one.role) for one in policy.consumers if one.role}


def _outside(desk: Desk, policy: Policy, incident: Incident) -> str:
    if not _is_of(policy, incident):
        return "another_place"
    head = desk.ledger.head(policy.name)
    if head.run_id or (head.current is not None and head.current.id == incident.version):
        # a run's own move; what another one made of it, the sweep finds when the run has ended
        return "own_move"
    who = {"reason": incident.says, "requested_by": f"event:{incident.source}"}
    return outside.look(desk, policy.name, who)


def _is_of(policy: Policy, incident: Incident) -> bool:
    return not incident.places or incident.is_at(policy.ref)
