"""An undoing never takes from readers what they get: it finds out first what became current, by whomever."""

from __future__ import annotations

from dataclasses import replace

from rotation.control.desk import run_id_of
from rotation.phases import Outcome, phase_named
from tests.model.world import NAME, World

RUN = run_id_of("arn:2")


def prepared(world: World) -> None:
    for phase in ("claim", "prepare"):
        assert world.enter(phase_named(phase), "arn:2")[0] == Outcome.PASSED


def test_a_candidate_that_somebody_made_current_is_not_withdrawn_from_readers(world: World) -> None:
    prepared(world)
    world.secret.current, world.secret.pending = world.secret.pending, None
    assert world.rotate("arn:3", resume=RUN, flags="undo") == "failed"
    run, steps = world.ledger.run(RUN)
    assert steps["withdraw"].facts["reason"] == "candidate_is_current"
    assert "withdraw" in run.failure["not_undone"].split()
    assert world.ledger.head(NAME).leftover == RUN
    assert world.current()["token"] in world.target.tokens.values()


def test_a_promotion_that_was_begun_and_never_answered_is_taken_back_from_readers(world: World) -> None:
    old = world.current()
    prepared(world)
    context = world.context(RUN)
    staged = context.staged
    assert staged is not None
    context.ledger.begin(context.run, replace(context.steps["test"], step="promote", outcome_at="", facts={}))
    context.store.promote(context.policy.ref, RUN, staged, context.expected)
    assert world.rotate("arn:3", resume=RUN, flags="undo") == "undone"
    assert world.current() == old
    assert set(world.target.tokens.values()) == {old["token"]}
