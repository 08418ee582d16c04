"""Everything a run needs, in one process: the runner walks the table that the state machines are generated from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from rotation.calls import Caller, Meter, NullBreaker
from rotation.catalogue import Place
from rotation.consumers.channel import FAILED
from rotation.context import Context
from rotation.control.asked import Asked
from rotation.control.claims import Claimed
from rotation.control.desk import Desk, run_id_of
from rotation.control.signals import Finding, Gauge
from rotation.control.table import PHASES
from rotation.definition import LOOK_PAUSE_S
from rotation.errors import Conflict, Denied, Refused
from rotation.handwork import Made, Versions
from rotation.inspection import Inspected, inspect
from rotation.invocation import Answer, run_phase
from rotation.ledger.ledger import Ledger
from rotation.ledger.memory import MemoryRows
from rotation.ledger.switch import Who
from rotation.phases import TABLES, Outcome, Phase, Where, active, phase_named
from rotation.pointing import Pointed, point
from rotation.policy import Policy, Target, from_document
from rotation.probing import Probed, Subject, probe
from rotation.steps.publish import send_again
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

    def some(self, after: str, most: int) -> list[str]:
        return [name for name in self.names() if name > after][:most]

    def places(self) -> list[Place]:
        return [
            Place(store=one.store, path=one.ref.path, name=one.name, triggers=one.triggers)
            for one in self._policies.values()
        ]

    def index_tag(self) -> str:
        """No index unless a test says so: the sweep then knows of no policy to rotate."""
        return ""

    def index(self) -> dict[str, str]:
        return {name: policy.digest() for name, policy in self._policies.items()}


@dataclass
class ModelMachines:
    """Executions that run as long as a test says so; a name is used once."""

    alive: set[str] = field(default_factory=set)
    started: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    used: set[str] = field(default_factory=set)

    def start(self, machine: str, name: str, payload: Mapping[str, str]) -> str:
        if name in self.used:
            raise Conflict("aws_conflict", "the name was used")
        self.used.add(name)
        self.started.append((machine, name, dict(payload)))
        return f"arn:{name}"

    def running(self, execution: str) -> bool:
        return execution in self.alive


class ModelFunctions:
    """One function for all stores; it looks in this process."""

    def __init__(self, context: Callable[[str], Context]) -> None:
        self._context = context
        # what a preflight looks at, where a test asks for one
        self.subject: Callable[[str], Subject] | None = None
        # which versions a store has, where a test asks for them
        self.made: Callable[[str], list[Made]] | None = None

    def pin(self, store: str, run_id: str) -> str:
        del run_id
        return f"arn:function:{store}:1"

    def inspect(self, function: str, run_id: str) -> Inspected:
        del function
        return inspect(self._context(run_id))

    def probe(self, function: str, secret: str) -> Probed:
        del function
        assert self.subject is not None
        return probe(self.subject(secret))

    def versions(self, function: str, secret: str) -> Versions:
        del function
        assert self.made is not None
        return Versions(versions=self.made(secret))

    def point(self, function: str, secret: str) -> Pointed:
        """As the store shows it; nothing where a test has no store."""
        del function
        return point(self.subject(secret)) if self.subject else Pointed(outcome="passed", current="", lags=False)

    def send_again(self, function: str, run_id: str, step: str, *, wait: bool) -> Answer:
        del function, wait
        told = send_again(self._context(run_id), step)
        left = [name for name, how in told.items() if how.startswith(FAILED)]
        return Answer(outcome="failed" if left else "passed", reason=" ".join(left))


# Who does what a person does in these tests.
PERSON = Who(actor="on-call", reason="test", verb="test")


def _denied(*_: object) -> None:
    raise Denied("store_denied", "the store refuses")


class Told:
    """Findings that somebody was told of."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self.gauges: dict[Gauge, float] = {}

    def tell(self, finding: Finding) -> None:
        self.findings.append(finding)

    def gauge(self, name: Gauge, value: float) -> None:
        self.gauges[name] = value


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
        self.told = Told()
        self.broken_store: set[str] = set()
        catalogue = ModelCatalogue({NAME: POLICY})
        self.desk = Desk(
            ledger=self.ledger,
            catalogue=catalogue,  # type: ignore[arg-type]
            machines=self.machines,
            functions=ModelFunctions(self.context),
            table_id=self.rows.identity,
            signals=self.told,
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

    def rotate(self, execution: str, **asked: str) -> str:
        """Walk the table of a rotation; returns the run's status. `asked`: `resume`, `flags`."""
        return self.walk("rotate", execution, **asked)

    def retire(self, execution: str, **asked: str) -> str:
        """Walk the table of the end of an overlap."""
        return self.walk("retire", execution, **asked)

    def request(self, execution: str, **asked: str) -> Asked:
        return Asked(secret=NAME, execution=execution, reason="test", requested_by="somebody", **asked)

    def walk(self, machine: str, execution: str, **asked: str) -> str:
        """Walk any machine as Step Functions does; returns how its run stands then."""
        given = self.given(execution, **asked)
        self.machines.alive.add(execution)
        try:
            self._phases(active(TABLES[machine]), given)
        finally:
            self.machines.alive.discard(execution)
        return self.ledger.run(given["resume"] or run_id_of(execution))[0].status

    def given(self, execution: str, **asked: str) -> dict[str, str]:
        """A machine's input, and its execution."""
        given = {"secret": NAME, "reason": "test", "requested_by": "somebody", "resume": "", "flags": "", **asked}
        return {**given, "execution": execution}

    def _phases(self, phases: tuple[Phase, ...], given: Mapping[str, str]) -> None:
        for phase in phases:
            outcome, reason = self.enter(phase, given)
            if outcome == Outcome.HALTED:
                self._end("record_halt", phase, reason, given)
            elif outcome == Outcome.UNDO:
                self.enter(phase_named(phase.on_undo), given)
                self._end("record_failure", phase, reason, given)
            elif outcome != Outcome.PASSED:
                self._fail(phase, reason, given)
            if outcome != Outcome.PASSED:
                return

    def enter(self, phase: Phase, entered: str | Mapping[str, str]) -> tuple[str, str]:
        """One phase as the machine enters it, looking again as long as it says `unobserved`.

        `entered`: the execution's input, or its name alone.
        """
        given = self.given(entered) if isinstance(entered, str) else entered
        if phase.where is Where.WAIT:
            return Outcome.PASSED, ""
        for _ in range(_LOOKS):
            answer = self._answer(phase, given)
            if answer["outcome"] != Outcome.UNOBSERVED:
                break
            self.clock.advance(LOOK_PAUSE_S)
        return answer["outcome"], answer["reason"]

    def _answer(self, phase: Phase, given: Mapping[str, str]) -> Claimed | Mapping[str, str]:
        run_id = given["resume"] or run_id_of(given["execution"])
        if phase.where is Where.CONTROL:
            return PHASES[phase.name](self.desk, {**given, "run_id": run_id})  # type: ignore[no-any-return]
        return run_phase(self.context(run_id), phase)

    def _fail(self, phase: Phase, reason: str, given: Mapping[str, str]) -> None:
        if phase.on_failure != "record_failure":
            self.enter(phase_named(phase.on_failure), given)
        self._end("record_failure", phase, reason, given)

    def _end(self, how: str, phase: Phase, reason: str, given: Mapping[str, str]) -> None:
        PHASES[how](self.desk, {**given, "failure": {"phase": phase.name, "reason": reason}})

    def follow(self) -> list[str]:
        """Walk every machine that was started since, as Step Functions would; returns how their runs stand."""
        begun, self.machines.started = self.machines.started, []
        return [
            self.walk(machine, f"arn:{name}", **{key: given[key] for key in ("resume", "flags", "requested_by")})
            for machine, name, given in begun
        ]

    def engage(self) -> None:
        """The kill switch, as a person engages it."""
        self.ledger.switchboard.set(PERSON, engaged=True)

    def release(self) -> None:
        self.ledger.switchboard.set(PERSON, engaged=False)

    def current(self) -> dict[str, str]:
        """The fields of the value that readers of current get."""
        number = self.secret.current
        assert number is not None
        return self.secret.value(number).unsafe_fields()
