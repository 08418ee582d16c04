"""Secrets Manager's four events rotate once, whatever is repeated; an event that cannot be right is refused."""

from __future__ import annotations

from typing import Any

import pytest
from function_world import TOKEN, FunctionWorld

from rotation.control import claims
from rotation.errors import Refused, Unavailable
from rotation.handlers.native import NativeRotation
from tests.model.world import NAME

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")


def native(world: FunctionWorld) -> NativeRotation:
    return NativeRotation(world.function, lambda _: world.desk.catalogue)


def step(name: str, **changes: Any) -> dict[str, Any]:
    event = {"Step": name, "SecretId": NAME, "ClientRequestToken": TOKEN, **changes}
    return {key: value for key, value in event.items() if value is not None}


def test_the_four_events_rotate_once_however_often_each_is_sent(world: FunctionWorld) -> None:
    old = world.current()
    for name in STEPS:
        for _ in range(2):
            native(world).handle(step(name), "q")
    assert world.current() != old
    assert len(world.secret.values) == 2
    run, steps = world.ledger.run(TOKEN)
    assert (run.status, run.requested_by) == ("succeeded", "secretsmanager.amazonaws.com")
    assert set(steps) == {"stage", "apply", "test", "promote"}
    overlap = world.ledger.head(NAME).overlap
    assert overlap is not None
    assert overlap.run_id == TOKEN


def test_the_whole_native_process_repeated_after_its_end_changes_nothing(world: FunctionWorld) -> None:
    for name in STEPS:
        native(world).handle(step(name), "q")
    now, effects = world.current(), list(world.target.effects)
    for name in STEPS:
        native(world).handle(step(name), "q")
    assert (world.current(), world.target.effects) == (now, effects)


@pytest.mark.parametrize("dies_at", ["promoted", "end"])
def test_a_finish_that_died_after_the_label_move_is_finished_by_its_repetition(
    world: FunctionWorld, monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    old = world.current()
    for name in STEPS[:-1]:
        native(world).handle(step(name), "q")

    def unavailable(*_: object, **__: object) -> None:
        raise Unavailable("ledger_down", "no answer")

    with monkeypatch.context() as dying:
        dying.setattr(world.ledger, dies_at, unavailable)
        with pytest.raises(Unavailable):
            native(world).handle(step("finishSecret"), "q")
    assert world.current() != old, "it died before the label move"
    assert world.ledger.run(TOKEN)[0].status == "running"
    for name in STEPS:
        native(world).handle(step(name), "q")
    assert world.ledger.run(TOKEN)[0].status == "succeeded"
    head = world.ledger.head(NAME)
    assert head.overlap is not None, "nothing will retire the old credential"
    assert (head.overlap.run_id, head.run_id) == (TOKEN, "")
    assert len(world.secret.values) == 2, "the repetition minted again"


def test_a_token_made_current_by_somebody_else_is_done(world: FunctionWorld) -> None:
    assert world.secret.current is not None
    world.secret.runs[TOKEN] = world.secret.current
    before = world.current(), list(world.target.effects)
    native(world).handle(step("finishSecret"), "q")
    assert (world.current(), world.target.effects) == before
    assert world.ledger.head(NAME).overlap is None


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        (step("dropSecret"), "unknown_step"),
        (step("createSecret", SecretId=None), "bad_event"),
        (step("createSecret", ClientRequestToken=""), "bad_event"),
        (step("createSecret", Step=7), "bad_event"),
    ],
)
def test_a_native_event_that_cannot_be_right_is_refused(
    world: FunctionWorld, event: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused) as caught:
        native(world).handle(event, "q")
    assert caught.value.reason == reason


def test_a_native_rotation_is_refused_where_it_is_off_unknown_or_meets_a_run(
    world: FunctionWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims.claim(world.desk, world.request("arn:running"))
    with pytest.raises(Refused, match="claim_held"):
        native(world).handle(step("createSecret"), "q")
    monkeypatch.setattr("function_world.NativeStore.labelled", False)
    with pytest.raises(Refused, match="token_unknown"):
        native(world).handle(step("createSecret"), "q")
    monkeypatch.setattr("function_world.NativeStore.enabled", False)
    with pytest.raises(Refused, match="rotation_not_enabled"):
        native(world).handle(step("createSecret"), "q")
    assert len(world.secret.values) == 1


def test_a_native_step_that_does_not_pass_is_raised_so_that_the_service_repeats(world: FunctionWorld) -> None:
    with pytest.raises(Refused, match="the step setSecret did not pass"):
        native(world).handle(step("setSecret"), "q")
