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


def native(functions: FunctionWorld) -> NativeRotation:
    return NativeRotation(functions.function, lambda _: functions.desk.catalogue)


def step(name: str, **changes: Any) -> dict[str, Any]:
    event = {"Step": name, "SecretId": NAME, "ClientRequestToken": TOKEN, **changes}
    return {key: value for key, value in event.items() if value is not None}


def test_the_four_events_rotate_once_however_often_each_is_sent(functions: FunctionWorld) -> None:
    old = functions.current()
    for name in STEPS:
        for _ in range(2):
            native(functions).handle(step(name), "q")
    assert functions.current() != old
    assert len(functions.secret.values) == 2
    run, steps = functions.ledger.run(TOKEN)
    assert (run.status, run.requested_by) == ("succeeded", "secretsmanager.amazonaws.com")
    assert set(steps) == {"stage", "apply", "test", "promote"}
    overlap = functions.ledger.head(NAME).overlap
    assert overlap is not None
    assert overlap.run_id == TOKEN


def test_the_whole_native_process_repeated_after_its_end_changes_nothing(functions: FunctionWorld) -> None:
    for name in STEPS:
        native(functions).handle(step(name), "q")
    now, effects = functions.current(), list(functions.target.effects)
    for name in STEPS:
        native(functions).handle(step(name), "q")
    assert (functions.current(), functions.target.effects) == (now, effects)


@pytest.mark.parametrize("dies_at", ["promoted", "end"])
def test_a_finish_that_died_after_the_label_move_is_finished_by_its_repetition(
    functions: FunctionWorld, monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    old = functions.current()
    for name in STEPS[:-1]:
        native(functions).handle(step(name), "q")

    def unavailable(*_: object, **__: object) -> None:
        raise Unavailable("ledger_down", "no answer")

    with monkeypatch.context() as dying:
        dying.setattr(functions.ledger, dies_at, unavailable)
        with pytest.raises(Unavailable):
            native(functions).handle(step("finishSecret"), "q")
    assert functions.current() != old, "it died before the label move"
    assert functions.ledger.run(TOKEN)[0].status == "running"
    for name in STEPS:
        native(functions).handle(step(name), "q")
    assert functions.ledger.run(TOKEN)[0].status == "succeeded"
    head = functions.ledger.head(NAME)
    assert head.overlap is not None, "nothing will retire the old credential"
    assert (head.overlap.run_id, head.run_id) == (TOKEN, "")
    assert len(functions.secret.values) == 2, "the repetition minted again"


def test_a_token_made_current_by_somebody_else_is_done(functions: FunctionWorld) -> None:
    assert functions.secret.current is not None
    functions.secret.runs[TOKEN] = functions.secret.current
    before = functions.current(), list(functions.target.effects)
    native(functions).handle(step("finishSecret"), "q")
    assert (functions.current(), functions.target.effects) == before
    assert functions.ledger.head(NAME).overlap is None


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
    functions: FunctionWorld, event: dict[str, Any], reason: str
) -> None:
    with pytest.raises(Refused) as caught:
        native(functions).handle(event, "q")
    assert caught.value.reason == reason


