"""Everything a run needs, in one process: the runner walks the table that the state machines are generated from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from rotation.calls import Caller, Meter, NullBreaker
from rotation.context import Context
from rotation.control import claims, records
from rotation.control.claims import Claimed, Request
from rotation.control.desk import Desk, run_id_of
from rotation.errors import Denied, Refused
from rotation.invocation import run_phase
from rotation.ledger.ledger import Ledger
from rotation.ledger.memory import MemoryRows
from rotation.phases import RETIRE, ROTATE, Outcome, Phase, Where, active, phase_named
from rotation.policy import Policy, Target, from_document
from tests.model.clock import Clock
from tests.model.store import MemorySecret, MemoryServer, MemoryStore, translate
from tests.model.target import ModelIssuer, ModelTarget

NAME = "group/secret"
OVERLAP_S = 60
# A phase that keeps saying "not yet" is looked at this often before the walker gives up: more than any table asks for.
_LOOKS = 10

POLICY = Policy(
    name=NAME,
    store="memory",
    path=NAME,
    credential="model",
    target=Target(facts={}, authority="authority"),
    cadence="rate(30 days)",
    warm_up_s=0,
    overlap_s=OVERLAP_S,
    owner="somebody",
    runbook="docs/runbooks/rotation.md",
)


class ModelCatalogue:
    """Policies in a dictionary."""

    def __init__(self, policies: Mapping[str, Policy]) -> None:
        self._policies = policies

    def policy(self, name: str) -> Policy:
        if name not in self._policies:
            raise Refused("unknown_secret", f"no policy names the secret `{name}`", "list the known ones")
        return self._policies[name]

    def names(self) -> list[str]:
        return sorted(self._policies)


@dataclass
class ModelMachines:
    """Executions that run as long as a test says so."""

    alive: set[str] = field(default_factory=set)
    started: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def start(self, machine: str, name: str, payload: Mapping[str, str]) -> str:
        self.started.append((machine, name, dict(payload)))
        return f"arn:{name}"

    def running(self, execution: str) -> bool:
        return execution in self.alive


class ModelFunctions:
    """One function for all stores."""

    def pin(self, store: str, run_id: str) -> str:
        del run_id
        return f"arn:function:{store}:1"


def _denied(*_: object) -> None:
    raise Denied("store_denied", "the store refuses")


class World:
    """One secret in one store at one target, with a ledger."""

    issuer: type[ModelIssuer] = ModelIssuer

    def __init__(self) -> None:
        self.clock = Clock()
        self.rows = MemoryRows()
        self.ledger = Ledger(self.rows, self.clock)
        self.server = MemoryServer()
        self.secret = self.server.secrets[NAME] = MemorySecret()
        self.target = ModelTarget()
        self.machines = ModelMachines()
        self.meter = Meter()
        self.broken_store: set[str] = set()
        catalogue = ModelCatalogue({NAME: POLICY})
        self.desk = Desk(
            ledger=self.ledger,
            catalogue=catalogue,  # type: ignore[arg-type]
            machines=self.machines,
            functions=ModelFunctions(),
        )

    def context(self, run_id: str) -> Context:
        """A fresh invocation's context: nothing of an earlier one is left but what the ledger holds."""
        run, steps = self.ledger.run(run_id)
        caller = Caller("memory", translate=translate, meter=self.meter, breaker=NullBreaker(), sleep=lambda _: None)
        return Context(
            run=run,
            policy=from_document(run.policy),
            store=self._memory_store(caller),
            issuer=self.issuer(self.target),
            ledger=self.ledger,
            meter=self.meter,
            steps=steps,
        )

    def _memory_store(self, caller: Caller) -> MemoryStore:
        store = MemoryStore(self.server, caller)
        for verb in self.broken_store:
            setattr(store, verb, _denied)
        return store

    def rotate(self, execution: str) -> str:
        """Walk the table of a rotation; returns the run's status."""
        return self._walk(active(ROTATE), execution)

    def retire(self, execution: str) -> str:
        """Walk the table of the end of an overlap."""
        return self._walk(active(RETIRE), execution)

    def request(self, execution: str) -> Request:
        return Request(secret=NAME, execution=execution, reason="test", requested_by="somebody")

    def _walk(self, phases: tuple[Phase, ...], execution: str) -> str:
        for phase in phases:
            outcome, reason = self.enter(phase, execution)
            if outcome != Outcome.PASSED:
                return self._fail(phase, reason, execution)
        return self.ledger.run(run_id_of(execution))[0].status

    def enter(self, phase: Phase, execution: str) -> tuple[str, str]:
        """One phase as the machine enters it, looking again as long as it says `unobserved`."""
        if phase.where is Where.WAIT:
            return Outcome.PASSED, ""
        for _ in range(_LOOKS):
            answer = self._answer(phase, execution)
            if answer["outcome"] != Outcome.UNOBSERVED:
                break
        return answer["outcome"], answer["reason"]

    def _answer(self, phase: Phase, execution: str) -> Claimed | Mapping[str, str]:
        if phase.name == "claim":
            return claims.claim(self.desk, self.request(execution))
        if phase.name == "gate":
            return claims.gate(self.desk, self.request(execution))
        if phase.name == "record":
            return records.record(self.ledger, run_id_of(execution))
        return run_phase(self.context(run_id_of(execution)), phase)

    def _fail(self, phase: Phase, reason: str, execution: str) -> str:
        if phase.on_failure != "record_failure":
            self.enter(phase_named(phase.on_failure), execution)
        failure = {"phase": phase.name, "reason": reason}
        records.record_failure(self.ledger, NAME, execution, failure)
        return self.ledger.run(run_id_of(execution))[0].status

    def current(self) -> dict[str, str]:
        """The fields of the value that readers of current get."""
        number = self.secret.current
        assert number is not None
        return self.secret.value(number).unsafe_fields()
