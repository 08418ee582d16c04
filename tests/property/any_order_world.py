"""One secret, and any number of executions, invocations and verbs at work on it at once, each stopped at its next call.

What is under test is the runtime itself: the generated machines, the control function's tables, the steps. What is a
model: store, target, the ledger's table, Step Functions and Lambda. Time passes only as told, and by machines' pauses.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from rotation.calls import Caller
from rotation.context import Context
from rotation.control.table import PHASES, VERBS
from rotation.errors import Conflict, KeyturnError
from rotation.invocation import run_phase
from rotation.ledger.ledger import Ledger
from rotation.phases import Outcome, phase_named
from tests.model.store import MemoryStore
from tests.model.world import NAME, ModelMachines, World
from tests.property.credentials import MarkedIssuer, RememberedSecret, WatchedTarget
from tests.property.executions import Execution, Invocation
from tests.property.intercepted import Intercepted
from tests.property.lagging_rows import LaggingRows
from tests.property.strands import Died, Ending, Strand

# A function's own timeout: nothing works longer.
FUNCTION_TIMEOUT_S = 60
# What one call takes.
CALL_S = 0.05
# Payloads that may be delivered once more.
REMEMBERED_EVENTS = 12
PERSON = {"requested_by": "on-call", "reason": "test"}


class StartingMachines(ModelMachines):
    """Step Functions: an execution begins as soon as it was started."""

    begin: Callable[[str, str, Mapping[str, str]], None]

    def start(self, machine: str, name: str, payload: Mapping[str, str]) -> str:
        if name in self.used:
            raise Conflict("aws_conflict", "the name was used")
        self.used.add(name)
        self.begin(machine, f"arn:{name}", payload)
        return f"arn:{name}"


class AnyOrderWorld(World):
    """`executions` and `invocations` that are under way. `elapsed`: seconds that truly passed, whatever clocks say."""

    issuer = MarkedIssuer
    store: type[MemoryStore] = MemoryStore
    secret: RememberedSecret
    target: WatchedTarget
    rows: LaggingRows

    def __init__(self) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self.elapsed = 0.0
        self.executions: list[Execution] = []
        self.invocations: list[Invocation] = []
        self.events: list[Mapping[str, Any]] = []
        # what task tokens were answered
        self.said: dict[str, Mapping[str, Any]] = {}
        self.verbs_asked = 0
        self.secret = self.server.secrets[NAME] = RememberedSecret()
        self.target = WatchedTarget()
        self.rows = LaggingRows()
        self.whole_ledger = Ledger(self.rows, self.clock)
        self.ledger = Ledger(self._port(self.rows, "ledger"), self.clock)
        self.machines = StartingMachines()
        self.machines.begin = self._begin
        self.desk = replace(
            self.desk,
            ledger=self.ledger,
            table_id=self.rows.identity,
            machines=self._port(self.machines, "machines"),
            functions=self._port(self.desk.functions, "functions"),
        )

    def _port(self, inner: Any, label: str) -> Any:
        return Intercepted(inner, label, self.calls)

    def context(self, run_id: str) -> Context:
        made = super().context(run_id)
        return replace(made, store=self._port(made.store, "store"), issuer=self._port(made.issuer, "target"))

    def _memory_store(self, caller: Caller) -> MemoryStore:
        return self.store(self.server, caller)

    def _begin(self, machine: str, arn: str, given: Mapping[str, str]) -> None:
        self.machines.alive.add(arn)
        # its first task is invoked, and waits for its first call
        self.executions.append(Execution(machine, arn, given, self.invoke, self, self.said))

    def invoke(self, payload: Mapping[str, Any], execution: Execution | None = None) -> Invocation:
        """A new invocation, which has not begun yet."""
        event = dict(payload)
        self.events = [*self.events[1 - REMEMBERED_EVENTS :], event]
        strand = Strand(f"{event['phase']} {event.get('run_id', '')[:4]}", lambda: self._handle(event))
        made = Invocation(strand=strand, began=self.elapsed, payload=event, execution=execution)
        self.invocations.append(made)
        return made

    def _handle(self, event: Mapping[str, Any]) -> Any:
        if event["phase"] in PHASES:
            return PHASES[event["phase"]](self.desk, event)
        # as `rotation.handlers.store_phases` does
        context = self.context(event["run_id"])
        if context.run.epoch != event["epoch"]:
            return {"outcome": Outcome.FAILED.value, "reason": "epoch_unknown"}
        return run_phase(context, phase_named(event["phase"]))

    def people(self) -> bool:
        """What people do whom runs wait for; whether anybody did anything. Here no run waits."""
        return False

    def ask(self, verb: str, **fields: Any) -> Invocation:
        """A person's verb, as the endpoint hands it to control; it waits at its first call."""
        self.verbs_asked += 1
        event = {**PERSON, "secret": NAME, **fields}
        strand = Strand(f"verb {verb}", lambda: VERBS[verb](self.desk, event))
        made = Invocation(strand=strand, began=self.elapsed, payload={"verb": verb})
        self.invocations.append(made)
        self.move(made, Ending.ANSWERED)
        return made

    def move(self, invocation: Invocation, ending: Ending) -> None:
        """Its next call ends so, and it comes to the one after it; machines that got an answer go on."""
        self.clock.advance(CALL_S)
        self.elapsed += CALL_S
        invocation.strand.go(ending)
        self.settle()

    def advance(self, seconds: float) -> None:
        """Time passes; functions that have worked too long are ended. Also what Wait and Retry of a machine do."""
        self.clock.advance(seconds)
        self.elapsed += seconds
        for one in [*self.invocations]:
            if not one.over and self.elapsed - one.began >= FUNCTION_TIMEOUT_S:
                one.strand.kill()

    def settle(self) -> None:
        """Every machine that can go on does; what is over is forgotten."""
        while ready := [one for one in self.executions if one.ready()]:
            ready[0].go()
            self._tidy()
        self._tidy()

    def _tidy(self) -> None:
        for one in self.invocations:
            error = one.strand.error
            if error and not isinstance(error, KeyturnError | Died):
                raise error
        self.invocations = [one for one in self.invocations if not one.over]
        for execution in self.executions:
            if execution.over:
                self.machines.alive.discard(execution.arn)
        self.executions = [one for one in self.executions if not one.unwound]

    def close(self) -> None:
        """No thread outlives the world."""
        for one in self.executions:
            one.abort()
        for invocation in self.invocations:
            invocation.strand.kill()
        while ready := [one for one in self.executions if one.ready()]:
            ready[0].go()
            self._tidy()
