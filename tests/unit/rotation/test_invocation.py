"""A process that dies at any call of a run, before or after its effect, changes nothing about how the run ends."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
from crashing_world import CrashingWorld

from rotation.contract import Verdict, Version
from rotation.control.desk import run_id_of
from rotation.errors import Denied, Fenced, Unavailable
from rotation.invocation import run_phase
from rotation.ledger.records import Run, StepRecord
from rotation.phases import UNDO, Outcome, phase_named
from tests.model.world import NAME, OVERLAP_S, World

# Above every count of calls below; a walk that is longer than this is a loop.
MOST_CALLS = 200


@dataclass(frozen=True)
class Ending:
    """What is left when all is over, in terms that two walks of the same story share."""

    status: str
    current: int | None
    versions: int
    pending: int | None
    accepted: frozenset[str]
    epoch: int
    claim: str
    head_current: Version | None
    overlap: tuple[Version, Version] | None
    steps: frozenset[str]
    failure: tuple[tuple[str, str], ...]
    history: tuple[tuple[str, str], ...]


def story_of(execution: str, world: CrashingWorld) -> tuple[Run, dict[str, StepRecord]]:
    return world.whole_ledger.run(run_id_of(execution))


def ending(world: CrashingWorld, status: str, execution: str) -> Ending:
    head = world.whole_ledger.head(NAME)
    run, steps = story_of(execution, world)
    slots = {token: slot for slot, token in world.target.tokens.items()}
    return Ending(
        status=status,
        current=world.secret.current,
        versions=len(world.secret.values),
        pending=world.secret.pending,
        accepted=frozenset(slots.values()),
        epoch=head.epoch,
        claim=head.run_id + head.execution,
        head_current=head.current,
        overlap=(head.overlap.old, head.overlap.new) if head.overlap else None,
        steps=frozenset(name for name, step in steps.items() if step.done),
        failure=tuple(sorted(run.failure.items())),
        history=tuple((found.run_id, found.status) for found in world.whole_ledger.history(NAME)),
    )


def with_a_value(world: CrashingWorld) -> None:
    assert world.rotate("arn:first") == "succeeded"


def in_overlap(world: CrashingWorld) -> None:
    with_a_value(world)
    assert world.rotate("arn:second") == "succeeded"
    world.clock.advance(OVERLAP_S)


def refused(world: CrashingWorld) -> None:
    with_a_value(world)
    world.target.broken["probe"] = Verdict.REFUSED


def unhealthy(world: CrashingWorld) -> None:
    with_a_value(world)
    world.target.broken["check"] = Verdict.REFUSED


def denied(world: CrashingWorld) -> None:
    with_a_value(world)
    world.target.broken["apply"] = Denied("target_denied", "no")


# Phases that the machine enters when others have failed.
UNDOING = {*(phase.name for phase in UNDO), "record_failure"}

Walk = Callable[[CrashingWorld], str]
# what came before, the walk, how it ends
STORIES: dict[str, tuple[Callable[[CrashingWorld], None], Walk, str]] = {
    "first value": (lambda _: None, lambda w: w.rotate("arn:x"), "succeeded"),
    "rotation": (with_a_value, lambda w: w.rotate("arn:x"), "succeeded"),
    "retirement": (in_overlap, lambda w: w.retire("arn:x"), "succeeded"),
    "compensation after a refused test": (refused, lambda w: w.rotate("arn:x"), "failed"),
    "compensation after a denied apply": (denied, lambda w: w.rotate("arn:x"), "failed"),
    "roll-back after bad health": (unhealthy, lambda w: w.rotate("arn:x"), "failed"),
}


def walked(story: str, at: int = 0, *, after: bool = False) -> tuple[CrashingWorld, Ending]:
    before, walk, _ = STORIES[story]
    world = CrashingWorld()
    before(world)
    # history is in order of start
    world.clock.advance(1)
    world.spring(at, after=after)
    return world, ending(world, walk(world), "arn:x")


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("story", STORIES)
def test_a_run_that_dies_at_any_call_ends_as_one_that_never_did(
    story: str, after: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    _, undisturbed = walked(story)
    assert undisturbed.status == STORIES[story][2]
    points: list[str] = []
    while len(points) < MOST_CALLS:
        world, ended = walked(story, len(points) + 1, after=after)
        if not world.trap.sprung:
            break
        points.append(world.trap.sprung)
        assert ended == undisturbed, f"died {points[-1]}, call {len(points)}"
        check_target_and_store(world)
    assert len(points) < MOST_CALLS
    # the walk went through ledger, store and target, or the traps are not where the effects are
    assert {point.split()[1].split(".")[0] for point in points} >= {"ledger", "store", "target"}
    with capsys.disabled():
        print(f"\n  {story}: died {len(points)} times {'after' if after else 'before'} a call", end="")  # noqa: T201


def check_target_and_store(world: CrashingWorld) -> None:
    """What readers get is accepted, and the target accepts nothing that the store could not show."""
    assert world.current()["token"] in world.target.tokens.values()
    kept = [value.unsafe_fields()["token"] for value in world.secret.values if value]
    assert set(world.target.tokens.values()) <= set(kept)
    assert len(world.secret.runs) == len(world.secret.values), "a run made two versions"


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("story", STORIES)
def test_a_run_whose_retries_are_spent_at_any_call_leaves_nothing_that_nobody_knows_of(
    story: str, after: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    before, walk, _ = STORIES[story]
    for at in range(1, MOST_CALLS):
        world = CrashingWorld(gives_up=True)
        before(world)
        world.clock.advance(1)
        world.spring(at, after=after)
        walk(world)
        if not world.trap.sprung:
            break
        where = f"{world.trap.sprung}, call {at}, in {world.died_in}"
        if story_of("arn:x", world)[0].status == "stuck":
            # the sweep takes it up again
            world.trap.at = 0
            machine = story_of("arn:x", world)[0].machine
            assert world.walk(machine, "arn:again", resume=run_id_of("arn:x")) in ("succeeded", "failed"), where
        if world.died_in in UNDOING:
            check_what_is_left_is_named(world, where)
        else:
            check_nothing_is_forgotten(world, where)
    assert 1 < at < MOST_CALLS - 1
    with capsys.disabled():
        print(f"\n  {story}: gave up {at - 1} times {'after' if after else 'before'} a call", end="")  # noqa: T201


def check_what_is_left_is_named(world: CrashingWorld, where: str) -> None:
    """An undoing phase gave up: readers get something that is accepted, and the run says what was not undone."""
    assert world.current()["token"] in world.target.tokens.values(), where
    run, _ = story_of("arn:x", world)
    if run.status == "running":
        # its execution has ended, so its claim is free
        assert world.died_in == "record_failure", where
    elif "not_undone" not in run.failure:
        check_nothing_is_forgotten(world, where)


def check_nothing_is_forgotten(world: CrashingWorld, where: str) -> None:
    """Every credential that is accepted is the current one, or the old one of an overlap that the sweep will find."""
    head = world.whole_ledger.head(NAME)
    known = {int(head.overlap.old.id), int(head.overlap.new.id)} if head.overlap else set()
    if world.secret.current:
        known.add(world.secret.current)
    values = [world.secret.values[number - 1] for number in known]
    tokens = {value.unsafe_fields()["token"] for value in values if value}
    assert set(world.target.tokens.values()) <= tokens, where
    if world.secret.current:
        assert world.current()["token"] in world.target.tokens.values(), where
        assert head.current == Version(id=str(world.secret.current)), where
    assert world.secret.pending is None, where
    next_one = world.enter(phase_named("gate" if head.overlap else "claim"), "arn:next")
    assert next_one in ((Outcome.PASSED, ""), (Outcome.FAILED, "overlap_not_over")), where


def test_an_undisturbed_rotation_and_retirement_leave_one_version_that_is_accepted() -> None:
    world, ended = walked("retirement")
    assert (ended.current, ended.versions, ended.pending, ended.overlap, ended.claim) == (2, 2, None, None, "")
    assert set(world.target.tokens.values()) == {world.current()["token"]}


@pytest.fixture
def world() -> World:
    made = World()
    assert made.rotate("arn:first") == "succeeded"
    made.enter(phase_named("claim"), "arn:x")
    return made


def prepared(world: World) -> dict[str, StepRecord]:
    return world.ledger.run(run_id_of("arn:x"))[1]


def test_a_phase_that_is_done_is_answered_from_the_ledger_without_a_call(world: World) -> None:
    assert world.enter(phase_named("prepare"), "arn:x") == (Outcome.PASSED, "")
    before, steps = world.meter.totals(), prepared(world)
    assert world.enter(phase_named("prepare"), "arn:x") == (Outcome.PASSED, "")
    assert world.meter.totals() == before
    assert prepared(world) == steps


def test_a_failed_step_is_answered_again_and_not_repeated(world: World) -> None:
    world.target.broken["probe"] = Verdict.REFUSED
    assert world.enter(phase_named("prepare"), "arn:x") == (Outcome.FAILED, "test_refused")
    world.target.broken.clear()
    assert world.enter(phase_named("prepare"), "arn:x") == (Outcome.FAILED, "test_refused")


def test_each_step_records_intent_outcome_and_the_calls_it_made(world: World) -> None:
    world.enter(phase_named("prepare"), "arn:x")
    steps = prepared(world)
    assert list(steps) == ["apply", "stage", "test"]
    assert all(step.done and step.phase == "prepare" and step.attempts == 1 for step in steps.values())
    assert steps["stage"].calls == {"read": 1, "write": 1}
    assert steps["stage"].intent["from_version"] == "1"
    assert steps["test"].facts["verdict"] == "accepted"


def test_a_refusal_is_recorded_with_reason_and_message(world: World) -> None:
    world.target.broken["apply"] = Denied("target_denied", "the authority may not")
    assert world.enter(phase_named("prepare"), "arn:x") == (Outcome.FAILED, "target_denied")
    assert prepared(world)["apply"].facts == {
        "outcome": "failed",
        "reason": "target_denied",
        "message": "the authority may not",
    }
    assert "test" not in prepared(world)


def test_a_run_whose_claim_is_lost_stops_without_a_further_effect(world: World) -> None:
    context = world.context(run_id_of("arn:x"))
    world.enter(phase_named("claim"), "arn:newer")
    effects, versions = list(world.target.effects), len(world.secret.values)
    assert run_phase(context, phase_named("prepare")) == {"outcome": "failed", "reason": "claim_lost"}
    assert (world.target.effects, len(world.secret.values)) == (effects, versions)


def test_a_claim_lost_during_an_effect_is_answered_though_nothing_can_be_written(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    context = world.context(run_id_of("arn:x"))
    world.target.broken["apply"] = Fenced("stale_generation", "a newer run touched this slot")
    act = context.issuer.apply

    def meanwhile(*arguments: object) -> None:
        world.enter(phase_named("claim"), "arn:newer")
        act(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(context.issuer, "apply", meanwhile)
    assert run_phase(context, phase_named("prepare")) == {"outcome": "failed", "reason": "stale_generation"}
    assert not prepared(world)["apply"].done


def test_an_engaged_switch_is_an_outcome_of_its_own_and_resumes_where_it_stopped(world: World) -> None:
    world.engage()
    assert world.enter(phase_named("prepare"), "arn:x") == (Outcome.HALTED, "kill_switch")
    assert prepared(world) == {}
    world.release()
    assert world.enter(phase_named("prepare"), "arn:x") == (Outcome.PASSED, "")


def test_what_may_pass_is_raised_and_leaves_the_intent_open(world: World) -> None:
    world.target.broken["apply"] = Unavailable("target_down", "no answer")
    with pytest.raises(Unavailable):
        world.enter(phase_named("prepare"), "arn:x")
    assert not prepared(world)["apply"].done
    world.target.broken.clear()
    assert world.enter(phase_named("prepare"), "arn:x") == (Outcome.PASSED, "")
    assert prepared(world)["apply"].attempts == 2


def test_a_promotion_that_meets_a_moved_pointer_overwrites_nothing(world: World) -> None:
    world.enter(phase_named("prepare"), "arn:x")
    world.secret.current = world.secret.add(world.secret.value(1))
    assert world.enter(phase_named("promote"), "arn:x") == (Outcome.FAILED, "current_moved")
    assert world.secret.current == 3


def test_an_overlap_is_not_ended_while_readers_get_something_else_than_the_new_one() -> None:
    world = CrashingWorld()
    in_overlap(world)
    accepted = dict(world.target.tokens)
    world.secret.current = 1
    assert world.retire("arn:x") == "failed"
    assert story_of("arn:x", world)[0].failure["reason"] == "readers_not_on_new"
    assert world.target.tokens == accepted
