"""What `keyturn rotate` does and shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Never

import pytest
from command_bench import Command, PutModel
from control_model import Secret

from keyturn.journey import Journey

POSTGRES, TOKEN = "payments/postgres", "partners/api-token"


def test_a_rotation_ends_with_new_accepted_and_old_refused_and_the_targets_own_code(
    command: Command, model: PutModel
) -> None:
    model(Secret(POSTGRES, current="v1"))
    ended = command("rotate", POSTGRES, "--json")
    row = ended.document["rotations"][0]
    assert ended.code == 0
    assert ended.document["ok"] is True
    assert row["proof"] == "new accepted, old refused (28P01)"
    assert (row["old"], row["new"], row["outcome"]) == ("v1", "rotate1-payments-postgres", "rotated")


def test_the_table_names_credential_store_versions_phases_and_proof(command: Command, model: PutModel) -> None:
    model(Secret(POSTGRES, current="version-before"))
    ended = command("rotate", POSTGRES)
    row = next(line for line in ended.out.splitlines() if line.startswith(POSTGRES))
    for told in ("aws", "version-", "rotate1-", "prepare 0.", "warm_up", "promote", "overlap", "retire", "rotated"):
        assert told in row
    assert row.rstrip().endswith("new accepted, old refused (28P01)")


def test_a_secret_without_a_value_gets_its_first_one_and_nothing_is_retired(command: Command, model: PutModel) -> None:
    control = model(Secret(POSTGRES))
    ended = command("rotate", POSTGRES, "--json")
    row = ended.document["rotations"][0]
    assert (row["outcome"], row["proof"], row["old"]) == ("first value", "new accepted", "")
    assert "retire" not in control.asked


def test_an_overlap_of_hours_is_left_to_the_schedule_and_the_row_says_until_when(
    command: Command, model: PutModel
) -> None:
    control = model(Secret(POSTGRES, current="v1", overlap_s=4 * 3_600))
    ended = command("rotate", POSTGRES, "--json")
    row = ended.document["rotations"][0]
    assert ended.code == 0
    assert row["outcome"] == "overlap open"
    assert "old valid until 2026-01-02 07:04:" in row["proof"]
    assert "retire" not in control.asked


def test_all_rotates_every_secret_and_each_has_its_row(command: Command, model: PutModel) -> None:
    model(Secret(POSTGRES, current="v1"), Secret(TOKEN, current="1"))
    ended = command("rotate", "--all", "--json")
    assert {row["secret"]: row["outcome"] for row in ended.document["rotations"]} == {
        POSTGRES: "rotated",
        TOKEN: "rotated",
    }


def test_the_reason_reaches_the_run_and_nobody_says_who_they_are(command: Command, model: PutModel) -> None:
    control = model(Secret(POSTGRES))
    command("rotate", POSTGRES, "--reason", "left the company")
    assert control.secrets[POSTGRES].runs[0]["reason"] == "left the company"
    assert not [fields for _, fields in control.fields if "requested_by" in fields]


def test_one_unknown_name_among_several_starts_nothing(command: Command, model: PutModel) -> None:
    control = model(Secret(POSTGRES, current="v1"))
    ended = command("rotate", POSTGRES, "payments/mysql")
    assert ended.code == 3
    assert "payments/mysql" in ended.err
    assert "rotate" not in control.asked


def test_no_wait_starts_the_runs_and_tells_how_to_look_at_them(command: Command, model: PutModel) -> None:
    control = model(Secret(POSTGRES, current="v1"))
    ended = command("rotate", POSTGRES, "--no-wait", "--json")
    assert ended.document["started"][0]["run_id"] == "rotate1-payments-postgres"
    assert "run" not in control.asked


def test_progress_goes_to_standard_error_and_names_the_phases(command: Command, model: PutModel) -> None:
    model(Secret(POSTGRES, current="v1"))
    ended = command("rotate", POSTGRES, "--json")
    assert f"{POSTGRES}  rotate · prepare: stage done" in ended.err
    assert f"{POSTGRES}  retire" in ended.err


@pytest.mark.parametrize(
    ("reason", "code"),
    [("vault_denied", 7), ("aws_throttled", 8), ("gcp_unreachable", 6), ("test_refused", 10)],
)
def test_a_run_that_fails_ends_with_the_code_of_its_reason_and_says_what_to_do(
    command: Command, model: PutModel, reason: str, code: int
) -> None:
    fails = {"apply": {"outcome": "failed", "reason": reason, "message": "the target said no"}}
    model(Secret(POSTGRES, current="v1", fails=fails))
    ended = command("rotate", POSTGRES)
    assert ended.code == code
    assert f"failed: {reason}" in ended.out
    assert "prepare: the target said no" in ended.out
    assert f"next for {POSTGRES}: " in ended.err
    assert f"keyturn history {POSTGRES}" in ended.err


@pytest.mark.parametrize("reason", ["claim_held", "overlap_open", "kill_switch"])
def test_a_run_refused_as_things_stand_has_a_code_of_its_own(command: Command, model: PutModel, reason: str) -> None:
    model(Secret(POSTGRES, current="v1", refuse=[reason]))
    ended = command("rotate", POSTGRES, "--json")
    assert ended.code == 15
    assert ended.document["rotations"][0]["reason"] == reason


def test_a_retirement_without_its_proof_is_not_called_rotated(command: Command, model: PutModel) -> None:
    model(Secret(POSTGRES, current="v1", facts={"prove": {"proof": "unproven"}}))
    ended = command("rotate", POSTGRES, "--json")
    assert ended.code == 10
    assert ended.document["ok"] is False
    assert ended.document["rotations"][0]["outcome"] == "failed"


def test_the_worst_of_several_ends_decides_the_exit_code(command: Command, model: PutModel) -> None:
    fails = {"test": {"outcome": "failed", "reason": "test_refused"}}
    model(Secret(POSTGRES, current="v1"), Secret(TOKEN, current="1", fails=fails))
    ended = command("rotate", "--all", "--json")
    assert ended.code == 10
    assert {row["secret"]: row["outcome"] for row in ended.document["rotations"]} == {
        POSTGRES: "rotated",
        TOKEN: "failed",
    }


def test_an_interrupt_says_that_the_run_goes_on_and_how_to_look_at_it(
    command: Command, model: PutModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = model(Secret(POSTGRES, current="v1", stuck=True))

    def interrupt(journeys: Sequence[Journey], _show: object) -> Never:
        journeys[0].advance()
        raise KeyboardInterrupt

    monkeypatch.setattr("keyturn.commands.rotate.follow", interrupt)
    ended = command("rotate", POSTGRES)
    assert ended.code == 130
    assert f"the runs of {POSTGRES} go on in the stack local" in ended.err
    assert f"keyturn history {POSTGRES}" in ended.err
    assert control.secrets[POSTGRES].runs[0]["status"] == "running"


def test_a_failure_says_in_its_document_what_every_verb_says(command: Command, model: PutModel) -> None:
    fails = {"test": {"outcome": "failed", "reason": "test_refused", "detail": "the login was refused"}}
    model(Secret(POSTGRES, current="v1"), Secret(TOKEN, current="1", fails=fails))
    ended = command("rotate", "--all", "--json")
    said = {name: ended.document[name] for name in ("ok", "reason", "message", "exit_code")}
    assert said == {
        "ok": False,
        "reason": "test_refused",
        "message": f"{TOKEN}: prepare: the login was refused",
        "exit_code": ended.code,
    }
    assert f"keyturn repair {TOKEN}" in ended.document["remedy"]
    assert {row["secret"]: row["exit_code"] for row in ended.document["rotations"]} == {POSTGRES: 0, TOKEN: ended.code}


def test_a_success_says_nothing_of_a_failure(command: Command, model: PutModel) -> None:
    model(Secret(POSTGRES, current="v1"))
    assert command("rotate", POSTGRES, "--json").document.keys() == {"ok", "rotations"}


def test_a_run_that_ended_without_its_proof_has_a_reason_too(command: Command, model: PutModel) -> None:
    model(Secret(POSTGRES, current="v1", facts={"prove": {"proof": "unproven"}}))
    ended = command("rotate", POSTGRES, "--json")
    assert (ended.code, ended.document["reason"], ended.document["exit_code"]) == (10, "unproven", 10)
