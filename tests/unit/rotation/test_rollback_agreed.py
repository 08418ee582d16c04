"""A rollback does what was agreed to, or nothing: between the preview and the yes somebody else may have gone back."""

from __future__ import annotations

from typing import Any

import pytest

from rotation.control.desk import run_id_of
from rotation.control.table import VERBS
from rotation.errors import Refused
from rotation.phases import phase_named
from tests.model.store import MemoryStore
from tests.model.world import NAME, World

WHO = {"requested_by": "on-call", "reason": "consumers fail"}


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(MemoryStore, "dispose", lambda *_: "kept")
    made = World()
    for execution in ("arn:1", "arn:2"):
        assert made.rotate(execution) == "succeeded"
        # history is in order of start
        made.clock.advance(1)
    return made


def seen(world: World) -> dict[str, str]:
    """What `keyturn rollback` shows, as it sends it."""
    standing = VERBS["status"](world.desk, {"secrets": [NAME]})[0]
    if run_id := standing["head"]["run_id"]:
        return {"kind": "undo", "run_id": run_id, "leaves": "", "to": ""}
    leaves, to = standing["head"]["current"]["id"], standing["rollback"]["to"]
    return {"kind": "rollback", "run_id": "", "leaves": leaves, "to": to}


def ask(world: World, **more: Any) -> dict[str, str]:
    answer: dict[str, str] = VERBS["rollback"](world.desk, {"secret": NAME, **WHO, **more})
    return answer


def test_of_two_people_with_one_preview_the_second_changes_nothing(world: World) -> None:
    before = seen(world)
    ask(world, agreed=before)
    assert world.follow() == ["succeeded"]
    good = world.current()
    world.clock.advance(1)
    with pytest.raises(Refused) as refused:
        ask(world, agreed=before)
    assert refused.value.reason == "diagnosis_changed"
    assert (world.follow(), world.current()) == ([], good)


@pytest.mark.parametrize("agreed", [True, False])
def test_of_two_rollbacks_that_were_started_before_either_claimed_only_one_is_done(world: World, agreed: bool) -> None:
    before = {"agreed": seen(world)} if agreed else {}
    bad = world.current()
    for _ in range(2):
        ask(world, **before)
        world.clock.advance(1)
    assert world.follow() == ["succeeded", "failed"]
    assert world.current() != bad
    assert world.ledger.history(NAME)[-1].failure["reason"] == "diagnosis_changed"


def test_whoever_agreed_to_undo_a_run_does_not_roll_back_once_it_has_ended(world: World) -> None:
    world.clock.advance(60)
    world.retire("arn:r")
    world.enter(phase_named("claim"), "arn:3")
    before = seen(world)
    assert before["run_id"] == run_id_of("arn:3")
    ask(world)
    assert world.follow() == ["undone"]
    current = world.current()
    with pytest.raises(Refused, match="diagnosis_changed"):
        ask(world, agreed=before)
    assert (world.follow(), world.current()) == ([], current)


def test_whoever_agreed_to_go_back_does_not_undo_a_run_that_began_since(world: World) -> None:
    world.clock.advance(60)
    world.retire("arn:r")
    before = seen(world)
    world.enter(phase_named("claim"), "arn:3")
    with pytest.raises(Refused, match="diagnosis_changed"):
        ask(world, agreed=before)
    assert world.ledger.head(NAME).run_id == run_id_of("arn:3")


def test_what_is_agreed_to_in_words_that_are_no_object_is_refused(world: World) -> None:
    with pytest.raises(Refused, match="bad_event"):
        ask(world, agreed="yes")
