"""One credential in one real store adapter and of one real type, in one process that can die at any call.

Machines are the generated ones, functions are control's own table of phases and the invocation of a phase's steps;
below the adapters are models. What becomes of an execution whose process died, `Fate` says: the task is tried again, or
every further attempt died as well and the machine goes where its Catch says, or the execution itself is gone.
Not here: a verb of a person and the sweep's look are no crash points, because asking again is all that they need.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import pytest

from rotation import definition
from rotation.calls import Meter, NullBreaker
from rotation.context import Context
from rotation.control.desk import Desk
from rotation.control.replay import tell_again
from rotation.control.starts import sweep
from rotation.control.table import PHASES, VERBS
from rotation.handlers.store_phases import make_issuer, of_the_credential
from rotation.invocation import run_phase
from rotation.issuers.registry import issuer_class
from rotation.ledger.ledger import LOOK_AFTER, Ledger
from rotation.ledger.memory import MemoryRows
from rotation.ledger.records import Head, Run
from rotation.phases import Outcome, phase_named
from rotation.policy import Policy, Target, from_document
from tests.model.clock import Clock
from tests.model.step_functions import Ended, InvocationLost, Walker
from tests.model.world import NAME, ModelCatalogue, ModelFunctions, ModelMachines, Told
from tests.unit.crash.crash_channel import CHANNEL, TOLD_IN, ModelChannel
from tests.unit.crash.crash_postgres import StaticRoleRig
from tests.unit.crash.crash_stores import STORES, EngineRig, StoreRig
from tests.unit.crash.crash_targets import TARGETS, TargetRig, Unwell
from tests.unit.crash.crash_trap import Died, Trap, Trapped

# Far longer than a settling takes.
OVERLAP_S = 86_400
_CONTROL = "arn:control"
_DEFINITIONS = {
    "rotate": definition.rotate_definition(_CONTROL),
    "retire": definition.retire_definition(_CONTROL),
    "rollback": definition.rollback_definition(_CONTROL),
    "repair": definition.repair_definition(_CONTROL),
}
# Sweeps until everything is ended: a takeover, and one that a takeover of its own may need.
_SWEEPS = 3


class Fate(StrEnum):
    """What becomes of an execution whose function died."""

    RETRIED = "retried"
    GAVE_UP = "gave up"
    KILLED = "killed"


class Killed(Exception):
    """The execution is gone: nobody records anything."""


def _kept_in(store: str, target: TargetRig) -> StoreRig:
    """The store, or the engine of it that keeps what it makes itself."""
    return EngineRig(target.engine) if isinstance(target, StaticRoleRig) else STORES[store]()


class CrashWorld:
    """`refuses`: what the target is unwell in, if it is: `probe` or `check`. `policy`: what it says besides."""

    def __init__(self, store: str, credential: str, patch: pytest.MonkeyPatch, **policy: Any) -> None:
        self.trap, self.fate = Trap(), Fate.RETRIED
        self.clock = Clock()
        self.target = TARGETS[credential]()
        self.store_rig: StoreRig = _kept_in(store, self.target)
        self.store_rig.keep_authority(self.target.authority)
        self.target.connect(patch, self._passing)
        self.target.tell_time(self.clock)
        self.refuses = ""
        self.rows, self.machines, self.told = MemoryRows(), ModelMachines(), Told()
        self.whole_ledger = Ledger(self.rows, self.clock)
        self.policy = Policy(
            name=NAME,
            store=store,
            path=self.store_rig.path,
            credential=credential,
            target=Target(facts=self.target.facts, authority=self.store_rig.authority),
            cadence="rate(30 days)",
            warm_up_s=0,
            overlap_s=0 if self.replaces else OVERLAP_S,
            owner="somebody",
            runbook="docs/runbooks/rotation.md",
            invalidate=(CHANNEL,) if (store, credential) in TOLD_IN else (),
            **policy,
        )
        self.channel = ModelChannel(self._current_id)

    @property
    def replaces(self) -> bool:
        """Whether an engine of the store replaces the credential at its target in one."""
        capable: bool = issuer_class(self.target.kind).capabilities.replaced_by_store
        return capable

    def _current_id(self) -> str:
        found = self.store_rig.current()
        return found[0] if found else ""

    def _passing(self, name: str, exchange: Callable[[], Any]) -> Any:
        """An exchange with the target, through whichever trap is set by then."""
        return self.trap.around(name, exchange)

    def _behind(self, inner: object, label: str) -> Any:
        return Trapped(inner, self.trap, label)

    @property
    def ledger(self) -> Ledger:
        """The ledger whose every call is a crash point."""
        return Ledger(self._behind(self.rows, "ledger"), self.clock)

    @property
    def desk(self) -> Desk:
        """What control works with, every call a crash point."""
        return Desk(
            ledger=self.ledger,
            catalogue=self._behind(ModelCatalogue({NAME: self.policy}), "catalogue"),
            machines=self._behind(self.machines, "machines"),
            functions=self._behind(ModelFunctions(self.context), "functions"),
            table_id=self._behind(self.rows, "ledger").identity,
            signals=self._behind(self.told, "signals"),
        )

    def context(self, run_id: str) -> Context:
        """A fresh invocation's context: nothing of an earlier one is left but what ledger, store and target hold."""
        ledger, meter = self.ledger, Meter()
        run, steps = ledger.run(run_id)
        policy = from_document(run.policy)
        store = self.store_rig.store(self.trap, meter)
        bench: Any = SimpleNamespace(meter=meter, breaker=NullBreaker())
        issuer: Any = Unwell(make_issuer(policy, store, bench), self._refuses())
        return Context(
            run=run,
            policy=policy,
            store=of_the_credential(policy, store),
            issuer=issuer,
            ledger=ledger,
            meter=meter,
            steps=steps,
            announcer=self._behind(self.channel, "channel"),
        )

    def _refuses(self) -> str:
        """What the target is unwell in now: where an engine replaces the credential, its health is seen by a probe."""
        if self.refuses == "check" and self.replaces:
            return "probe" if self.trap.phase == "bake" else ""
        return self.refuses

    def ask(self, verb: str, **fields: Any) -> Any:
        """A verb of a person, and what it started, walked to its end."""
        event = {"reason": "test", "requested_by": "somebody", "secret": NAME, **fields}
        answer = VERBS[verb](self.desk, event)
        self.drain()
        return answer

    def sweep(self) -> list[str]:
        """A look at what is due, and what it started, walked to its end."""
        started = sweep(self.desk)
        tell_again(self.desk)
        self.drain()
        return started

    def settle(self) -> None:
        """As much later as the sweep needs to find whoever lost his execution; the trap is gone."""
        self.trap.at = 0
        for _ in range(_SWEEPS):
            self.clock.advance(LOOK_AFTER.total_seconds())
            if not self.sweep():
                return

    def drain(self) -> list[Ended]:
        """Walk every execution that waits. Killed when one is."""
        ended = []
        while self.machines.started:
            machine, name, payload = self.machines.started.pop(0)
            execution = f"arn:{name}"
            self.machines.alive.add(execution)
            try:
                walker = Walker(_DEFINITIONS[machine], execution, self.invoke, self.clock, self.answered)
                ended.append(walker.walk(payload))
            finally:
                self.machines.alive.discard(execution)
        return ended

    def answered(self, token: str) -> Mapping[str, Any]:
        """What a task that waits for its token is told in the end; no run of this world waits for anybody."""
        raise AssertionError(f"nobody answers {token}")

    def invoke(self, function: str, payload: Mapping[str, Any]) -> Any:
        try:
            with self.trap.armed(payload["phase"]):
                return self._handled(function, payload)
        except Died as exc:
            self.target.hang_up()
            if self.fate is Fate.KILLED:
                raise Killed(str(exc)) from None
            raise InvocationLost(str(exc), retries_spent=self.fate is Fate.GAVE_UP) from None

    def _handled(self, function: str, payload: Mapping[str, Any]) -> Any:
        if function == _CONTROL:
            return PHASES[payload["phase"]](self.desk, payload)
        context = self.context(payload["run_id"])
        if context.run.epoch != payload["epoch"]:
            return {"outcome": Outcome.FAILED.value, "reason": "epoch_unknown"}
        return run_phase(context, phase_named(payload["phase"]))

    def outside(self) -> str:
        """Everything that outlives a process: ledger, store, target, machines."""
        others = (self.machines.used, self.machines.started, self.told.findings, self.channel.told)
        return f"{vars(self.rows)} {self.store_rig.shown()} {self.target.shown()} {others}"

    @property
    def head(self) -> Head:
        return self.whole_ledger.head(NAME)

    @property
    def runs(self) -> list[Run]:
        return self.whole_ledger.history(NAME)
