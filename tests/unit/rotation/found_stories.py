"""What the shortest stories of storms share: strangers, and calls that come late.

A late call is one whose invocation was suspended just before it, and which is made after somebody else went on.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from rotation.context import Context
from rotation.control import repair
from rotation.control.desk import run_id_of
from rotation.control.starts import sweep
from rotation.definition import FUNCTION_TIMEOUT_S
from rotation.errors import KeyturnError
from rotation.ledger.records import StepRecord
from rotation.phases import Outcome, phase_named
from rotation.steps import STEPS
from rotation.value import SecretValue
from tests.model.store import MemoryStore
from tests.model.world import NAME, World

WHO = {"requested_by": "on-call", "reason": "alarm"}
RUN = run_id_of("arn:2")
# Rounds of sweep and repair in which everything that can be mended is.
ROUNDS = 6


def entered(world: World, *phases: str, execution: str = "arn:2") -> None:
    for phase in phases:
        assert world.enter(phase_named(phase), execution)[0] == Outcome.PASSED


def to_rest(world: World) -> list[str]:
    """The kinds that were diagnosed until nothing was left to do."""
    kinds: list[str] = []
    for _ in range(ROUNDS):
        world.clock.advance(1300)
        sweep(world.desk)
        world.follow()
        seen = repair.diagnose(world.desk, NAME)
        first = seen["diagnoses"][0]
        kinds.append(first["kind"])
        if first["kind"] == "healthy":
            break
        if first["action"]:
            repair.mend(world.desk, NAME, seen["digest"], WHO)
            world.follow()
    return kinds


def accepted(world: World) -> set[str]:
    return set(world.target.tokens.values())


def stranger_points_readers_elsewhere(world: World) -> None:
    """At a credential of their own, which works."""
    world.target.tokens["c"] = "somebody-elses"
    world.secret.current = world.secret.add(SecretValue.of({"slot": "c", "token": "somebody-elses"}))


def keeps_the_value(store: MemoryStore, *_: object) -> None:
    """What AWS does with a version that is abandoned: its label goes, and that is all."""
    store._server.find(NAME).pending = None


def late_promotion(world: World) -> Context:
    """The invocation has written its intent to promote, and comes no further for the time being."""
    late = world.context(RUN)
    now, fenced = late.ledger.now(), STEPS["promote"].fenced(late)
    intent = StepRecord(step="promote", phase="promote", intent_at=now, begun_at=now, epoch=2, fenced=fenced)
    late.ledger.begin(late.run, intent)
    late.steps["promote"] = intent
    return late


def promotes_late(late: Context) -> None:
    """Unless its function's timeout is over by now."""
    staged, begun = late.staged, datetime.fromisoformat(late.steps["promote"].begun_at)
    assert staged is not None
    if datetime.fromisoformat(late.ledger.now()) - begun >= timedelta(seconds=FUNCTION_TIMEOUT_S):
        return
    try:
        late.store.promote(late.policy.ref, late.run.run_id, staged, late.expected)
    except KeyturnError:
        # it is welcome to be refused
        return
