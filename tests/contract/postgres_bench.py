"""A PostgreSQL server for tests: the sandbox's own part, with a database beside it whose logins nobody checks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from issuer_bench import MARKER, Made, caller_of
from pg8000.native import Connection

from rotation.calls import Meter
from rotation.issuers.postgres_alternating import PostgresAlternating
from rotation.issuers.postgres_single import PostgresSingle
from rotation.value import SecretValue
from sandbox.layout import Layout
from sandbox.parts import postgres
from sandbox.parts.contract import Request
from sandbox.parts.postgres import Postgres
from sandbox.parts.postgres_account import remove_outside
from sandbox.parts.postgres_roles import APPLICATION
from sandbox.ports import reserved
from sandbox.processes import load, stop

# users whom the server does not ask for a password, and others whose password it wants in the clear
TRUSTED, PLAIN = ("trusted_a", "trusted_b"), ("plain_a", "plain_b")
UNCHECKED = "".join(
    f"host all {name} 127.0.0.1/32 {method}\n"
    for names, method in ((TRUSTED, "trust"), (PLAIN, "password"))
    for name in names
)


@dataclass
class Server:
    """A running server: where it is, and the authority's login."""

    host: str
    port: int
    database: str
    user: str
    password: str
    log: Path

    def connect(self, user: str = "", password: str = "") -> Connection:
        """A connection as the authority, or as somebody else; the caller closes it."""
        return Connection(
            user or self.user,
            host=self.host,
            port=self.port,
            database=self.database,
            password=password or self.password,
        )


@contextmanager
def running(directory: Path) -> Iterator[Server]:
    """A server in `directory` until the block ends, with users whom it checks less."""
    layout = Layout(directory / "sandbox")
    layout.claim()
    layout.make_fresh()
    part = Postgres()
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(postgres, "ONLY_SCRAM_ON_LOOPBACK", UNCHECKED + postgres.ONLY_SCRAM_ON_LOOPBACK)
            yield _start(part, layout)
    finally:
        if found := load(layout.process(part.name)):
            stop(found)
        remove_outside(layout)


def _start(part: Postgres, layout: Layout) -> Server:
    with reserved({part.name: 0}) as ports:
        started = part.start(Request(layout=layout, port=ports[part.name]))
    return Server(
        host=str(started.facts["postgres_host"]),
        port=int(started.facts["postgres_port"]),
        database=str(started.facts["postgres_database"]),
        user=started.credentials["postgres_admin_user"],
        password=started.credentials["postgres_admin_password"],
        log=layout.log(part.name),
    )


@dataclass
class PostgresBench:
    """A pair of users of their own on the shared server."""

    server: Server
    users: tuple[str, str]
    refusal: str = "28P01"
    issuer: ClassVar[Any] = PostgresAlternating

    def make(self, **facts: str) -> Made:
        meter = Meter()
        given = {
            "host": self.server.host,
            "port": str(self.server.port),
            "database": self.server.database,
            "tls": "off",
            **self.named(),
            **facts,
        }
        authority = SecretValue.of({"username": self.server.user, "password": self.server.password})
        return Made(self.issuer(given, lambda: authority, caller_of(self.issuer, meter)), meter)

    def named(self) -> dict[str, str]:
        """The facts that say whose password rotates."""
        return {"users": " ".join(self.users), "group": APPLICATION}

    def nowhere(self) -> Made:
        # port 1 is privileged and unassigned here: nobody listens
        return self.make(port="1")

    def secrets_of(self, value: SecretValue) -> list[str]:
        return [value.unsafe_fields()["password"]]

    def marked(self, value: SecretValue) -> SecretValue:
        fields = value.unsafe_fields()
        return SecretValue.of({**fields, "password": f"'{MARKER}\"\n"})

    def log(self) -> str:
        return self.server.log.read_text(encoding="utf-8", errors="replace")

    @property
    def authority_text(self) -> str:
        return self.server.password

    def ask(self, sql: str, **values: object) -> list[list[object]]:
        """Rows of a question asked as the authority."""
        with closing(self.server.connect()) as connection:
            rows: list[list[object]] = connection.run(sql, **values)
            return rows


@dataclass
class SingleBench(PostgresBench):
    """One user of its own, whom the administrator made: the first of the two."""

    issuer: ClassVar[Any] = PostgresSingle

    def __post_init__(self) -> None:
        name = self.users[0].replace('"', '""')
        self.ask(f'CREATE ROLE "{name}" NOLOGIN')
        self.ask(f'GRANT {APPLICATION} TO "{name}"')

    def named(self) -> dict[str, str]:
        return {"user": self.users[0]}

    @property
    def public(self) -> dict[str, str]:
        """What is told of a credential that was minted."""
        return {"username": self.users[0]}