def test_a_native_rotation_is_refused_where_it_is_off_unknown_or_meets_a_run(
    functions: FunctionWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims.claim(functions.desk, functions.request("arn:running"))
    with pytest.raises(Refused, match="claim_held"):
        native(functions).handle(step("createSecret"), "q")
    monkeypatch.setattr("function_world.NativeStore.labelled", False)
    with pytest.raises(Refused, match="token_unknown"):
        native(functions).handle(step("createSecret"), "q")
    monkeypatch.setattr("function_world.NativeStore.enabled", False)
    with pytest.raises(Refused, match="rotation_not_enabled"):
        native(functions).handle(step("createSecret"), "q")
    assert len(functions.secret.values) == 1


def test_a_native_step_that_does_not_pass_is_raised_so_that_the_service_repeats(functions: FunctionWorld) -> None:
    with pytest.raises(Refused, match="the step setSecret did not pass"):
        native(functions).handle(step("setSecret"), "q")


def died(functions: FunctionWorld, monkeypatch: pytest.MonkeyPatch, dies_at: str) -> None:
    """The process of TOKEN ends in its last step, and Secrets Manager comes with the next token."""
    for name in STEPS[:-1]:
        native(functions).handle(step(name), "q")

    def unavailable(*_: object, **__: object) -> None:
        raise Unavailable("ledger_down", "no answer")

    with monkeypatch.context() as dying:
        dying.setattr(functions.ledger, dies_at, unavailable)
        with pytest.raises(Unavailable):
            native(functions).handle(step("finishSecret"), "q")
    monkeypatch.setattr("function_world.NativeStore.registered", NEXT)


def next_token(functions: FunctionWorld, *names: str) -> None:
    for name in names:
        native(functions).handle(step(name, ClientRequestToken=NEXT), "q")


@pytest.mark.parametrize("dies_at", ["promoted", "end"])
def test_a_token_that_died_after_its_promotion_is_recorded_before_the_next_one_and_its_old_credential_retired(
    functions: FunctionWorld, monkeypatch: pytest.MonkeyPatch, dies_at: str
) -> None:
    old = functions.current()
    died(functions, monkeypatch, dies_at)
    promoted = functions.current()
    with pytest.raises(Refused) as refused:
        next_token(functions, "createSecret")
    assert refused.value.reason == "overlap_open"
    assert f"keyturn overlap close {NAME}" in refused.value.remedy
    assert functions.ledger.run(TOKEN)[0].status == "succeeded"
    functions.clock.advance(OVERLAP_S)
    assert functions.retire("arn:r") == "succeeded"
    assert old["token"] not in functions.target.tokens.values()
    assert promoted["token"] in functions.target.tokens.values()
    next_token(functions, *STEPS)
    assert functions.ledger.run(NEXT)[0].status == "succeeded"


def test_a_token_that_was_promoted_and_is_current_no_more_is_left_to_repair(
    functions: FunctionWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    died(functions, monkeypatch, "end")
    functions.secret.current = functions.secret.add(SecretValue.of({"slot": "z", "token": "somebody-elses"}))
    with pytest.raises(Refused) as refused:
        next_token(functions, "createSecret")
    assert refused.value.reason == "run_unfinished"
    assert functions.ledger.head(NAME).run_id == TOKEN


def test_the_next_token_takes_the_place_of_one_that_never_came_to_its_pivot_and_settles_what_it_left(
    functions: FunctionWorld,
) -> None:
    for name in STEPS[:2]:
        native(functions).handle(step(name), "q")
    left = functions.secret.value(2).unsafe_fields()["token"]
    assert left in functions.target.tokens.values()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("function_world.NativeStore.registered", NEXT)
        next_token(functions, *STEPS)
        with pytest.raises(Refused) as refused:
            native(functions).handle(step("testSecret", ClientRequestToken=TOKEN), "q")
        assert refused.value.reason == "token_unknown"
    given_up, _ = functions.ledger.run(TOKEN)
    assert (given_up.status, given_up.failure["reason"]) == ("failed", "execution_lost")
    assert left not in functions.target.tokens.values()
    assert functions.ledger.run(NEXT)[0].status == "succeeded"


def test_the_next_token_waits_while_an_invocation_of_the_one_before_may_still_stage(
    functions: FunctionWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    def hangs(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as hanging:
        hanging.setattr("function_world.NativeStore.stage", hangs)
        with pytest.raises(KeyboardInterrupt):
            native(functions).handle(step("createSecret"), "q")
    monkeypatch.setattr("function_world.NativeStore.registered", NEXT)
    with pytest.raises(Unavailable, match="earlier_invocation_may_work"):
        next_token(functions, "createSecret")
    functions.clock.advance(65)
    next_token(functions, *STEPS)
    assert functions.ledger.run(NEXT)[0].status == "succeeded"


def test_a_native_rotation_takes_no_claim_from_a_ledger_that_is_of_a_backup(functions: FunctionWorld) -> None:
    functions.rows.table_id = "another table"
    with pytest.raises(Halted, match="ledger_restored"):
        native(functions).handle(step("createSecret"), "q")
    assert len(functions.secret.values) == 1


def test_a_native_claim_says_which_table_it_was_made_in(functions: FunctionWorld) -> None:
    before = functions.ledger.head(NAME)
    row = functions.rows.get(head_key(NAME))
    assert row is not None
    functions.rows.write([Put(key=head_key(NAME), row={**row, "table": ""})])
    native(functions).handle(step("createSecret"), "q")
    assert functions.ledger.head(NAME).table == before.table == functions.rows.table_id


def resumed(functions: FunctionWorld) -> list[str]:
    """Repair's safe action, walked by the machine that it starts."""
    seen = repair.diagnose(functions.desk, NAME)
    repair.mend(functions.desk, NAME, seen["digest"], WHO)
    return functions.follow()


@pytest.mark.parametrize(("dies_at", "kind"), [("promoted", "ledger_behind"), ("end", "half_applied_target")])
def test_repair_goes_on_with_a_native_run_whose_version_is_current(
    functions: FunctionWorld, monkeypatch: pytest.MonkeyPatch, dies_at: str, kind: str
) -> None:
    died(functions, monkeypatch, dies_at)
    first = repair.diagnose(functions.desk, NAME)["diagnoses"][0]
    assert (first["kind"], first["action"]["name"]) == (kind, "resume")
    assert resumed(functions) == ["succeeded"]
    overlap = functions.ledger.head(NAME).overlap
    assert overlap is not None
    assert overlap.run_id == TOKEN
    native(functions).handle(step("finishSecret"), "q")
    assert len(functions.secret.values) == 2


def test_a_native_run_that_secrets_manager_may_still_drive_is_for_a_person_with_the_commands_that_decide(
    functions: FunctionWorld,
) -> None:
    native(functions).handle(step("createSecret"), "q")
    first = repair.diagnose(functions.desk, NAME)["diagnoses"][0]
    assert (first["kind"], first["action"]) == ("undecidable", None)
    assert first["ask"] == (
        f"aws secretsmanager describe-secret --secret-id {NAME}",
        f"keyturn resume {TOKEN}",
        f"keyturn rollback {NAME}",
    )
    with pytest.raises(Refused, match="undecidable"):
        resumed(functions)


def test_a_native_run_whose_token_is_pending_no_more_is_taken_back(functions: FunctionWorld) -> None:
    before = functions.current()
    for name in STEPS[:2]:
        native(functions).handle(step(name), "q")
    functions.secret.pending = None
    first = repair.diagnose(functions.desk, NAME)["diagnoses"][0]
    assert (first["kind"], first["action"]["name"]) == ("half_applied_target", "undo")
    assert resumed(functions) == ["undone"]
    assert functions.current() == before
    assert set(functions.target.tokens.values()) == {before["token"]}


def test_a_run_that_a_machine_goes_on_with_is_secrets_managers_no_more(functions: FunctionWorld) -> None:
    native(functions).handle(step("createSecret"), "q")
    assert claims.claim(functions.desk, functions.request("arn:on", resume=TOKEN))["outcome"] == "passed"
    with pytest.raises(Refused, match="claim_held"):
        native(functions).handle(step("setSecret"), "q")
    assert "apply" not in functions.ledger.run(TOKEN)[1]


def test_a_native_run_that_was_taken_back_is_not_reported_as_rotated(functions: FunctionWorld) -> None:
    native(functions).handle(step("createSecret"), "q")
    assert functions.rotate("arn:undo", resume=TOKEN, flags="undo") == "undone"
    with pytest.raises(Refused, match="run_ended"):
        native(functions).handle(step("testSecret"), "q")
