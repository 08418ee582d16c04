"""Which incidents have led to a rotation already: one row per secret and incident, so that a repeat leads to none.

The row is written in one transaction with the due row that it asks for. Not here: incidents that called for nothing,
which are judged again when they are repeated.
"""

from __future__ import annotations

import hashlib

from rotation.ledger.rows import Expect, Key, Put, Rows

_PREFIX = "incident#"


class Incidents:
    """Verbs over the rows."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    def asked_at(self, secret: str, incident: str) -> str:
        """When a rotation of the secret was asked for because of it; "" for never."""
        row = self._rows.get(_key(secret, incident))
        return str(row["asked_at"]) if row else ""

    def noted(self, secret: str, incident: str, says: str, now: str) -> Put:
        """The write that remembers it, which fails where it is known already."""
        return Put(
            key=_key(secret, incident),
            row={"incident": incident, "says": says, "asked_at": now},
            expect=Expect(or_absent=True),
        )


def _key(secret: str, incident: str) -> Key:
    # ids are of other people's making: a digest has no surprises as a key
    return Key(f"secret#{secret}", f"{_PREFIX}{hashlib.sha256(incident.encode()).hexdigest()}")
