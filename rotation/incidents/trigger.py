"""The event that Keyturn defines itself, `keyturn.trigger/1`: for whatever has no event of its own on the bus.

A detector of leaks, the office that off-boards, and whoever ships Vault's audit log send it. Its form is published in
`schemas/keyturn.trigger.1.json`; a field that the form does not have is refused, so that a misspelt one is not missed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rotation.contract import SecretRef
from rotation.incidents.fields import bad, moment, plain, shown
from rotation.incidents.incident import Incident, Kind, Ours

SCHEMA = "keyturn.trigger/1"
# What a rule of the bus matches.
SOURCE, DETAIL_TYPE = "keyturn.triggers", "Keyturn Trigger"
REQUIRED = ("schema", "id", "kind", "occurred_at", "actor")
OPTIONAL = ("secrets", "store", "path", "principal", "reference", "version")
STORES = ("aws", "vault", "gcp")
# Of an id and of a policy's name: long enough for a digest in hexadecimal and for every name that stores take.
LONGEST_ID, LONGEST_NAME = 128, 256
# Policies that one event may name; more are several events, so that one is answered within a function's time.
MOST_SECRETS = 100

# What our own functions do all the time; a leak or an off-boarding stays one whoever is named.
_OWN = {Kind.HUMAN_READ: "own_read", Kind.OUTSIDE_CHANGE: "own_move"}


def read(event: Mapping[str, Any], detail: Mapping[str, Any], ours: Ours, now: str) -> Incident:
    """The incident in an event; Refused `bad_event`, `event_from_the_future`."""
    del event
    _check_fields(detail)
    kind = Kind(detail["kind"])
    secrets, places = _secrets(detail), _places(detail)
    if bool(secrets) == bool(places) and (secrets or kind is not Kind.OFFBOARDING):
        raise bad("secrets", "there, or `store` and `path`, and not both; only an off-boarding may leave out both")
    actor = shown(detail, "actor")
    principal = plain(detail, "principal") if "principal" in detail else actor
    return Incident(
        id=plain(detail, "id", longest=LONGEST_ID),
        kind=kind,
        source=SOURCE,
        at=moment(detail, "occurred_at", now),
        actor=actor,
        principal=principal,
        reference=shown(detail, "reference"),
        secrets=secrets,
        places=places,
        version=plain(detail, "version") if "version" in detail else "",
        harmless=_OWN.get(kind, "") if ours.owns(principal) else "",
    )


def _check_fields(detail: Mapping[str, Any]) -> None:
    unknown = detail.keys() - {*REQUIRED, *OPTIONAL}
    missing = [name for name in REQUIRED if name not in detail]
    if unknown or missing:
        raise bad(missing[0] if missing else "detail", "there" if missing else "of the published fields only")
    if detail["schema"] != SCHEMA:
        raise bad("schema", f"`{SCHEMA}`")
    if detail["kind"] not in [kind.value for kind in Kind]:
        raise bad("kind", f"one of {', '.join(Kind)}")
    plain(detail, "actor")


def _secrets(detail: Mapping[str, Any]) -> tuple[str, ...]:
    found = detail.get("secrets", [])
    if not isinstance(found, list) or len(found) > MOST_SECRETS or ("secrets" in detail and not found):
        raise bad("secrets", f"a list of 1 to {MOST_SECRETS} names of policies")
    return tuple(sorted({plain({"secrets": name}, "secrets", longest=LONGEST_NAME) for name in found}))


def _places(detail: Mapping[str, Any]) -> tuple[SecretRef, ...]:
    if "store" not in detail and "path" not in detail:
        return ()
    if detail.get("store") not in STORES:
        raise bad("store", f"one of {', '.join(STORES)}")
    return (SecretRef(store=detail["store"], path=plain(detail, "path")),)
