"""A static role of a real OpenBao over a real PostgreSQL, and runs of it on a ledger in memory."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import postgres_bench
from store_servers import running
from vault_bench import GivenToken

from rotation.calls import Caller, Meter, NullBreaker
from rotation.context import Context
from rotation.control.records import record
from rotation.handlers.store_phases import make_issuer
from rotation.invocation import Answer, run_phase
from rotation.ledger.ledger import Ledger
from rotation.ledger.memory import MemoryRows
from rotation.ledger.records import Run, StepRecord
from rotation.phases import phase_named
from rotation.policy import Policy, Target
from rotation.stores import vault_client
from rotation.stores.vault_auth import VaultSession
from rotation.stores.vault_static import StaticRoleStore
from sandbox.parts.openbao import Openbao
from tests.model.clock import Clock
from tests.unit.crash.crash_trap import Trap, Trapped

MOUNT, ROLE, USER, ADMIN = "database", "reports", "reports_reader", "vault_engine"
NAME = "reports/database"
# longer than any test: the engine does not rotate by itself
_PERIOD = "87600h"
_numbers = itertools.count(1)


@dataclass
class Engine:
    """The two servers; `client` is an administrator's."""

    client: Any
    database: postgres_bench.Server

    def id(self) -> str:
        """When the engine changed the password last."""
        return str(self.client.read(f"{MOUNT}/static-creds/{ROLE}")["data"]["last_vault_rotation"])

    def password(self) -> str:
        return str(self.client.read(f"{MOUNT}/static-creds/{ROLE}")["data"]["password"])

    def rotate(self) -> None:
        """As somebody else, or the engine's own period, does."""
        self.client.write(f"{MOUNT}/rotate-role/{ROLE}")


@contextmanager
def engine(directory: Path) -> Iterator[Engine]:
    """Both servers until the block ends, with a login for the engine and a role for a user who is there already."""
    with running(Openbao(), directory / "vault") as vault, postgres_bench.running(directory / "database") as database:
        client = vault_client.client(str(vault.facts["vault_address"]))
        client.token = vault.credentials["vault_root_token"]
        with closing(database.connect()) as authority:
            for name, rights in ((ADMIN, "CREATEROLE"), (USER, "NOCREATEROLE")):
                authority.run(f"CREATE ROLE {name} LOGIN {rights} PASSWORD 'first'")
                authority.run(f"GRANT {postgres_bench.APPLICATION} TO {name}")
            authority.run(f"GRANT {USER} TO {ADMIN} WITH ADMIN OPTION")
        _declare(client, database)
        yield Engine(client, database)


def _declare(client: Any, database: postgres_bench.Server) -> None:
    """What the program declares on a real Vault."""
    client.sys.enable_secrets_engine("database")
    client.write(
        f"{MOUNT}/config/payments",
        plugin_name="postgresql-database-plugin",
        allowed_roles=ROLE,
        connection_url=f"postgresql://{{{{username}}}}:{{{{password}}}}@{database.host}:{database.port}/"
        f"{database.database}?sslmode=disable",
        username=ADMIN,
        password="first",
        password_authentication="scram-sha-256",
    )
    client.write(f"{MOUNT}/static-roles/{ROLE}", db_name="payments", username=USER, rotation_period=_PERIOD)


@dataclass
class Life:
    """Runs of the role: every call of Vault and of the ledger goes through `trap`."""

    engine: Engine
    trap: Trap = field(default_factory=Trap)
    rows: MemoryRows = field(default_factory=MemoryRows)
    run_id: str = ""

    def __post_init__(self) -> None:
        self.clock = Clock()
        self.ledger = Ledger(self.rows, self.clock)
        database = self.engine.database
        facts = {"host": database.host, "port": str(database.port), "database": database.database, "tls": "off"}
        self.policy = Policy(
            name=NAME,
            store="vault",
            path="keyturn/reports/database",
            credential="vault-static-role",
            target=Target(facts={**facts, "mount": MOUNT, "role": ROLE, "username": USER}, authority=""),
            cadence="rate(30 days)",
            warm_up_s=0,
            overlap_s=0,
            owner="somebody",
            runbook="docs/runbooks/rotation.md",
        )

    def claim(self) -> None:
        """A new run."""
        head, self.run_id = self.ledger.head(NAME), f"{next(_numbers):032x}"
        run = Run(
            run_id=self.run_id,
            secret=NAME,
            machine="rotate",
            epoch=head.epoch,
            execution="arn:test",
            function="",
            policy=self.policy.document(),
            policy_digest=self.policy.digest(),
            reason="test",
            requested_by="somebody",
            started_at=self.ledger.now(),
            current=head.current,
            pending_token=head.pending_token,
        )
        self.ledger.claim(head, run)

    def store(self, meter: Meter) -> StaticRoleStore:
        """A cold adapter."""
        caller = Caller(
            "vault", translate=vault_client.translate, meter=meter, breaker=NullBreaker(), sleep=lambda _: None
        )
        client = Trapped(self.engine.client, self.trap, "vault")
        session = VaultSession(client, caller, GivenToken(self.engine.client.token), clock=lambda: 0.0)
        return StaticRoleStore(session, MOUNT, ROLE)

    def context(self) -> Context:
        """A fresh invocation."""
        ledger = Ledger(Trapped(self.rows, self.trap, "ledger"), self.clock)  # type: ignore[arg-type]
        run, steps = ledger.run(self.run_id)
        meter = Meter()
        store, bench = self.store(meter), SimpleNamespace(meter=meter, breaker=NullBreaker())
        issuer = make_issuer(self.policy, store, bench)  # type: ignore[arg-type]
        return Context(run=run, policy=self.policy, store=store, issuer=issuer, ledger=ledger, meter=meter, steps=steps)

    def phase(self, name: str) -> Answer:
        """One invocation."""
        with self.trap.armed(name):
            return run_phase(self.context(), phase_named(name))

    @property
    def steps(self) -> dict[str, StepRecord]:
        return self.ledger.run(self.run_id)[1]

    def end(self) -> None:
        """The run's record."""
        record(self.ledger, self.run_id)
