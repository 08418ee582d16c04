"""What the functions of all stores share: from the machine's event to one phase, and its answer.

A handler gives a function that makes its store's adapter; everything else is the same for all three.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any, Generic, TypeVar, cast

from rotation.calls import Breaker, Caller, Kind, Meter, NullBreaker
from rotation.catalogue import Catalogue
from rotation.consumers.channel import FAILED
from rotation.consumers.registry import from_env as announcer_from_env
from rotation.context import Context
from rotation.contract import CredentialIssuer, SecretStore
from rotation.environment import Bench, Workshop
from rotation.errors import KeyturnError, Refused
from rotation.event_fields import mapping, number, text
from rotation.handlers.shelf import Shelf
from rotation.handwork import VERSIONS, Versions, VersionTeller
from rotation.inspection import INSPECT, Inspected, inspect
from rotation.invocation import Answer, run_phase
from rotation.issuers.registry import issuer_class
from rotation.ledger.budget import WRITES
from rotation.logs import configure
from rotation.phases import UNDO, Outcome, Phase, Where, phase_named
from rotation.pointing import POINT, Pointed, point
from rotation.policy import Policy, from_document
from rotation.probing import PROBE, Probed, Subject, probe
from rotation.steps.publish import SEND_AGAIN, send_again
from rotation.value import SecretValue

S = TypeVar("S", bound=SecretStore)

# The first phase that writes to a store.
ROTATE_BEGINS = "prepare"
_LOG = logging.getLogger("keyturn")

# What a look answers: of a run, before a run, of versions, of what readers get.
Look = Inspected | Probed | Versions | Pointed


class StoreFunction(Generic[S]):
    """The function of one store. `make` builds the adapter of one invocation around clients it keeps warm."""

    def __init__(self, make: Callable[[Mapping[str, str], Meter, Breaker], S]) -> None:
        self._environment = os.environ
        self._make = make
        self._bound: dict[str, str] = {}
        extra = self._environment.get("PII_KEYS", "").split(",")
        configure(self._environment.get("LOG_LEVEL", "INFO"), extra, self._bound)
        self._workshop = Workshop(self._environment)

    def handle(self, event: Mapping[str, Any], request_id: str) -> Answer | Look:
        """Event `{phase, run_id, epoch, secret, execution}`; answers `{outcome, reason}`, or what a look shows."""
        event = mapping(event)
        self.bind(run_id=str(event.get("run_id", "")), request_id=request_id)
        if look := self._look(event):
            return look
        if event.get("phase") == SEND_AGAIN:
            return _sent_again(self.context(self.bench(), text(event, "run_id")), text(event, "step"))
        phase, run_id, epoch = _phase(event), text(event, "run_id"), number(event, "epoch")
        context = self.context(self.bench(), run_id)
        if context.run.epoch != epoch:
            return Answer(outcome=Outcome.FAILED, reason="epoch_unknown")
        return self.walk(context, phase)

    def _look(self, event: Mapping[str, Any]) -> Look | None:
        """What an event asks that changes nothing; None where it asks for something else."""
        asked = event.get("phase")
        if asked == INSPECT:
            return inspect(self.context(self.bench(), text(event, "run_id")))
        if asked == PROBE:
            return probe(self.subject(text(event, "secret")))
        if asked == VERSIONS:
            return self.versions(text(event, "secret"))
        return point(self.subject(text(event, "secret"))) if asked == POINT else None

    def bind(self, *, run_id: str, request_id: str) -> None:
        """Put the ids of this invocation in every line of the log."""
        self._bound.update(run_id=run_id, request_id=request_id)

    def bench(self) -> Bench:
        """Ledger, counters and breakers of one invocation."""
        return self._workshop.bench()

    def store(self, bench: Bench) -> S:
        """The store's adapter for one invocation."""
        return self._make(self._environment, bench.meter, bench.breaker)

    def context(self, bench: Bench, run_id: str) -> Context:
        """The context of one invocation, from the ledger's record of the run."""
        run, steps = bench.ledger.run(run_id)
        policy = from_document(run.policy)
        store = self.store(bench)
        return Context(
            run=run,
            policy=policy,
            store=of_the_credential(policy, store),
            issuer=make_issuer(policy, store, bench),
            ledger=bench.ledger,
            meter=bench.meter,
            steps=steps,
            announcer=announcer_from_env(self._environment, store, bench.meter, bench.breaker),
        )

    def subject(self, secret: str) -> Subject:
        """What a preflight looks at. The policy is the catalogue's, never the event's: it says where values are shown.

        Nobody is told by a preflight how a provider does, so that it writes nothing. Refused as the catalogue refuses.
        """
        bench = replace(self.bench(), breaker=NullBreaker())
        policy, store = self.catalogue(bench).policy(secret), self.store(bench)
        if policy.store != store.name:
            raise Refused("wrong_function", f"{secret} is not in the store of this function", "deploy again")
        return Subject(
            policy=policy,
            store=of_the_credential(policy, store),
            issuer=make_issuer(policy, store, bench),
            authority=_Authority(policy, store, bench.meter),
            ledger=bench.ledger,
            meter=bench.meter,
        )

    def versions(self, secret: str) -> Versions:
        """What the store has of a secret, without a value; the credential type of such ships where the store tells."""
        subject = self.subject(secret)
        return Versions(versions=cast("VersionTeller", subject.store).versions(subject.policy.ref))

    def catalogue(self, bench: Bench) -> Catalogue:
        """The policies as they were deployed."""
        return self._shelf.catalogue(bench)

    @cached_property
    def _shelf(self) -> Shelf:
        """Kept warm; made when it is first asked for, because a run's phases never ask."""
        return Shelf(self._environment)

    def walk(self, context: Context, phase: Phase) -> Answer:
        """Run the phase, with a line in the log before and after."""
        _LOG.info("phase begins", extra={"fields": {"phase": phase.name, "policy": context.policy.name}})
        try:
            _spend(context, phase)
            answer = run_phase(context, phase)
        except KeyturnError as exc:
            _LOG.warning("phase is retried", extra={"fields": {"phase": phase.name, "reason": exc.reason}})
            raise
        calls = context.meter.totals()
        _LOG.info("phase ended", extra={"fields": {"phase": phase.name, **answer, "calls": calls}})
        return answer


