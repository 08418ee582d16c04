"""Several secrets of one stack as the sweep sees them: executions are started here and end when a test says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from rotation.control.desk import Desk, run_id_of
from rotation.control.settling import settle
from rotation.control.sweep import sweep
from rotation.ledger.due import Due
from rotation.ledger.ledger import Ledger
from rotation.ledger.memory import MemoryRows
from rotation.ledger.records import Run, history_key, run_key, to_row
from rotation.ledger.rows import Put, Rows
from rotation.policy import Policy
from tests.model.clock import Clock
from tests.model.world import POLICY, ModelCatalogue, ModelFunctions, ModelMachines, Told

MINUTE, HOUR, DAY = 60, 3_600, 86_400


def policy(name: str, **changes: Any) -> Policy:
    """A policy of the AWS store."""
    return replace(POLICY, name=name, path=name, store=changes.pop("store", "aws"), **changes)


class IndexedCatalogue(ModelCatalogue):
    """A catalogue with an index, which counts how often a policy is read."""

    def __init__(self, *policies: Policy) -> None:
        super().__init__({one.name: one for one in policies})
        self.read: list[str] = []
        self.version = 1

    def policy(self, name: str) -> Policy:
        self.read.append(name)
        return super().policy(name)

    def index_tag(self) -> str:
        return f"v{self.version}"

    def change(self, *policies: Policy) -> None:
        """Another deployment."""
        self._policies = {one.name: one for one in policies}
        self.version += 1


class LivingMachines(ModelMachines):
    """Executions run until a test says otherwise; asked again with the same input, AWS answers with the same one."""

    def start(self, machine: str, name: str, payload: Mapping[str, str]) -> str:
        if f"arn:{name}" in self.alive and (machine, name, dict(payload)) in self.started:
            return f"arn:{name}"
        execution = super().start(machine, name, payload)
        self.alive.add(execution)
        return execution


class SweepWorld:
    """Ledger, catalogue and machines; the clock stands until it is moved."""

    def __init__(self, *policies: Policy, rows: Rows | None = None) -> None:
        self.clock = Clock()
        self.rows = rows or MemoryRows()
        self.catalogue = IndexedCatalogue(*policies)
        self.machines = LivingMachines()
        self.told = Told()
        self.desk = self.another_desk(self.rows)

    def another_desk(self, rows: Rows) -> Desk:
        """The desk of another invocation, over its own view of the table."""
        return Desk(
            ledger=Ledger(rows, self.clock),
            catalogue=self.catalogue,  # type: ignore[arg-type]
            machines=self.machines,
            functions=ModelFunctions(lambda _: None),  # type: ignore[arg-type, return-value]
            table_id=lambda: "table",
            signals=self.told,
        )

    def look(self, begun: str = "") -> list[str]:
        """One look; the secrets that it started."""
        started = sweep(self.desk, begun)["started"]
        assert isinstance(started, list)
        return started

    def due_now(self, secret: str) -> None:
        """Move the clock to when the secret is due."""
        row = self.desk.ledger.agenda.of(secret)
        assert row is not None
        self.clock.moment = max(self.clock.moment, datetime.fromisoformat(row.due_at))

    def end(self, secret: str, status: str = "succeeded", reason: str = "") -> None:
        """The latest execution of the secret ends so, and its record is written."""
        name = next(n for _, n, given in reversed(self.machines.started) if given["secret"] == secret)
        self.ended(secret, f"arn:{name}", status, reason)

    def ended(  # what a run's record says
        self, secret: str, execution: str, status: str = "succeeded", reason: str = "", machine: str = "rotate"
    ) -> None:
        """A run of the secret under an execution ends so."""
        ledger, now = self.desk.ledger, self.desk.ledger.now()
        row = ledger.agenda.of(secret)
        run = Run(
            run_id=run_id_of(execution),
            secret=secret,
            machine=machine,
            epoch=1,
            execution=execution,
            function="",
            policy="",
            policy_digest="",
            reason="test",
            requested_by="test",
            started_at=row.started_at if row and row.started_at else now,
            ended_at=now,
            status=status,
            failure={"phase": "prepare", "reason": reason} if reason else {},
        )
        self.rows.write([Put(key=key(run), row=to_row(run)) for key in (lambda r: run_key(r.run_id), history_key)])
        self.clock.advance(1)
        settle(self.desk, run.run_id)

    def claimed_by_hand(self, secret: str) -> None:
        """A person's run of the secret is under way, of which its due row knows nothing."""
        ledger = self.desk.ledger
        run = Run(
            run_id="by-hand",
            secret=secret,
            machine="rotate",
            epoch=0,
            execution="arn:by-hand",
            function="",
            policy="",
            policy_digest="",
            reason="test",
            requested_by="arn:alice",
            started_at=ledger.now(),
        )
        ledger.claim(ledger.head(secret), run)


def row(world: SweepWorld, secret: str) -> Due:
    """The secret's due row."""
    found = world.desk.ledger.agenda.of(secret)
    assert found is not None
    return found
