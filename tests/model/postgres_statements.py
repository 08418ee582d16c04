"""The statements that the issuer sends, read and carried out on a session of the model; any other is an error.

Written down here a second time on purpose, not imported from the issuer: a statement that changes there must be
understood here again.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from tests.model.postgres_service import PostgresSession, Role, refused

Rows = list[list[Any]]
Found = re.Match[str]
Act = Callable[[PostgresSession, Found, dict[str, Any]], Rows]

# a quoted identifier, a literal
_ROLE = r'"(?P<role>(?:[^"]|"")+)"'
_GROUP = r'"(?P<group>(?:[^"]|"")+)"'
_TEXT = r"'(?P<text>(?:[^']|'')*)'"
_SESSIONS = (
    "SELECT pid, pg_terminate_backend(pid, :wait) FROM pg_stat_activity"
    " WHERE usename = :role AND backend_type IS DISTINCT FROM 'parallel worker'"
)
_SESSIONS_BEFORE = _SESSIONS + " AND backend_start < CAST(:before AS timestamptz)"
_OWN_RIGHTS = (
    "SELECT count(*) FROM pg_shdepend JOIN pg_roles ON refobjid = pg_roles.oid"
    " WHERE refclassid = 'pg_authid'::regclass AND rolname = :role AND deptype IN ('o', 'a', 'r')"
)
_READ_PASSWORD = (
    "SELECT verifier, run_id, effect, CAST(changed_at + :until_commit * interval '1 millisecond' AS text)"
    " FROM keyturn.password WHERE role = :role"
)
_NOTE_PASSWORD = (
    "INSERT INTO keyturn.password (role, verifier, run_id, effect, changed_at)"
    " VALUES (:role, :verifier, :run_id, :effect, clock_timestamp())"
    " ON CONFLICT (role) DO UPDATE SET verifier = excluded.verifier, run_id = excluded.run_id,"
    " effect = excluded.effect, changed_at = excluded.changed_at"
)
_STAMP = (
    "INSERT INTO keyturn.generation (role, generation, run_id, effect) VALUES (:role, :generation, :run_id, :effect)"
    " ON CONFLICT (role) DO UPDATE"
    " SET generation = excluded.generation, run_id = excluded.run_id, effect = excluded.effect"
)


class Unknown(AssertionError):
    """The model does not know the statement: teach it, after looking up what the server does."""


def label(sql: str) -> str:
    """The first words of a statement, which name no role and hold no verifier."""
    return " ".join(re.findall(r"[A-Za-z_.]+", sql)[:3])


def answer(session: PostgresSession, sql: str, values: dict[str, Any]) -> Rows:
    """Rows of a statement."""
    for pattern, act in _STATEMENTS:
        found = pattern.fullmatch(sql)
        if found:
            return act(session, found, values)
    raise Unknown(label(sql))


def _nothing(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    return []


def _begin(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    session.begin()
    return []


def _commit(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    session.commit()
    return []


def _roll_back(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    session.roll_back()
    return []


def _lock(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    if session.service.lock_of not in (None, session):
        raise refused("57014")
    session.service.lock_of = session
    return []


def _has_schema(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    return [[session.content.schema]]


def _has_table(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    return [[session.content.generations is not None]]


def _make_schema(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    session.content.schema = True
    return []


def _make_table(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    session.content.generations = {}
    return []


def _read(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    if session.content.generations is None:
        raise refused("42P01")
    held = session.content.generations.get(values[found["name"]])
    return [list(held)] if held else []


def _stamp(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    if session.content.generations is None:
        raise refused("42P01")
    session.content.generations[values["role"]] = (values["generation"], values["run_id"], values["effect"])
    return []


def _exists(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    return [[1]] if values["role"] in session.content.roles else []


def _may_log_in(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    role = session.content.roles.get(values["role"])
    return [[role.login]] if role else []


def _is_member(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    return [[values["group"] in _role(session, values["role"]).member_of]]


def _create(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    session.content.roles[_unquoted(found["role"])] = Role()
    return []


def _open(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    role = _role(session, _unquoted(found["role"]))
    role.login, role.verifier, role.until = True, found["text"], "infinity"
    return []


def _shut(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    role = _role(session, _unquoted(found["role"]))
    role.login, role.verifier = False, None
    return []


def _no_login(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    _role(session, _unquoted(found["role"])).login = False
    return []


def _expire(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    _role(session, _unquoted(found["role"])).until = found["text"]
    return []


def _join(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    _role(session, _unquoted(found["role"])).member_of.add(_unquoted(found["group"]))
    return []


def _act_as(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    _role(session, _unquoted(found["role"])).acts_as = _unquoted(found["group"])
    return []


def _take_rights(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    _role(session, session.user).member_of.add(_unquoted(found["role"]))
    return []


def _end_sessions(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    if values["role"] not in _role(session, session.user).member_of:
        raise refused("42501")
    before = int(values.get("before", 0))
    found_now = [other for other in session.service.sessions if other.user == values["role"]]
    ended = [other for other in found_now if not before or other.pid < before]
    for other in ended:
        other.close()
    return [[other.pid, True] for other in ended]


def _has_password_table(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    return [[session.content.passwords is not None]]


def _make_password_table(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    session.content.passwords = {}
    return []


def _passwords(session: PostgresSession) -> dict[str, tuple[str, str, str, int]]:
    if session.content.passwords is None:
        raise refused("42P01")
    return session.content.passwords


def _read_password(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    held = _passwords(session).get(values["role"])
    return [[*held[:3], str(held[3])]] if held else []


def _read_verifier(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    return [row[:1] for row in _read_password(session, found, values)]


def _note_password(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    moment = next(session.service.moments)
    _passwords(session)[values["role"]] = (values["verifier"], values["run_id"], values["effect"], moment)
    return []


def _forget_password(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    _passwords(session).pop(values["role"], None)
    return []


def _no_rights(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    return [[0]]


def _one(session: PostgresSession, found: Found, values: dict[str, Any]) -> Rows:
    return [[1]]


def _role(session: PostgresSession, name: str) -> Role:
    if name not in session.content.roles:
        raise refused("42704")
    return session.content.roles[name]


def _unquoted(name: str) -> str:
    return name.replace('""', '"')


_STATEMENTS: tuple[tuple[re.Pattern[str], Act], ...] = tuple(
    (re.compile(pattern), act)
    for pattern, act in (
        ("BEGIN", _begin),
        ("COMMIT", _commit),
        ("ROLLBACK", _roll_back),
        (r"SET LOCAL \w+ = \w+", _nothing),
        (r"SELECT pg_advisory_xact_lock\(:key\)", _lock),
        (r"SELECT to_regnamespace\('keyturn'\) IS NOT NULL", _has_schema),
        (r"SELECT to_regclass\('keyturn\.generation'\) IS NOT NULL", _has_table),
        (r"CREATE SCHEMA keyturn", _make_schema),
        (r"CREATE TABLE keyturn\.generation \(role text PRIMARY KEY,.*\)", _make_table),
        (r"SELECT generation, run_id, effect FROM keyturn\.generation WHERE role = :(?P<name>\w+)", _read),
        (re.escape(_STAMP), _stamp),
        (r"SELECT 1 FROM pg_roles WHERE rolname = :role", _exists),
        (r"SELECT rolcanlogin FROM pg_roles WHERE rolname = :role", _may_log_in),
        (r"SELECT pg_has_role\(:role, :group, 'SET'\)", _is_member),
        (re.escape(_OWN_RIGHTS), _no_rights),
        (r"SELECT to_regclass\('keyturn\.password'\) IS NOT NULL", _has_password_table),
        (r"CREATE TABLE keyturn\.password \(role text PRIMARY KEY,.*\)", _make_password_table),
        (re.escape(_READ_PASSWORD), _read_password),
        (r"SELECT verifier FROM keyturn\.password WHERE role = :role", _read_verifier),
        (re.escape(_NOTE_PASSWORD), _note_password),
        (r"DELETE FROM keyturn\.password WHERE role = :role", _forget_password),
        (rf"CREATE ROLE {_ROLE} NOLOGIN", _create),
        (rf"ALTER ROLE {_ROLE} LOGIN PASSWORD {_TEXT} VALID UNTIL 'infinity'", _open),
        (rf"ALTER ROLE {_ROLE} NOLOGIN PASSWORD NULL", _shut),
        (rf"ALTER ROLE {_ROLE} NOLOGIN", _no_login),
        (rf"ALTER ROLE {_ROLE} VALID UNTIL {_TEXT}", _expire),
        (rf"GRANT (?P<group>\w+) TO {_ROLE}", _join),
        (rf"GRANT {_GROUP} TO {_ROLE} WITH INHERIT TRUE, SET TRUE", _join),
        (rf"ALTER ROLE {_ROLE} SET role TO {_GROUP}", _act_as),
        (rf"GRANT {_ROLE} TO CURRENT_USER WITH INHERIT TRUE, SET FALSE", _take_rights),
        (r"SELECT pg_stat_clear_snapshot\(\)", _nothing),
        (re.escape(_SESSIONS), _end_sessions),
        (re.escape(_SESSIONS_BEFORE), _end_sessions),
        ("SELECT 1", _one),
    )
)