def _spend(context: Context, phase: Phase) -> None:
    """Take the phase's writes to the store from the stack's budget; Throttled `write_budget`, and the machine waits."""
    store, undoing = context.store.name, phase in UNDO
    writes = 1 if undoing else WRITES.get(store, {}).get(phase.name, 0)
    if writes:
        first = phase.name == ROTATE_BEGINS
        context.ledger.budgets.spend(store, context.policy.name, writes, undoing=undoing, own=first)


def _sent_again(context: Context, step: str) -> Answer:
    """Passed when every channel has it now; otherwise which one has not, and why."""
    left = [f"{channel} {how}" for channel, how in send_again(context, step).items() if how.startswith(FAILED)]
    return Answer(outcome=Outcome.FAILED if left else Outcome.PASSED, reason="; ".join(left))


def _phase(event: Mapping[str, Any]) -> Phase:
    try:
        phase = phase_named(text(event, "phase"))
    except KeyError as exc:
        raise Refused("unknown_phase", "the event names no phase that this version knows", "deploy again") from exc
    if phase.where is not Where.STORE:
        raise Refused("wrong_function", f"the phase {phase.name} is not one of a store's function", "deploy again")
    return phase


def make_issuer(policy: Policy, store: SecretStore, bench: Bench) -> CredentialIssuer:
    """The policy's issuer; the authority's credential is read from the same store, when it is first needed."""
    kind = issuer_class(policy.credential)
    caller = Caller(
        f"target of {policy.name}",
        translate=kind.translate,
        meter=bench.meter,
        breaker=bench.breaker,
        sleep=time.sleep,
    )
    return kind(policy.target_facts, _Authority(policy, store, bench.meter), caller)  # type: ignore[no-any-return]


def of_the_credential(policy: Policy, store: SecretStore) -> SecretStore:
    """The store's adapter, or that of the engine which makes the credential itself: only Vault has one."""
    if not issuer_class(policy.credential).capabilities.replaced_by_store:
        return store
    facts = policy.target_facts
    made: SecretStore = cast("Any", store).static_role(facts["mount"], facts["role"])
    return made


class _Authority:
    """Reads the credential that Keyturn itself needs at the target: once, and counted in its own column."""

    def __init__(self, policy: Policy, store: SecretStore, meter: Meter) -> None:
        self._policy = policy
        self._store = store
        self._meter = meter
        self._value: SecretValue | None = None

    def __call__(self) -> SecretValue:
        if self._value is None:
            with self._meter.counted_as(Kind.AUTHORITY):
                _, self._value = self._store.read_live(self._policy.authority_ref)
        return self._value
