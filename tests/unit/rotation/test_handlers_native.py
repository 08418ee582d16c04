"""Secrets Manager's four events rotate once, whatever is repeated; an event that cannot be right is refused."""

from __future__ import annotations

from typing import Any

import pytest
from function_world import TOKEN, FunctionWorld

from rotation.control import claims, repair
from rotation.errors import Halted, Refused, Unavailable
from rotation.handlers.native import NativeRotation
from rotation.ledger.records import head_key
from rotation.ledger.rows import Put
from rotation.value import SecretValue
from tests.model.world import NAME, OVERLAP_S

NEXT = "fedcba9876543210fedcba9876543210"
WHO = {"requested_by": "on-call", "reason": "alarm"}
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


def died(world: FunctionWorld, monkeypatch: pytest.MonkeyPatch, dies_at: str) -> None:
    """The process of TOKEN ends in its last step, and Secrets Manager comes with the next token."""
    for name in STEPS[:-1]:
        native(world).handle(step(name), "q")

    def unavailable(*_: object, **__: object) -> None:
        raise Unavailable("ledger_down", "no answer")

    with monkeypatch.context() as dying:
        dying.setattr(world.ledger, dies_at, unavailable)
        with pytest.raises(Unavailable):
            native(world).handle(step("finishSecret"), "q")
    monkeypatch.setattr("function_world.NativeStore.registered", NEXT)


def next_token(world: FunctionWorld, *names: str) -> None:
    for name in names:
        native(world).handle(step(name, ClientRequestToken=NEXT), "q")


