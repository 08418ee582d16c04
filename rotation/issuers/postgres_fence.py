"""The fence inside PostgreSQL: which run changed a role last, kept in the transaction of the change itself.

A row of `keyturn.generation` names the epoch and the run of the last effect on a role, and which effect it was.
Every effect reads it under an advisory lock and is refused when a newer epoch was there: a late revoke of a dead run
cannot kill the role that the next run made current, because that run's apply left its newer epoch on the same role.
One lock for the database, not one per role: effects take milliseconds, and the table itself is made under it.
Roles belong to the whole cluster, the table to one database: policies of one role must name the same database.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rotation.contract import Fence
from rotation.errors import Fenced

APPLIED = "applied"
RESTORED = "restored"
WITHDRAWN = "withdrawn"
REVOKED = "revoked"

# Any number that nobody else locks: the letters of the name.
LOCK = int.from_bytes(b"keyturn", "big")
# Below the client's read timeout of 10 s, so that a statement nobody waits for any more ends without an effect.
STATEMENT_MS = 8_000
# A frozen function keeps its connection: the server ends the transaction and frees the lock by itself.
IDLE_MS = 10_000

_BEGIN = (
    "BEGIN",
    # nobody else's function or table may answer to a name used here
    "SET LOCAL search_path = pg_catalog",
    f"SET LOCAL statement_timeout = {STATEMENT_MS}",
    f"SET LOCAL idle_in_transaction_session_timeout = {IDLE_MS}",
)
_MAKE_SCHEMA = "CREATE SCHEMA keyturn"
_MAKE_TABLE = (
    "CREATE TABLE keyturn.generation"
    " (role text PRIMARY KEY, generation bigint NOT NULL, run_id text NOT NULL, effect text NOT NULL)"
)
_SCHEMA_EXISTS = "SELECT to_regnamespace('keyturn') IS NOT NULL"
_TABLE_EXISTS = "SELECT to_regclass('keyturn.generation') IS NOT NULL"
_READ = "SELECT generation, run_id, effect FROM keyturn.generation WHERE role = :role"
_STAMP = (
    "INSERT INTO keyturn.generation (role, generation, run_id, effect) VALUES (:role, :generation, :run_id, :effect)"
    " ON CONFLICT (role) DO UPDATE"
    " SET generation = excluded.generation, run_id = excluded.run_id, effect = excluded.effect"
)


@dataclass(frozen=True, kw_only=True)
class Held:
    """The last effect on a role."""

    generation: int
    run_id: str
    effect: str


def enter(session: Any, role: str, fence: Fence) -> Held | None:
    """Begin a transaction, take the lock, and read who was here last; the caller commits or closes.

    Fenced `stale_generation` when that was a newer epoch, or another run under this epoch.
    """
    begin(session)
    session.run("SELECT pg_advisory_xact_lock(:key)", key=LOCK)
    # asked first: IF NOT EXISTS demands the right to create even where it is there already
    if not _true(session, _SCHEMA_EXISTS):
        session.run(_MAKE_SCHEMA)
    if not _true(session, _TABLE_EXISTS):
        session.run(_MAKE_TABLE)
    held = _read(session, role)
    if held and (held.generation > fence.epoch or (held.generation == fence.epoch and held.run_id != fence.run_id)):
        raise stale(role)
    return held


def begin(session: Any) -> None:
    """Begin a transaction with limits and a search path of its own."""
    for statement in _BEGIN:
        session.run(statement)


def look(session: Any, role: str) -> Held | None:
    """Who was here last, without the lock and without making the table; inside a transaction."""
    return _read(session, role) if _true(session, _TABLE_EXISTS) else None


def stamp(session: Any, role: str, fence: Fence, effect: str) -> None:
    """Note this run's effect on the role; call it between `enter` and COMMIT."""
    session.run(_STAMP, role=role, generation=fence.epoch, run_id=fence.run_id, effect=effect)


def stale(role: str) -> Fenced:
    """A newer run owns the role, or this run gave it up before."""
    return Fenced(
        "stale_generation",
        f"a newer run than this one has changed the role {role}",
        "nothing to do: this run is over; `keyturn status` shows the newer one",
    )


def _read(session: Any, role: str) -> Held | None:
    rows = session.run(_READ, role=role)
    return Held(generation=int(rows[0][0]), run_id=str(rows[0][1]), effect=str(rows[0][2])) if rows else None


def _true(session: Any, question: str) -> bool:
    return bool(session.run(question)[0][0])
