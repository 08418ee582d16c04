"""A run that was halted or lost its execution is continued by another one, or undone: same run, same version."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from rotation.control import claims, starts, verbs
from rotation.control.desk import run_id_of
from rotation.errors import Conflict, Refused
from rotation.ledger.records import Run
from rotation.phases import Outcome, phase_named
from tests.model.target import ModelIssuer
from tests.model.world import NAME, OVERLAP_S, PERSON, World

RUN = run_id_of("arn:2")
WHO = {"requested_by": "on-call", "reason": "go on"}
PHASES = ("claim", "prepare", "promote", "bake")


def died_after(world: World, phase: str) -> None:
    """The execution is gone: its state machine was killed between two phases."""
    for name in PHASES[: PHASES.index(phase) + 1]:
        assert world.enter(phase_named(name), "arn:2")[0] == Outcome.PASSED


def run(world: World, run_id: str = RUN) -> Run:
    return world.ledger.run(run_id)[0]


def accepted(world: World) -> set[str]:
    return set(world.target.tokens.values())


def halted(world: World) -> None:
    died_after(world, "prepare")
    world.engage()
    world._end("record_halt", phase_named("promote"), "kill_switch", world.given("arn:2"))
    assert run(world).status == "halted"


def test_a_run_that_meets_the_kill_switch_is_parked_with_its_claim(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply = ModelIssuer.apply

    def then_engaged(issuer: ModelIssuer, *arguments: object) -> None:
        apply(issuer, *arguments)  # type: ignore[arg-type]
        world.engage()

    monkeypatch.setattr(ModelIssuer, "apply", then_engaged)
    old = world.current()
    assert world.rotate("arn:2") == "halted"
    assert (run(world).failure, world.ledger.head(NAME).run_id) == ({"phase": "prepare", "reason": "kill_switch"}, RUN)
    assert world.current() == old
    assert old["token"] in accepted(world)
    with pytest.raises(Refused) as refused:
        claims._check_free(world.desk, world.ledger.head(NAME))
    assert refused.value.reason == "run_unfinished"


@pytest.mark.parametrize("phase", PHASES)
def test_a_run_killed_anywhere_is_continued_to_its_end_with_one_version(world: World, phase: str) -> None:
    died_after(world, phase)
    assert world.rotate("arn:3", resume=RUN) == "succeeded"
    ended = run(world)
    assert (ended.execution, ended.takeovers, ended.epoch) == ("arn:3", 1, 3)
    assert len(world.secret.values) == 2
    assert world.current()["token"] in accepted(world)
    head = world.ledger.head(NAME)
    assert (head.run_id, head.overlap is not None, head.leftover) == ("", True, "")


@pytest.mark.parametrize("phase", PHASES)
def test_a_run_killed_anywhere_can_be_undone(world: World, phase: str) -> None:
    old = world.current()
    died_after(world, phase)
    assert world.rotate("arn:3", resume=RUN, flags="undo") == "undone"
    assert world.current() == old
    assert accepted(world) == {old["token"]}
    assert world.secret.pending is None
    assert world.ledger.head(NAME).run_id == ""


def test_a_halted_run_resumes_when_the_switch_is_released(world: World) -> None:
    halted(world)
    assert world.rotate("arn:3", resume=RUN) == "halted", "it met the switch again"
    world.release()
    assert world.rotate("arn:4", resume=RUN) == "succeeded"


def test_a_halted_run_rolls_back_while_the_switch_is_engaged(world: World) -> None:
    old = world.current()
    halted(world)
    answer = verbs.rollback(world.desk, NAME, WHO)
    assert (answer["kind"], answer["run_id"]) == ("undo", RUN)
    assert world.follow() == ["undone"]
    assert world.current() == old
    assert accepted(world) == {old["token"]}


def test_a_run_whose_undoing_had_begun_is_undone_by_whoever_continues_it(world: World) -> None:
    old = world.current()
    died_after(world, "promote")
    world.enter(phase_named("roll_back"), "arn:2")
    assert world.rotate("arn:3", resume=RUN) == "failed"
    assert world.current() == old
    assert accepted(world) == {old["token"]}


def test_the_sweep_continues_a_run_that_lost_its_execution_once(world: World) -> None:
    died_after(world, "promote")
    assert starts.sweep(world.desk) == [], "it may still be running"
    world.clock.advance(601)
    assert starts.sweep(world.desk) == [NAME]
    ((machine, _, given),) = world.machines.started
    assert (machine, given["resume"], given["requested_by"]) == ("rotate", RUN, "sweep")
    assert world.follow() == ["succeeded"]
    assert starts.sweep(world.desk) == []


def test_the_sweep_leaves_running_and_halted_runs_alone(world: World) -> None:
    died_after(world, "prepare")
    world.clock.advance(601)
    world.machines.alive.add("arn:2")
    assert starts.sweep(world.desk) == []
    world.machines.alive.clear()
    world._end("record_halt", phase_named("promote"), "kill_switch", world.given("arn:2"))
    assert starts.sweep(world.desk) == []


def test_the_sweep_gives_up_on_a_run_that_keeps_losing_its_execution(world: World) -> None:
    died_after(world, "prepare")
    for attempt in range(starts.MAX_TAKEOVERS):
        world.clock.advance(601)
        assert starts.sweep(world.desk) == [NAME]
        assert world.enter(phase_named("claim"), world.given(f"arn:again{attempt}", resume=RUN))[0] == Outcome.PASSED
    world.clock.advance(601)
    assert starts.sweep(world.desk) == []
    assert run(world).status == "running"


def test_what_neither_store_nor_target_can_fence_waits_until_the_earlier_invocation_has_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ModelIssuer, "capabilities", replace(ModelIssuer.capabilities, fenced=False))

    def hangs(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(ModelIssuer, "apply", hangs)
    world.enter(phase_named("claim"), "arn:2")
    with pytest.raises(KeyboardInterrupt):
        world.enter(phase_named("prepare"), "arn:2")
    asked = world.request("arn:3", resume=RUN)
    assert claims.claim(world.desk, asked)["reason"] == "earlier_invocation_may_work"
    world.clock.advance(64)
    assert claims.claim(world.desk, asked)["outcome"] == Outcome.UNOBSERVED
    assert world.ledger.head(NAME).epoch == 2, "nothing was taken yet"
    world.clock.advance(1)
    assert claims.claim(world.desk, asked)["outcome"] == Outcome.PASSED


def test_a_fenced_step_is_taken_over_at_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def hangs(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(ModelIssuer, "apply", hangs)
        world.enter(phase_named("claim"), "arn:2")
        with pytest.raises(KeyboardInterrupt):
            world.enter(phase_named("prepare"), "arn:2")
    assert claims.claim(world.desk, world.request("arn:3", resume=RUN))["outcome"] == Outcome.PASSED


def refusals(world: World) -> Iterator[tuple[str, str]]:
    with pytest.raises(Refused) as refused:
        verbs.resume(world.desk, RUN, WHO)
    yield refused.value.reason, claims.claim(world.desk, world.request("arn:3", resume=RUN))["reason"]


@pytest.mark.parametrize("wanted", ["claim_held", "claim_lost", "run_ended"])
def test_what_cannot_be_continued_is_refused_with_its_reason_by_verb_and_claim(world: World, wanted: str) -> None:
    died_after(world, "claim")
    if wanted == "claim_held":
        world.machines.alive.add("arn:2")
    elif wanted == "claim_lost":
        world.ledger.amend(world.ledger.head(NAME), PERSON, run_id="another")
    else:
        world.rotate("arn:2")
    ((said, answered),) = refusals(world)
    assert (said, answered) == (wanted, wanted)


def test_an_execution_that_was_refused_to_take_over_leaves_the_run_as_it_is(world: World) -> None:
    died_after(world, "prepare")
    world.machines.alive.add("arn:2")
    before = run(world)
    world.rotate("arn:3", resume=RUN)
    assert run(world) == before


def test_the_old_execution_is_fenced_out_once_its_run_was_taken_over(world: World) -> None:
    died_after(world, "prepare")
    late = world.context(RUN)
    world.enter(phase_named("claim"), world.given("arn:3", resume=RUN))
    with pytest.raises(Exception, match="claim_lost"):
        late.ledger.begin(late.run, replace(late.steps["test"], step="promote"))


def test_a_retirement_that_lost_its_execution_is_gone_on_with(world: World) -> None:
    world.rotate("arn:2")
    world.clock.advance(OVERLAP_S)
    for name in ("gate", "retire"):
        world.enter(phase_named(name), "arn:r")
    verbs.resume(world.desk, run_id_of("arn:r"), WHO)
    assert world.follow() == ["succeeded"]
    assert world.ledger.head(NAME).overlap is None


def test_a_failed_run_that_left_its_candidate_behind_can_be_undone(world: World) -> None:
    world.target.broken = {"apply": Refused("no", "no"), "withdraw": Refused("no", "no")}
    assert world.rotate("arn:2") == "failed"
    assert world.ledger.head(NAME).leftover == RUN
    world.target.broken.clear()
    assert world.rotate("arn:3", resume=RUN, flags="undo") == "undone"
    assert (world.secret.pending, world.ledger.head(NAME).leftover) == (None, "")


def test_the_warm_up_that_has_passed_is_not_waited_for_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(claims, "from_document", lambda _: replace(world.desk.catalogue.policy(NAME), warm_up_s=100))
    died_after(world, "prepare")
    world.clock.advance(30)
    assert claims.claim(world.desk, world.request("arn:3", resume=RUN))["warm_up_s"] == 70


def test_asking_to_resume_twice_starts_one_execution(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    died_after(world, "prepare")
    names: set[str] = set()

    def start(machine: str, name: str, payload: object) -> str:
        del machine, payload
        if name in names:
            raise Conflict("used", "used")
        names.add(name)
        return f"arn:{name}"

    monkeypatch.setattr(world.machines, "start", start)
    verbs.resume(world.desk, RUN, WHO)
    assert len(names) == 1
