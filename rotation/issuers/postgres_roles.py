"""What is done to a login role, as statements inside a transaction that `postgres_fence.enter` began.

The authority needs CREATEROLE, and ADMIN OPTION on the group and on the roles, which whoever creates a role has
(PostgreSQL 16 and later, https://www.postgresql.org/docs/current/role-attributes.html). It needs neither superuser
rights nor pg_signal_backend, which could end everybody's sessions: to end those of one role it takes that role's rights
inside a transaction that is never committed.
"""

from __future__ import annotations

from typing import Any

from rotation.errors import Refused, Throttled

# After the first signal, how often sessions are looked for again: one may have been half way through its login.
LOOKS = 4
# A backend that was told to end needs milliseconds, with a large transaction to roll back longer.
WAIT_MS = 1_000

# The type of a backend is hidden from who lacks the role's rights: then it is asked to end, and that fails aloud.
_SESSIONS = (
    "SELECT pid, pg_terminate_backend(pid, :wait) FROM pg_stat_activity"
    " WHERE usename = :role AND backend_type IS DISTINCT FROM 'parallel worker'"
)

_BEGAN = " AND backend_start < CAST(:before AS timestamptz)"
# pg_shdepend is cluster-wide and readable by all: `o` owner, `a` in an access list, `r` in a policy
_OWN_RIGHTS = (
    "SELECT count(*) FROM pg_shdepend JOIN pg_roles ON refobjid = pg_roles.oid"
    " WHERE refclassid = 'pg_authid'::regclass AND rolname = :role AND deptype IN ('o', 'a', 'r')"
)


def open_up(session: Any, role: str, group: str, verifier: str) -> None:
    """The role exists in the group, may log in, acts as the group, and its password is that of `verifier`."""
    names = {"role": _identifier(role), "group": _identifier(group), "verifier": _literal(verifier)}
    if not _exists(session, role):
        session.run("CREATE ROLE {role} NOLOGIN".format(**names))
    # an expired VALID UNTIL is refused like a wrong password
    session.run("ALTER ROLE {role} LOGIN PASSWORD {verifier} VALID UNTIL 'infinity'".format(**names))
    # membership alone is not enough: without SET the line below would be ignored at login, with a warning
    if not session.run("SELECT pg_has_role(:role, :group, 'SET')", role=role, group=group)[0][0]:
        session.run("GRANT {group} TO {role} WITH INHERIT TRUE, SET TRUE".format(**names))
    # what a session of either role makes belongs to the group
    session.run("ALTER ROLE {role} SET role TO {group}".format(**names))


def close(session: Any, role: str) -> None:
    """The role has no password and may not log in: NOLOGIN alone would be refused only after a right password."""
    if _exists(session, role):
        session.run(f"ALTER ROLE {_identifier(role)} NOLOGIN PASSWORD NULL")


def can_log_in(session: Any, role: str) -> bool:
    """Whether the role exists with LOGIN."""
    rows = session.run("SELECT rolcanlogin FROM pg_roles WHERE rolname = :role", role=role)
    return bool(rows and rows[0][0])


def own_rights(session: Any, role: str) -> int:
    """How many objects belong to the role itself or have a grant to it, in any database: what its group does not have.

    The database's own right to CONNECT is among them if it was granted to the role.
    """
    return int(session.run(_OWN_RIGHTS, role=role)[0][0])


def set_password(session: Any, role: str, verifier: str) -> None:
    """The role may log in, and its password is that of `verifier`; what it may do stays as it is.

    Refused `unknown_role` where there is none.
    """
    if not _exists(session, role):
        raise Refused(
            "unknown_role",
            f"PostgreSQL has no role {role}",
            "create the role with its rights, or correct `user` in the policy",
        )
    session.run(f"ALTER ROLE {_identifier(role)} LOGIN PASSWORD {_literal(verifier)} VALID UNTIL 'infinity'")


def end_sessions(session: Any, role: str, *, before: str = "") -> int:
    """End the sessions of a role that may not log in any more; how many there were. Ends the transaction.

    before: only those that began before it, as the server writes a moment; the role may still log in then.
    Throttled `sessions_remain` when one is still there after the last look.
    """
    if not _exists(session, role):
        return 0
    # with the role's rights its sessions may be ended; ROLLBACK means that the authority never had them
    session.run(f"GRANT {_identifier(role)} TO CURRENT_USER WITH INHERIT TRUE, SET FALSE")
    sessions, began = (_SESSIONS + _BEGAN, {"before": before}) if before else (_SESSIONS, {})
    ended: set[int] = set()
    for look in range(LOOKS):
        # a transaction sees one snapshot of the activity unless it is cleared
        session.run("SELECT pg_stat_clear_snapshot()")
        rows = session.run(sessions, role=role, wait=WAIT_MS if look else 0, **began)
        if not rows:
            session.run("ROLLBACK")
            return len(ended)
        ended.update(int(pid) for pid, _ in rows)
    raise Throttled(
        "sessions_remain",
        f"sessions of the role {role} do not end",
        "look at pg_stat_activity: a backend that ignores the signal has to be ended by an administrator",
    )


def _exists(session: Any, role: str) -> bool:
    return bool(session.run("SELECT 1 FROM pg_roles WHERE rolname = :role", role=role))


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
