"""A PostgreSQL whose two users rotate for real, a Redis that carries events, and a store in memory between them."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import redis

from keyturn.client import ClientError, Held, Value
from keyturn.client.events import channel, log_of
from keyturn.client.sources import Fetched
from rotation.calls import Caller, Meter, NullBreaker
from rotation.contract import Fence
from rotation.issuers.postgres_alternating import PostgresAlternating
from rotation.value import SecretValue
from sandbox.layout import Layout
from sandbox.parts.contract import Part, Request
from sandbox.parts.postgres import Postgres
from sandbox.parts.postgres_account import remove_outside
from sandbox.parts.postgres_roles import APPLICATION
from sandbox.ports import reserved
from sandbox.processes import load, stop
from tests.property.event_maker import STACK, event, version

# Each secret has a pair of users of its own: a role remembers who changed it last.
_PAIRS = itertools.count()
# Reached only by a test that fails.
PATIENCE_S = 20.0


@contextmanager
def postgres_running(folder: Path) -> Iterator[Mapping[str, str]]:
    """A server until the block ends: the issuer's facts, and the authority's login."""
    layout, part = Layout(folder / "sandbox"), Postgres()
    layout.claim()
    layout.make_fresh()
    try:
        with reserved({part.name: 0}) as ports:
            started = part.start(Request(layout=layout, port=ports[part.name]))
        facts = {key.removeprefix("postgres_"): str(said) for key, said in started.facts.items()}
        login = {key.removeprefix("postgres_admin_"): said for key, said in started.credentials.items()}
        yield facts | login
    finally:
        if found := load(layout.process(part.name)):
            stop(found)
        remove_outside(layout)


@contextmanager
def part_running(part: Part, folder: Path) -> Iterator[Mapping[str, Any]]:
    """Another server of the sandbox until the block ends: its facts."""
    layout = Layout(folder / "sandbox")
    layout.claim()
    layout.make_fresh()
    try:
        with reserved({part.name: 0}) as ports:
            started = part.start(Request(layout=layout, port=ports[part.name]))
        yield started.facts
    finally:
        if found := load(layout.process(part.name)):
            stop(found)


@dataclass
class Rotating:
    """A secret whose versions are minted, applied and revoked by Keyturn's own issuer; a source for caches too.

    Used as a source it gives what is current. `number` counts the versions.
    """

    server: Mapping[str, str]
    lagging: bool = False
    names_versions: bool = False
    number: int = 0
    values: dict[str, SecretValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        facts = {name: self.server[name] for name in ("host", "port", "database")}
        authority = SecretValue.of({"username": self.server["user"], "password": self.server["password"]})
        caller = Caller(
            PostgresAlternating.kind,
            translate=PostgresAlternating.translate,
            meter=Meter(),
            breaker=NullBreaker(),
            sleep=time.sleep,
        )
        pair = next(_PAIRS)
        given = {**facts, "users": f"client_{pair}a client_{pair}b", "group": APPLICATION, "tls": "off"}
        self._issuer = PostgresAlternating(given, lambda: authority, caller)
        self.promote()

    def promote(self) -> dict[str, Any]:
        """A new version for the user not in use, applied and current; the event that says so."""
        old = self.values.get(str(self.number))
        minted = self._issuer.mint(old).value
        self._issuer.apply(minted, self._fence())
        self.values[str(self.number + 1)] = minted
        self.number += 1
        return self.event()

    def event(self, **changed: str) -> dict[str, Any]:
        """Says that the current version is current."""
        return event(self.number, at=time.time(), **changed)

    def retire(self) -> int:
        """Revoke the version before the current one; how many sessions that ended."""
        return self._issuer.revoke(self.values[str(self.number - 1)], self._fence())

    def current(self) -> Fetched:
        return self.by_version(str(self.number))

    def by_version(self, store_version: str) -> Fetched:
        return Fetched(store_version=store_version, value=Value(self.values[store_version].unsafe_reveal()))

    def as_authority(self, statement: str) -> list[Any]:
        """Rows of a statement by whoever may."""
        login = {"user": self.server["user"], "password": self.server["password"]}
        address = {"host": self.server["host"], "port": self.server["port"], "dbname": self.server["database"]}
        with psycopg.connect(**address, **login, autocommit=True) as connection:
            cursor = connection.execute(statement)  # type: ignore[call-overload]  # a statement of the tests
            return list(cursor.fetchall()) if cursor.description else []

    def _fence(self) -> Fence:
        self._epoch = getattr(self, "_epoch", 0) + 1
        return Fence(run_id=f"run-{self._epoch}", epoch=self._epoch)


def publish(client: redis.Redis, document: Mapping[str, Any], *, only_log: bool = False) -> None:
    """As Keyturn does: the stream first, then whoever listens."""
    text = json.dumps(document)
    client.xadd(log_of(STACK), {"event": text})
    if not only_log:
        client.publish(channel(STACK), text)


class Moved:
    """A follower that only tells."""

    def __init__(self) -> None:
        self._versions: list[str] = []
        self._told = threading.Condition()

    def follow(self, held: Held) -> None:
        with self._told:
            self._versions.append(held.store_version)
            self._told.notify_all()

    def behind(self, held: Held) -> bool:
        return False

    def wait_for(self, store_version: str) -> None:
        """Until it was moved to this version."""
        with self._told:
            assert self._told.wait_for(lambda: store_version in self._versions, PATIENCE_S)


class Told:
    """An endpoint of acknowledgements."""

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.told = threading.Condition()
        self.down = False

    def __call__(self, message: Mapping[str, Any]) -> None:
        with self.told:
            if self.down:
                raise ClientError("endpoint_unavailable", "down")
            self.messages.append(dict(message))
            self.told.notify_all()

    def wait_for(self, number: int) -> None:
        """Until the n-th version was acknowledged."""
        with self.told:
            said = self.told.wait_for(lambda: version(number) in {m.get("version") for m in self.messages}, PATIENCE_S)
            assert said, f"version {number} was not acknowledged; {len(self.messages)} messages"
