"""A PostgreSQL server in memory behind the driver's session: SCRAM logins, transactions, one lock, sessions.

Source: PostgreSQL's documentation of pg_authid, CREATE ROLE and error codes, and what a real 18 answers the issuer.
What it pretends: every login goes through SCRAM, TLS is not offered, the authority may do everything, a transaction
works on a copy that its COMMIT puts in place, and who would wait for the lock is ended by its statement timeout at
once. Statements are in `postgres_statements`; one that is not there is an error, so that a new one cannot pass unseen.
`passing` is where a test may stand between a statement and its answer: each exchange goes through it, by a name.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import pytest
from pg8000.exceptions import DatabaseError, InterfaceError

from rotation.issuers import postgres_wire
from rotation.issuers.scram import verifier

HOST, PORT, DATABASE, GROUP = "127.0.0.1", 15432, "payments", "payments_app"
AUTHORITY, AUTHORITY_PASSWORD = "authority", "password-of-the-model"
# `infinity` sorts after every date
FOR_EVER = "infinity"
# what a role that has expired compares with
_TODAY = "2026-01-01"


@dataclass
class Role:
    """As pg_authid, pg_auth_members and pg_db_role_setting keep it."""

    login: bool = False
    verifier: str | None = None
    until: str = FOR_EVER
    member_of: set[str] = field(default_factory=set)
    acts_as: str = ""


@dataclass
class Content:
    """What a transaction changes: roles, and Keyturn's tables (None: it does not exist)."""

    roles: dict[str, Role] = field(default_factory=dict)
    schema: bool = False
    generations: dict[str, tuple[int, str, str]] | None = None
    # of roles whose password changes in place: verifier, run, effect, and the moment, which is a session's number
    passwords: dict[str, tuple[str, str, str, int]] | None = None


def straight(name: str, exchange: Callable[[], Any]) -> Any:
    """Nobody stands in between."""
    del name
    return exchange()


class PostgresService:
    """One server with one database, an authority and a group."""

    def __init__(self) -> None:
        self.content = Content(roles={GROUP: Role()})
        self.content.roles[AUTHORITY] = Role(login=True, verifier=_kept(AUTHORITY_PASSWORD))
        self.sessions: list[PostgresSession] = []
        self.lock_of: PostgresSession | None = None
        self.log: list[str] = []
        self.passing: Callable[[str, Callable[[], Any]], Any] = straight
        # the numbers of sessions are its clock as well
        self.moments = itertools.count(1)

    def connect(self, patch: pytest.MonkeyPatch) -> None:
        """From here on the issuer's way to PostgreSQL ends here, and anywhere else nobody listens."""

        def create_connection(address: tuple[str, int], timeout: float) -> Any:
            del timeout
            if address != (HOST, PORT):
                raise ConnectionRefusedError
            return SimpleNamespace(settimeout=lambda _: None, close=lambda: None)

        patch.setattr(postgres_wire, "socket", SimpleNamespace(create_connection=create_connection))
        patch.setattr(postgres_wire, "Session", self.session)

    def session(self, user: str, *, password: str, sock: Any = None, **settings: Any) -> PostgresSession:
        """Log in, as the driver's constructor does."""
        if settings.get("ssl_context"):
            raise InterfaceError("the server refuses TLS")
        made: PostgresSession = self.passing("postgres.login", lambda: self._logged_in(user, password, sock))
        return made

    def _logged_in(self, user: str, password: str, sock: Any) -> PostgresSession:
        self.log.append("connection received")
        role = self.content.roles.get(user)
        if role is None or role.verifier is None or role.until < _TODAY or not proves(role.verifier, password):
            self.log.append("password authentication failed")
            raise refused("28P01")
        if not role.login:
            raise refused("28000")
        made = PostgresSession(self, user, next(self.moments), sock)
        self.sessions.append(made)
        return made


class PostgresSession:
    """A connection as `postgres_wire.Session` is one."""

    # every login here is a whole SCRAM exchange
    proved = True

    def __init__(self, service: PostgresService, user: str, pid: int, sock: Any) -> None:
        self.service = service
        self.user = user
        self.pid = pid
        self.own: Content | None = None
        self._usock = sock or SimpleNamespace(close=lambda: None)

    @property
    def content(self) -> Content:
        """What this session sees: its transaction's copy, or what is committed."""
        return self.own or self.service.content

    def run(self, sql: str, **values: Any) -> list[list[Any]]:
        """Rows of one statement."""
        from tests.model.postgres_statements import answer, label  # noqa: PLC0415 - the statements work on sessions

        rows: list[list[Any]] = self.service.passing(
            f"postgres.{label(sql)}", lambda: self._answered(answer, sql, values)
        )
        return rows

    def _answered(self, answer: Callable[..., list[list[Any]]], sql: str, values: dict[str, Any]) -> list[list[Any]]:
        if self not in self.service.sessions:
            raise InterfaceError("the connection is closed")
        self.service.log.append(sql)
        return answer(self, sql, values)

    def begin(self) -> None:
        """Work on a copy from here on."""
        self.own = deepcopy(self.service.content)

    def commit(self) -> None:
        """What was done becomes what is."""
        if self.own is not None:
            self.service.content = self.own
        self.roll_back()

    def roll_back(self) -> None:
        """What was done is forgotten, and the lock is free."""
        self.own = None
        if self.service.lock_of is self:
            self.service.lock_of = None

    def close(self) -> None:
        """Closed, by whichever side: the server rolls back by itself."""
        self.roll_back()
        if self in self.service.sessions:
            self.service.sessions.remove(self)


def refused(code: str) -> DatabaseError:
    """The server's error with this sqlstate."""
    return DatabaseError({"C": code, "M": "refused"})


@lru_cache(maxsize=1024)
def _kept(password: str) -> str:
    return verifier(password)


@lru_cache(maxsize=1024)
def proves(kept: str, password: str) -> bool:
    """Whether the password belongs to a verifier (RFC 5802): computed here, not with the issuer's own function."""
    _, cost, keys = kept.split("$")
    iterations, salt = cost.split(":")
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), base64.b64decode(salt), int(iterations))
    client_key = hmac.new(salted, b"Client Key", "sha256").digest()
    return hmac.compare_digest(hashlib.sha256(client_key).digest(), base64.b64decode(keys.split(":")[0]))
