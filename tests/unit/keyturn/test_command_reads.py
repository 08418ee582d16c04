"""The verbs that only read: plan, status, history, verify, doctor's findings."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from command_bench import Command, PutModel
from control_model import BEGAN, ModelControl, Secret

from keyturn import tree
from keyturn.answers import Execution
from keyturn.control import READS, Control
from keyturn.diagnosis import standing_checks
from keyturn.planning import WORDS
from rotation.phases import RETIRE, ROTATE, active

NAME = "payments/postgres"
VERBS = [["plan"], ["status"], ["history", NAME], ["verify", NAME]]

# After any day on which this test is run.
FAR = BEGAN.replace(year=2999)


def overlap_until(end: datetime) -> dict[str, Any]:
    """An overlap of an earlier rotation."""
    return {"run_id": "r", "retire_at": end.isoformat(), "old": {"id": "v0"}, "new": {"id": "v1"}}


def rotated(model: PutModel, **facts: Any) -> ModelControl:
    """A model with one rotation behind it, retirement included."""
    secret = Secret(NAME, current="v1", **facts)
    control = model(secret)
    for machine in ("rotate", "retire"):
        started = control.ask(machine, {"secret": NAME, "reason": "", "requested_by": "test"})["result"]
        while control.run_of(started["run_id"])["status"] == "running":
            control.ask("run", {"run_id": started["run_id"]})
    control.asked.clear()
    return control


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_it_asks_for_nothing_that_could_change_anything(command: Command, model: PutModel, verb: str) -> None:
    control = model(Secret(NAME, current="v1", overlap={}, claimed_by="run1"), read_only=True)
    control.secrets[NAME].overlap = None
    command(*verb)
    assert control.asked
    assert set(control.asked) <= READS | {"execution"}


def test_plan_lists_the_phases_of_the_machines_in_their_order_with_their_floors(
    command: Command, model: PutModel
) -> None:
    model(Secret(NAME, current="v1", overlap_s=3))
    one = command("plan", "--json").document["plans"][0]
    order = [phase.name for phase in active(ROTATE)] + ["overlap"] + [phase.name for phase in active(RETIRE)]
    assert [phase["phase"] for phase in one["phases"]] == order
    assert {p["phase"]: p["floor_s"] for p in one["phases"] if p["floor_s"]} == {"warm_up": 1, "overlap": 3}
    assert (one["floor_s"], one["first_value"], one["refused"]) == (4, False, [])


def test_every_phase_that_is_built_has_its_words_in_the_plan() -> None:
    assert {phase.name for phase in active(ROTATE) + active(RETIRE)} <= set(WORDS)


def test_plan_of_a_first_value_retires_nothing(command: Command, model: PutModel) -> None:
    model(Secret(NAME))
    one = command("plan", NAME, "--json").document["plans"][0]
    assert one["first_value"] is True
    assert {phase["machine"] for phase in one["phases"]} == {"rotate"}


def test_plan_says_who_would_be_refused_and_why(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME, current="v1", claimed_by="abcdef0123", overlap_s=7_200))
    control.secrets[NAME].overlap = overlap_until(FAR)
    ended = command("plan", NAME)
    assert f"{NAME}: would be refused" in ended.out
    assert "claim_held: run abcdef0123 is under way" in ended.out
    assert "overlap_open: the overlap of the last rotation is open until 2999-01-02 03:04:05Z" in ended.out


def test_plan_says_that_a_long_overlap_that_is_over_is_ended_first(command: Command, model: PutModel) -> None:
    model(Secret(NAME, current="v1", overlap_s=7_200, overlap=overlap_until(BEGAN - timedelta(days=365))))
    one = command("plan", NAME, "--json").document["plans"][0]
    assert one["refused"] == []
    assert one["notes"] == ["the overlap over since 2025-01-02 03:04:05Z is ended first"]


@pytest.mark.parametrize(
    ("end", "told"),
    [
        (BEGAN.replace(year=2025), "overlap over since 2025-01-02 03:04:05Z"),
        (FAR, "overlap open until 2999-01-02 03:04:05Z"),
    ],
)
def test_status_tells_an_overlap_that_is_over_from_one_that_is_open(
    command: Command, model: PutModel, end: datetime, told: str
) -> None:
    model(Secret(NAME, current="v1", overlap=overlap_until(end)))
    assert told in command("status").out


def test_history_names_what_a_failed_undo_left_in_the_list_and_in_full(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME, current="v1", refuse=["vault_denied"]))
    run = control.run_of(control.ask("rotate", {"secret": NAME, "reason": "", "requested_by": ""})["result"]["run_id"])
    run["failure"]["not_undone"] = "withdraw"
    assert "failed: claim, vault_denied, not_undone: withdraw" in command("history", NAME).out
    run["failure"]["cause"] = "vault_unavailable"
    assert "cause: vault_unavailable, not_undone: withdraw" in command("history", NAME).out
    assert "not_undone=withdraw" in command("history", NAME, "--run", run["run_id"]).out


def test_plan_does_not_count_the_claim_of_an_execution_that_ended(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME, current="v1", claimed_by="abcdef0123"))
    control.executions["arn:abcdef0123"] = Execution(status="ABORTED")
    assert command("plan", NAME, "--json").document["plans"][0]["refused"] == []


def test_plan_tells_that_the_catalogue_differs_from_this_checkout(
    command: Command, model: PutModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    model(Secret(NAME, current="v1"))
    monkeypatch.setattr(tree, "digests", lambda _stack: {NAME: "another"})
    note = command("plan", NAME, "--json").document["plans"][0]["notes"][0]
    assert note.startswith("the catalogue's policy differs from this checkout's")


def test_status_shows_current_version_overlap_and_last_run(command: Command, model: PutModel) -> None:
    rotated(model)
    ended = command("status")
    row = next(line for line in ended.out.splitlines() if line.startswith(NAME))
    for told in ("aws", "rate(30 days)", "rotate1-", "settled", "retire succeeded"):
        assert told in row


def test_status_in_json_is_what_control_said(command: Command, model: PutModel) -> None:
    rotated(model)
    secrets = command("status", "--json").document["secrets"]
    assert secrets[0]["head"]["current"]["id"] == "rotate1-payments-postgres"
    assert secrets[0]["last_run"]["status"] == "succeeded"


def test_history_lists_runs_and_one_run_shows_its_steps_with_what_they_recorded(
    command: Command, model: PutModel
) -> None:
    rotated(model)
    listed = command("history", NAME)
    assert [line.split()[1] for line in listed.out.splitlines()[1:]] == ["rotate", "retire"]
    shown = command("history", NAME, "--run", "retire2")
    assert "old_code=28P01" in shown.out
    assert "prove" in shown.out


def test_history_of_a_run_that_is_not_there_has_its_own_message(command: Command, model: PutModel) -> None:
    rotated(model)
    ended = command("history", NAME, "--run", "ffff")
    assert ended.code == 3
    assert f"{NAME} has no run `ffff`" in ended.err


def test_verify_accepts_a_whole_proof_and_says_what_it_does_not_check(command: Command, model: PutModel) -> None:
    rotated(model)
    ended = command("verify", NAME)
    assert ended.code == 0
    assert f"{NAME}: proven by its record" in ended.out
    assert "not checked: that the target refuses the old credential at this moment" in ended.out


@pytest.mark.parametrize(
    ("step", "facts", "failing"),
    [
        ("prove", {"old_verdict": "accepted", "proof": "alive"}, {"old refused", "proof"}),
        ("prove", {"old_code": ""}, {"refusal code"}),
        ("witness", {"old_verdict": "refused"}, {"old accepted before the revoke"}),
        ("test", {"verdict": "unproven"}, {"new accepted before promotion"}),
        ("health", {"outcome": "failed"}, {"rotate: steps in order"}),
    ],
)
def test_verify_rejects_a_record_with_a_gap_in_its_proof(
    command: Command, model: PutModel, step: str, facts: dict[str, str], failing: set[str]
) -> None:
    rotated(model, facts={step: facts})
    ended = command("verify", NAME, "--json")
    assert ended.code == 17
    assert {check["name"] for check in ended.document["checks"] if check["verdict"] == "fail"} == failing


def test_verify_rejects_a_rotation_that_followed_another_policy(command: Command, model: PutModel) -> None:
    rotated(model).secrets[NAME].digest = "e" * 64
    ended = command("verify", NAME, "--json")
    assert [check["name"] for check in ended.document["checks"] if check["verdict"] == "fail"] == ["policy"]


def test_verify_does_not_call_a_rotation_proven_whose_old_credential_still_lives(
    command: Command, model: PutModel
) -> None:
    control = rotated(model)
    control.secrets[NAME].runs.pop()
    control.secrets[NAME].overlap = control.secrets[NAME].runs and {
        "run_id": control.secrets[NAME].runs[0]["run_id"],
        "old": {"id": "v1"},
        "new": {"id": "v2"},
        "retire_at": BEGAN.isoformat(),
    }
    ended = command("verify", NAME)
    assert ended.code == 17
    assert "the old credential is valid until" in ended.out


def test_doctor_finds_what_is_worth_a_look_in_where_a_secret_stands() -> None:
    secret = Secret(NAME, refuse=["vault_denied"], digest="a" * 64)
    model = ModelControl(secret)
    control = Control(model)
    control.rotate(NAME, "")
    versions = {"old": {"id": "v0"}, "new": {"id": "v1"}}
    secret.overlap = {"run_id": "r", "retire_at": BEGAN.isoformat(), **versions}
    found = [check.found for check in standing_checks(control.status([NAME])[0], {NAME: "b" * 64})]
    assert found == [
        "the catalogue's policy differs from this checkout's",
        "has no value yet",
        "its last run failed: vault_denied",
        "the old credential should have been retired at 2026-01-02 03:04:05Z",
    ]


def test_history_shows_what_was_out_of_the_ordinary_about_a_run(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME, current="v1"))
    flags = {"emergency": True, "break_glass": True}
    run_id = control.ask("rotate", {"secret": NAME, "reason": "leaked", **flags})["result"]["run_id"]
    run = control.run_of(run_id)
    run |= {"takeovers": 2, "direction": "undo", "continued_by": "arn:bob", "continued_why": "not now"}
    for shown in (command("history", NAME).out, command("history", NAME, "--run", run_id).out):
        assert "emergency, break-glass, undo, taken over 2x, by arn:bob: not now" in shown
    document = command("history", NAME, "--json").document["runs"][0]
    assert (document["takeovers"], document["emergency"]) == (2, True)


def test_history_of_an_undone_run_shows_the_steps_that_undid_it(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME, current="v1"))
    run_id = control.ask("rotate", {"secret": NAME, "reason": "x"})["result"]["run_id"]
    control.halt(run_id)
    ended = command("rollback", NAME, "--reason", "not now", "--yes", "--json")
    assert [time["phase"] for time in ended.document["runs"][0]["phases"]] == ["roll_back", "record"]


def test_verify_does_not_call_a_rotation_proven_that_was_taken_back(command: Command, model: PutModel) -> None:
    control = rotated(model)
    control.secrets[NAME].retired = {
        "run_id": "r",
        "old": {"id": "v0"},
        "new": {"id": "v1"},
        "retire_at": FAR.isoformat(),
    }
    command("rollback", NAME, "--reason", "it breaks the batch job", "--yes")
    ended = command("verify", NAME)
    assert ended.code == 17
    assert "was taken back by the run" in ended.out
    assert "it breaks the batch job" in ended.out


def test_doctor_names_a_halted_run() -> None:
    model = ModelControl(Secret(NAME, current="v1"))
    run_id = model.ask("rotate", {"secret": NAME, "reason": ""})["result"]["run_id"]
    model.halt(run_id, "frozen")
    found = standing_checks(Control(model).status([NAME])[0], {NAME: "d" * 64})
    assert [check.found for check in found] == ["its run rotate1- is halted: frozen"]