@pytest.mark.parametrize("dies_at", ["promoted", "end"])
def test_a_token_that_died_after_its_promotion_is_recorded_before_the_next_one_and_its_old_credential_retired(
    world: FunctionWorld, monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    old = world.current()
    died(world, monkeypatch, dies_at)
    promoted = world.current()
    with pytest.raises(Refused) as refused:
        next_token(world, "createSecret")
    assert refused.value.reason == "overlap_open"
    assert f"keyturn overlap close {NAME}" in refused.value.remedy
    assert world.ledger.run(TOKEN)[0].status == "succeeded"
    world.clock.advance(OVERLAP_S)
    assert world.retire("arn:r") == "succeeded"
    assert old["token"] not in world.target.tokens.values()
    assert promoted["token"] in world.target.tokens.values()
    next_token(world, *STEPS)
    assert world.ledger.run(NEXT)[0].status == "succeeded"


def test_a_token_that_was_promoted_and_is_current_no_more_is_left_to_repair(
    world: FunctionWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    died(world, monkeypatch, "end")
    world.secret.current = world.secret.add(SecretValue.of({"slot": "z", "token": "somebody-elses"}))
    with pytest.raises(Refused) as refused:
        next_token(world, "createSecret")
    assert refused.value.reason == "run_unfinished"
    assert world.ledger.head(NAME).run_id == TOKEN


def test_the_next_token_takes_the_place_of_one_that_never_came_to_its_pivot_and_settles_what_it_left(
    world: FunctionWorld,
) -> None:
    for name in STEPS[:2]:
        native(world).handle(step(name), "q")
    left = world.secret.value(2).unsafe_fields()["token"]
    assert left in world.target.tokens.values()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("function_world.NativeStore.registered", NEXT)
        next_token(world, *STEPS)
        with pytest.raises(Refused) as refused:
            native(world).handle(step("testSecret", ClientRequestToken=TOKEN), "q")
        assert refused.value.reason == "token_unknown"
    given_up, _ = world.ledger.run(TOKEN)
    assert (given_up.status, given_up.failure["reason"]) == ("failed", "execution_lost")
    assert left not in world.target.tokens.values()
    assert world.ledger.run(NEXT)[0].status == "succeeded"


def test_the_next_token_waits_while_an_invocation_of_the_one_before_may_still_stage(
    world: FunctionWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hangs(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as hanging:
        hanging.setattr("function_world.NativeStore.stage", hangs)
        with pytest.raises(KeyboardInterrupt):
            native(world).handle(step("createSecret"), "q")
    monkeypatch.setattr("function_world.NativeStore.registered", NEXT)
    with pytest.raises(Unavailable, match="earlier_invocation_may_work"):
        next_token(world, "createSecret")
    world.clock.advance(65)
    next_token(world, *STEPS)
    assert world.ledger.run(NEXT)[0].status == "succeeded"


def test_a_native_rotation_takes_no_claim_from_a_ledger_that_is_of_a_backup(world: FunctionWorld) -> None:
    world.rows.table_id = "another table"
    with pytest.raises(Halted, match="ledger_restored"):
        native(world).handle(step("createSecret"), "q")
    assert len(world.secret.values) == 1


def test_a_native_claim_says_which_table_it_was_made_in(world: FunctionWorld) -> None:
    before = world.ledger.head(NAME)
    row = world.rows.get(head_key(NAME))
    assert row is not None
    world.rows.write([Put(key=head_key(NAME), row={**row, "table": ""})])
    native(world).handle(step("createSecret"), "q")
    assert world.ledger.head(NAME).table == before.table == world.rows.table_id


def resumed(world: FunctionWorld) -> list[str]:
    """Repair's safe action, walked by the machine that it starts."""
    seen = repair.diagnose(world.desk, NAME)
    repair.mend(world.desk, NAME, seen["digest"], WHO)
    return world.follow()


@pytest.mark.parametrize(("dies_at", "kind"), [("promoted", "ledger_behind"), ("end", "half_applied_target")])
def test_repair_goes_on_with_a_native_run_whose_version_is_current(
    world: FunctionWorld, monkeypatch: pytest.MonkeyPatch, dies_at: str, kind: str
) -> None:
    died(world, monkeypatch, dies_at)
    first = repair.diagnose(world.desk, NAME)["diagnoses"][0]
    assert (first["kind"], first["action"]["name"]) == (kind, "resume")
    assert resumed(world) == ["succeeded"]
    overlap = world.ledger.head(NAME).overlap
    assert overlap is not None
    assert overlap.run_id == TOKEN
    native(world).handle(step("finishSecret"), "q")
    assert len(world.secret.values) == 2


def test_a_native_run_that_secrets_manager_may_still_drive_is_for_a_person_with_the_commands_that_decide(
    world: FunctionWorld,
) -> None:
    native(world).handle(step("createSecret"), "q")
    first = repair.diagnose(world.desk, NAME)["diagnoses"][0]
    assert (first["kind"], first["action"]) == ("undecidable", None)
    assert first["ask"] == (
        f"aws secretsmanager describe-secret --secret-id {NAME}",
        f"keyturn resume {TOKEN}",
        f"keyturn rollback {NAME}",
    )
    with pytest.raises(Refused, match="undecidable"):
        resumed(world)


def test_a_native_run_whose_token_is_pending_no_more_is_taken_back(world: FunctionWorld) -> None:
    before = world.current()
    for name in STEPS[:2]:
        native(world).handle(step(name), "q")
    world.secret.pending = None
    first = repair.diagnose(world.desk, NAME)["diagnoses"][0]
    assert (first["kind"], first["action"]["name"]) == ("half_applied_target", "undo")
    assert resumed(world) == ["undone"]
    assert world.current() == before
    assert set(world.target.tokens.values()) == {before["token"]}


def test_a_run_that_a_machine_goes_on_with_is_secrets_managers_no_more(world: FunctionWorld) -> None:
    native(world).handle(step("createSecret"), "q")
    assert claims.claim(world.desk, world.request("arn:on", resume=TOKEN))["outcome"] == "passed"
    with pytest.raises(Refused, match="claim_held"):
        native(world).handle(step("setSecret"), "q")
    assert "apply" not in world.ledger.run(TOKEN)[1]


def test_a_native_run_that_was_taken_back_is_not_reported_as_rotated(world: FunctionWorld) -> None:
    native(world).handle(step("createSecret"), "q")
    assert world.rotate("arn:undo", resume=TOKEN, flags="undo") == "undone"
    with pytest.raises(Refused, match="run_ended"):
        native(world).handle(step("testSecret"), "q")
