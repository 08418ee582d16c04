"""What storms have found about runs that could not end, each as its shortest story."""

from __future__ import annotations

import pytest
from found_stories import RUN, WHO, accepted, entered, stranger_points_readers_elsewhere, to_rest

from rotation.control import verbs
from rotation.errors import Unavailable
from rotation.phases import Outcome, phase_named
from tests.model.store import MemoryStore
from tests.model.world import NAME, OVERLAP_S, World


def test_an_undoing_ends_where_a_stranger_has_moved_readers_meanwhile(world: World) -> None:
    entered(world, "claim", "prepare", "promote")
    stranger_points_readers_elsewhere(world)
    verbs.rollback(world.desk, NAME, WHO)
    world.follow()
    assert to_rest(world)[-1] == "healthy"
    assert world.current()["token"] == "somebody-elses"


def test_a_candidate_left_behind_by_a_lost_run_can_be_cleared_after_the_next_run_failed_early(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered(world, "claim", "prepare")

    def down(*_: object) -> None:
        raise Unavailable("store_down", "down")

    # the next rotation takes the claim of the lost one, and fails before it stages anything
    entered(world, "claim", execution="arn:3")
    with monkeypatch.context() as patched:
        patched.setattr(MemoryStore, "observe", down)
        with pytest.raises(Unavailable):
            world.enter(phase_named("prepare"), "arn:3")
    world._fail(phase_named("prepare"), "prepare_broke", world.given("arn:3"))
    assert world.ledger.head(NAME).leftover == RUN
    assert to_rest(world)[-1] == "healthy"


def test_a_retirement_that_broke_off_after_it_disposed_of_the_old_version_can_be_ended(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.rotate("arn:2") == "succeeded"
    world.clock.advance(OVERLAP_S)
    dispose = MemoryStore.dispose

    def unanswered(*arguments: object) -> str:
        dispose(*arguments)  # type: ignore[arg-type]
        raise Unavailable("no_answer", "no answer")

    entered(world, "gate", execution="arn:r")
    with monkeypatch.context() as patched:
        patched.setattr(MemoryStore, "dispose", unanswered)
        with pytest.raises(Unavailable):
            world.enter(phase_named("retire"), "arn:r")
    # retries spent
    world._fail(phase_named("retire"), "retire_broke", world.given("arn:r"))
    assert to_rest(world)[-1] == "healthy"
    assert world.ledger.head(NAME).overlap is None


def test_a_rotation_after_a_stranger_moved_readers_forgets_no_valid_credential(world: World) -> None:
    assert world.rotate("arn:2") == "succeeded"
    world.clock.advance(OVERLAP_S)
    assert world.retire("arn:r") == "succeeded"
    ours = world.current()["token"]
    stranger_points_readers_elsewhere(world)
    world.rotate("arn:3")
    to_rest(world)
    world.clock.advance(OVERLAP_S)
    to_rest(world)
    assert ours not in accepted(world)


def test_a_rotation_that_died_after_it_settled_a_lost_run_can_be_repeated(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    entered(world, "claim", "prepare")
    entered(world, "claim", execution="arn:3")

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(MemoryStore, "observe", dies)
        with pytest.raises(KeyboardInterrupt):
            world.enter(phase_named("prepare"), "arn:3")
    entered(world, "prepare", "promote", "bake", "record", execution="arn:3")
    assert world.ledger.head(NAME).leftover == ""


def test_an_undoing_that_met_a_stranger_leaves_the_version_before_known(world: World) -> None:
    old = world.current()["token"]
    entered(world, "claim", "prepare", "promote")
    stranger_points_readers_elsewhere(world)
    world._fail(phase_named("promote"), "promote_broke", world.given("arn:2"))
    to_rest(world)
    world.clock.advance(OVERLAP_S)
    to_rest(world)
    assert old not in accepted(world)


def test_a_promoted_run_whose_continuation_breaks_in_an_early_phase_keeps_readers_on_what_works(world: World) -> None:
    entered(world, "claim", "prepare", "promote")
    given = world.given("arn:3", resume=RUN)
    assert world.enter(phase_named("claim"), given)[0] == Outcome.PASSED
    # every attempt of the phase was lost, before it could see that its steps are done
    world._fail(phase_named("prepare"), "prepare_broke", given)
    assert world.current()["token"] in accepted(world)
    assert to_rest(world)[-1] == "healthy"
