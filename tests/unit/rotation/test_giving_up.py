"""A retirement that was halted or lost its execution can be given up, and a rollback then leads back."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from rotation.control import repair, starts, takeover, verbs
from rotation.control.desk import run_id_of
from rotation.control.giving_up import AT_LEAST
from rotation.control.takeover import LATE
from rotation.errors import Fenced, Refused
from rotation.invocation import run_phase
from rotation.ledger.records import Overlap
from rotation.phases import Outcome, phase_named
from tests.model.store import MemoryStore
from tests.model.target import ModelIssuer
from tests.model.world import NAME, OVERLAP_S, POLICY, ModelCatalogue, World

WHO = {"requested_by": "on-call", "reason": "the new one breaks the batch job"}
RETIREMENT = run_id_of("arn:r")
# What a halted retirement may have done when a switch stops it before its next step.
BEFORE = ("witness", "revoke", "prove", "dispose")


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(MemoryStore, "dispose", lambda *_: "kept")
    made = World()
    for execution in ("arn:1", "arn:2"):
        assert made.rotate(execution) == "succeeded"
        # history is in order of start
        made.clock.advance(1)
    return made


def before_the_last(world: World) -> dict[str, str]:
    """What a rollback leads back to."""
    found = world.secret.values[int(overlap(world).old.id) - 1]
    assert found is not None
    return found.unsafe_fields()


def halted(world: World, before: str, monkeypatch: pytest.MonkeyPatch, flags: str = "") -> None:
    """A retirement that the kill switch stopped before one of its steps."""
    world.clock.advance(OVERLAP_S)
    begin = world.ledger.begin

    def engaged_before(run: object, step: object, **more: object) -> None:
        if step.step == before:  # type: ignore[attr-defined]
            world.engage()
        begin(run, step, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(world.ledger, "begin", engaged_before)
        assert world.retire("arn:r", flags=flags) == "halted"


def accepted(world: World) -> set[str]:
    return set(world.target.tokens.values())


def overlap(world: World) -> Overlap:
    found = world.ledger.head(NAME).overlap
    assert found is not None
    return found


@pytest.mark.parametrize("before", BEFORE)
def test_a_retirement_halted_before_any_step_is_given_up_and_a_rollback_leads_back_under_the_switch(
    world: World, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = before_the_last(world)
    halted(world, before, monkeypatch)
    answer = verbs.rollback(world.desk, NAME, WHO)
    assert (answer["kind"], answer["run_id"]) == ("undo", RETIREMENT)
    assert (world.machines.started, world.ledger.run(RETIREMENT)[0].status) == ([], "undone")
    assert world.ledger.head(NAME).run_id == ""
    world.clock.advance(1)
    assert verbs.rollback(world.desk, NAME, WHO)["kind"] == "rollback"
    assert world.follow() == ["succeeded"]
    assert world.current() == old
    assert old["token"] in accepted(world)


def test_what_was_given_up_is_not_started_again_before_a_person_had_time(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    halted(world, "witness", monkeypatch)
    verbs.rollback(world.desk, NAME, WHO)
    world.release()
    assert starts.sweep(world.desk) == []
    left = datetime.fromisoformat(overlap(world).retire_at) - world.clock()
    assert left == AT_LEAST
    world.clock.advance(AT_LEAST.total_seconds())
    assert starts.sweep(world.desk) == [NAME]
    assert world.follow() == ["succeeded"]


def test_a_policy_whose_overlap_is_longer_gives_as_long_a_one_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    longer = replace(POLICY, overlap_s=3 * int(AT_LEAST.total_seconds()))
    world.desk = replace(world.desk, catalogue=ModelCatalogue({NAME: longer}))  # type: ignore[arg-type]
    halted(world, "witness", monkeypatch)
    verbs.rollback(world.desk, NAME, WHO)
    assert datetime.fromisoformat(overlap(world).retire_at) - world.clock() == 3 * AT_LEAST


def test_an_overlap_whose_old_credential_may_be_dead_is_not_drawn_out(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    halted(world, "prove", monkeypatch)
    verbs.rollback(world.desk, NAME, WHO)
    before = overlap(world)
    with pytest.raises(Refused, match="overlap_ending"):
        verbs.overlap_extend(world.desk, NAME, WHO, 600)
    assert overlap(world) == before


def test_a_retirement_given_up_after_it_began_to_revoke_still_ends_with_a_proof(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    halted(world, "prove", monkeypatch)
    verbs.rollback(world.desk, NAME, WHO)
    assert overlap(world).witnessed_by == RETIREMENT
    world.release()
    world.clock.advance(AT_LEAST.total_seconds())
    assert world.retire("arn:again") == "succeeded"
    assert world.ledger.run(run_id_of("arn:again"))[1]["prove"].facts["proof"] == "dead"


def test_the_overlap_can_be_drawn_out_once_its_retirement_was_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    halted(world, "revoke", monkeypatch)
    with pytest.raises(Refused, match="claim_held"):
        verbs.overlap_extend(world.desk, NAME, WHO, 600)
    verbs.rollback(world.desk, NAME, WHO)
    before = overlap(world).retire_at
    assert verbs.overlap_extend(world.desk, NAME, WHO, 600)["retire_at"] > before


def test_it_is_kept_who_gave_it_up_and_why(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    halted(world, "revoke", monkeypatch)
    world.clock.advance(1)
    verbs.rollback(world.desk, NAME, WHO)
    newest = world.ledger.switchboard.audit()[0]
    assert (newest["verb"], newest["about"]) == ("give_up", NAME)
    assert (newest["actor"], newest["reason"]) == (WHO["requested_by"], WHO["reason"])


def test_once_the_store_began_to_dispose_of_the_old_one_it_is_refused_with_the_way_on(world: World) -> None:
    world.clock.advance(OVERLAP_S)
    for name in ("gate", "retire"):
        assert world.enter(phase_named(name), "arn:r")[0] == Outcome.PASSED
    with pytest.raises(Refused) as refused:
        verbs.rollback(world.desk, NAME, WHO)
    assert refused.value.reason == "cannot_undo"
    assert f"keyturn resume {RETIREMENT}" in refused.value.remedy
    verbs.resume(world.desk, RETIREMENT, WHO)
    assert world.follow() == ["succeeded"]


def test_what_leaked_does_not_live_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.clock.advance(OVERLAP_S)
    assert world.retire("arn:0") == "succeeded"
    world.clock.advance(1)
    assert world.rotate("arn:3", flags="emergency") == "succeeded"
    world.machines.started.clear()
    halted(world, "revoke", monkeypatch)
    with pytest.raises(Refused) as refused:
        verbs.rollback(world.desk, NAME, WHO)
    assert refused.value.reason == "old_leaked"
    assert world.ledger.head(NAME).run_id == RETIREMENT


def test_while_its_execution_runs_it_is_not_given_up(world: World) -> None:
    world.clock.advance(OVERLAP_S)
    world.enter(phase_named("gate"), "arn:r")
    world.machines.alive.add("arn:r")
    with pytest.raises(Refused, match="claim_held"):
        verbs.rollback(world.desk, NAME, WHO)


def test_a_late_invocation_of_what_was_given_up_revokes_nothing(world: World) -> None:
    world.clock.advance(OVERLAP_S)
    world.enter(phase_named("gate"), "arn:r")
    late = world.context(RETIREMENT)
    before = accepted(world)
    verbs.rollback(world.desk, NAME, WHO)
    answer = run_phase(late, phase_named("retire"))
    assert (answer["outcome"], answer["reason"]) == (Outcome.FAILED, "claim_lost")
    assert accepted(world) == before


def test_a_revoke_that_nobody_can_fence_is_waited_out(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ModelIssuer, "capabilities", replace(ModelIssuer.capabilities, fenced=False))
    world.clock.advance(OVERLAP_S)
    world.enter(phase_named("gate"), "arn:r")

    def hangs(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ModelIssuer, "revoke", hangs)
        with pytest.raises(KeyboardInterrupt):
            world.enter(phase_named("retire"), "arn:r")
    with pytest.raises(Refused, match="claim_held"):
        verbs.rollback(world.desk, NAME, WHO)
    world.clock.advance(LATE.total_seconds())
    assert verbs.rollback(world.desk, NAME, WHO)["kind"] == "undo"


def test_of_two_people_only_one_gives_it_up(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    halted(world, "revoke", monkeypatch)
    head = world.ledger.head(NAME)
    verbs.rollback(world.desk, NAME, WHO)
    monkeypatch.setattr(world.ledger, "head", lambda _: head)
    with pytest.raises((Refused, Fenced)):
        verbs.rollback(world.desk, NAME, WHO)


def named(world: World) -> str:
    """The commands that `repair` prints for it."""
    one = repair.diagnose(world.desk, NAME)["diagnoses"][0]
    return f"{one['ask']} {one['action'] or ''}"


@pytest.mark.parametrize("stopped", [True, False])
def test_repair_names_only_what_is_possible_for_a_halted_retirement(
    world: World, monkeypatch: pytest.MonkeyPatch, stopped: bool
) -> None:
    halted(world, "revoke", monkeypatch)
    if not stopped:
        world.release()
    assert f"keyturn rollback {NAME}" in named(world)
    world.release()
    assert "gives it up" in named(world)


@pytest.mark.parametrize("stopped", [True, False])
def test_repair_names_no_rollback_where_a_retirement_can_only_be_gone_on_with(world: World, stopped: bool) -> None:
    world.clock.advance(OVERLAP_S)
    for name in ("gate", "retire"):
        world.enter(phase_named(name), "arn:r")
    world._end("record_halt", phase_named("record"), "kill_switch", world.given("arn:r"))
    if stopped:
        world.engage()
    assert "resume" in named(world)
    assert "rollback" not in named(world)
    with pytest.raises(Refused) as refused:
        takeover.given_up(world.ledger, world.ledger.head(NAME))
    assert (refused.value.reason, "rollback" in refused.value.remedy) == ("run_unfinished", False)
