"""Which password a role has that is changed in place: a row beside the fence, written in the change's transaction.

The server does not show what it keeps (pg_authid is for superusers), so the verifier is kept here once more, for the
owner of the schema alone: by it a password is told from the one before, and an undoing knows whose it is. The moment of
the change tells which sessions were opened with the password before.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rotation.contract import Fence
from rotation.issuers.postgres_fence import IDLE_MS
from rotation.issuers.scram import proves

_TABLE_EXISTS = "SELECT to_regclass('keyturn.password') IS NOT NULL"
_MAKE_TABLE = (
    "CREATE TABLE keyturn.password"
    " (role text PRIMARY KEY, verifier text NOT NULL, run_id text NOT NULL, effect text NOT NULL,"
    " changed_at timestamptz NOT NULL)"
)
_READ = (
    "SELECT verifier, run_id, effect, CAST(changed_at + :until_commit * interval '1 millisecond' AS text)"
    " FROM keyturn.password WHERE role = :role"
)
_NOTE = (
    "INSERT INTO keyturn.password (role, verifier, run_id, effect, changed_at)"
    " VALUES (:role, :verifier, :run_id, :effect, clock_timestamp())"
    " ON CONFLICT (role) DO UPDATE SET verifier = excluded.verifier, run_id = excluded.run_id,"
    " effect = excluded.effect, changed_at = excluded.changed_at"
)
_FORGET = "DELETE FROM keyturn.password WHERE role = :role"


@dataclass(frozen=True, kw_only=True)
class Current:
    """What a role has. `since`: when every session of the password before had begun, as the server writes it."""

    verifier: str
    run_id: str
    effect: str
    since: str

    def is_of(self, password: str) -> bool:
        """Whether this is the password."""
        return proves(self.verifier, password)


def look(session: Any, role: str) -> Current | None:
    """What the role has as far as Keyturn knows; inside a transaction that `postgres_fence` began."""
    if not session.run(_TABLE_EXISTS)[0][0]:
        return None
    # COMMIT follows at most so much later: until then a session may still be opened with the password before
    rows = session.run(_READ, role=role, until_commit=IDLE_MS)
    if not rows:
        return None
    verifier, run_id, effect, since = rows[0]
    return Current(verifier=verifier, run_id=run_id, effect=effect, since=since)


def note(session: Any, role: str, verifier: str, fence: Fence, effect: str) -> None:
    """The role has this password now; the last statement before COMMIT."""
    if not session.run(_TABLE_EXISTS)[0][0]:
        session.run(_MAKE_TABLE)
    session.run(_NOTE, role=role, verifier=verifier, run_id=fence.run_id, effect=effect)


def forget(session: Any, role: str) -> None:
    """The role has none any more."""
    session.run(_FORGET, role=role)
