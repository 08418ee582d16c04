"""What storms have found about calls that come late or twice, each as its shortest story."""

from __future__ import annotations

from contextlib import suppress

import pytest
from found_stories import RUN, accepted, entered, keeps_the_value, late_promotion, promotes_late, to_rest

from rotation.control import claims
from rotation.errors import KeyturnError, Unavailable
from rotation.ledger.ledger import Ledger
from rotation.ledger.records import Run
from rotation.phases import Outcome, phase_named
from rotation.policy import Policy
from tests.model.store import MemoryStore
from tests.model.target import ModelIssuer
from tests.model.world import NAME, ModelCatalogue, World


def test_a_promotion_that_comes_between_two_steps_of_its_undoing_does_not_give_readers_a_dead_credential(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered(world, "claim", "prepare")
    late = late_promotion(world)
    withdraw = ModelIssuer.withdraw

    def after_the_late_one(*arguments: object) -> None:
        promotes_late(late)
        withdraw(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ModelIssuer, "withdraw", after_the_late_one)
    world.rotate("arn:3", resume=RUN, flags="undo")
    assert world.current()["token"] in accepted(world)


def test_a_promotion_that_comes_after_its_undoing_does_not_give_readers_a_dead_credential(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(MemoryStore, "abandon", keeps_the_value)
    entered(world, "claim", "prepare")
    late = late_promotion(world)
    assert world.rotate("arn:3", resume=RUN, flags="undo") == "undone"
    promotes_late(late)
    assert world.current()["token"] in accepted(world)


def test_a_phase_that_is_invoked_twice_at_once_leaves_no_credential_that_nobody_knows_of(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = world.current()["token"]
    entered(world, "claim")
    beside, mint = [True], ModelIssuer.mint

    def while_another_invocation_does_it_all(issuer: ModelIssuer, *arguments: object) -> object:
        minted = mint(issuer, *arguments)  # type: ignore[arg-type]
        if beside.pop() if beside else False:
            # its call was taken for lost, and is repeated while it still works
            assert world.enter(phase_named("prepare"), "arn:2")[0] == Outcome.PASSED
        return minted

    monkeypatch.setattr(ModelIssuer, "mint", while_another_invocation_does_it_all)
    with suppress(KeyturnError):
        world.enter(phase_named("prepare"), "arn:2")
    outcome, reason = world.enter(phase_named("promote"), "arn:2")
    if outcome != Outcome.PASSED:
        world._fail(phase_named("promote"), reason, world.given("arn:2"))
    known = {old, world.current()["token"]}
    assert accepted(world) <= known


def test_a_call_that_its_machine_gave_up_on_does_not_come_after_the_undoing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered(world, "claim")
    apply = ModelIssuer.apply

    def only_after_the_machine_gave_up(issuer: ModelIssuer, *arguments: object) -> None:
        monkeypatch.setattr(ModelIssuer, "apply", apply)
        world._fail(phase_named("prepare"), "prepare_broke", world.given("arn:2"))
        apply(issuer, *arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ModelIssuer, "apply", only_after_the_machine_gave_up)
    with suppress(KeyturnError):
        world.enter(phase_named("prepare"), "arn:2")
    assert accepted(world) == {world.current()["token"]}


def test_a_claim_that_is_repeated_beside_itself_does_not_take_its_own_run_for_a_lost_one(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = ModelCatalogue.policy

    def after_the_repetition(catalogue: ModelCatalogue, name: str) -> Policy:
        monkeypatch.setattr(ModelCatalogue, "policy", policy)
        entered(world, "claim", "prepare")
        return catalogue.policy(name)

    monkeypatch.setattr(ModelCatalogue, "policy", after_the_repetition)
    with suppress(KeyturnError):
        claims.claim(world.desk, world.request("arn:2"))
    assert to_rest(world)[-1] == "healthy"


def test_an_event_that_comes_again_while_its_run_is_undone_begins_nothing(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise Unavailable("target_down", "down")

    monkeypatch.setattr(MemoryStore, "abandon", keeps_the_value)
    entered(world, "claim")
    with monkeypatch.context() as patched, suppress(KeyturnError):
        patched.setattr(ModelIssuer, "apply", down)
        world.enter(phase_named("prepare"), "arn:2")
    undoing = phase_named(phase_named("prepare").on_failure)
    assert world.enter(undoing, "arn:2")[0] == Outcome.PASSED
    with suppress(KeyturnError):
        world.enter(phase_named("prepare"), "arn:2")
    world._end("record_failure", phase_named("prepare"), "prepare_broke", world.given("arn:2"))
    assert accepted(world) == {world.current()["token"]}


def refused(world: World) -> tuple[str, str]:
    return claims.claim(world.desk, world.request("arn:2"))["reason"], world.ledger.head(NAME).run_id


def test_a_claim_that_comes_after_its_refusal_was_recorded_holds_nothing(world: World) -> None:
    world._end("record_failure", phase_named("claim"), "claim_held", world.given("arn:2"))
    assert refused(world) == ("claim_held", "")


def test_a_claim_that_comes_while_its_refusal_is_recorded_is_ended_with_its_run(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = Ledger.end_unclaimed

    def after_the_late_one(ledger: Ledger, run: Run) -> None:
        monkeypatch.setattr(Ledger, "end_unclaimed", end)
        assert claims.claim(world.desk, world.request("arn:2"))["outcome"] == Outcome.PASSED
        end(ledger, run)

    monkeypatch.setattr(Ledger, "end_unclaimed", after_the_late_one)
    with pytest.raises(Unavailable):
        world._end("record_failure", phase_named("claim"), "claim_held", world.given("arn:2"))
    # the machine asks again
    world._end("record_failure", phase_named("claim"), "claim_held", world.given("arn:2"))
    assert world.ledger.head(NAME).run_id == ""
    assert to_rest(world)[-1] == "healthy"


def test_a_record_that_comes_while_the_run_is_being_undone_opens_no_overlap(world: World) -> None:
    entered(world, "claim", "prepare", "promote", "bake")
    world.clock.advance(600)
    assert world.enter(phase_named("claim"), world.given("arn:3", resume=RUN, flags="undo"))[0] == Outcome.UNDO
    world.enter(phase_named("roll_back"), world.given("arn:3", resume=RUN, flags="undo"))
    world.enter(phase_named("record"), "arn:2")
    world._end("record_failure", phase_named("claim"), "undo_asked", world.given("arn:3", resume=RUN, flags="undo"))
    assert (world.ledger.run(RUN)[0].status, world.ledger.head(NAME).overlap) == ("undone", None)
