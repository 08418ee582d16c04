"""`keyturn repair`: what is found, how it is known, the one safe action, and nothing done that was not shown."""

from __future__ import annotations

from typing import Any

import pytest
from command_bench import Command, PutModel
from control_model import ModelControl, Secret

from keyturn import asking
from keyturn.mending import MAX_ROUNDS

NAME, OTHER = "payments/postgres", "partners/api-token"


def finding(kind: str, action: str = "", *, digest: str = "", ask: tuple[str, ...] = (), run_id: str = "") -> Any:
    """One diagnosis as control answers it."""
    act = {"name": action, "says": f"{action} it"} if action else None
    one = {"kind": kind, "says": f"it is {kind}", "evidence": [f"the target says {kind}"], "action": act, "ask": [*ask]}
    return {"run_id": run_id, "digest": digest or f"digest of {kind}", "diagnoses": [one]}


def halted(model: PutModel, *findings: Any) -> ModelControl:
    """A secret with a run that lost its way, and what is found of it."""
    control = model(Secret(NAME, current="v1"))
    run_id = control.ask("rotate", {"secret": NAME, "reason": "asked"})["result"]["run_id"]
    control.halt(run_id, "old")
    control.secrets[NAME].findings = [one | {"run_id": run_id} for one in findings]
    control.asked.clear()
    return control


def test_a_secret_that_is_well_is_called_healthy_and_left_alone(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME, current="v1"))
    ended = command("repair", NAME, "--yes")
    assert ended.code == 0
    assert "healthy" in ended.out
    assert "mend" not in control.asked


def test_without_yes_it_shows_diagnosis_evidence_action_and_command_and_changes_nothing(
    command: Command, model: PutModel
) -> None:
    control = model(Secret(NAME, current="v1", findings=[finding("ledger_behind", "adopt")]))
    ended = command("repair", NAME)
    assert ended.code == 20
    for told in (
        "ledger_behind: it is ledger_behind",
        "the target says ledger_behind",
        "safe action: adopt: adopt it",
        f"keyturn repair {NAME} --yes --reason WHY",
        "docs/runbooks/repair.md#ledger_behind",
    ):
        assert told in ended.out
    assert "mend" not in control.asked


def test_with_yes_it_does_what_was_shown_by_its_digest_and_looks_again(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME, current="v1", findings=[finding("ledger_behind", "adopt", digest="abc")]))
    ended = command("repair", NAME, "--yes", "--reason", "after the outage")
    assert ended.code == 0
    assert control.asked.count("diagnose") == 2
    assert ("mend", {"secret": NAME, "digest": "abc", "reason": "after the outage"}) in control.fields
    assert "mended" in ended.out


@pytest.mark.parametrize(("action", "outcome"), [("resume", "succeeded"), ("undo", "undone")])
def test_a_run_that_the_action_lets_go_on_is_followed_to_its_end(
    command: Command, model: PutModel, action: str, outcome: str
) -> None:
    halted(model, finding("halted", action))
    ended = command("repair", NAME, "--yes", "--json")
    case = ended.document["secrets"][0]
    assert ended.code == 0
    assert (case["ended"], case["rounds"][0]["ending"]["outcome"]) == ("mended", outcome)


def test_several_things_are_mended_one_after_the_other_and_each_round_is_told(
    command: Command, model: PutModel
) -> None:
    halted(model, finding("dead_claim", "resume"), finding("orphan_pending", "clear"))
    ended = command("repair", NAME, "--yes")
    assert ended.code == 0
    assert "dead_claim: it is dead_claim" in ended.out
    assert f"{NAME} (round 2)" in ended.out
    assert "resume (succeeded), clear (succeeded)" in ended.out


def test_what_cannot_be_decided_has_a_code_of_its_own_and_the_commands_that_would_decide(
    command: Command, model: PutModel
) -> None:
    ask = ("psql -U app_b -c 'select 1'", "keyturn history payments/postgres")
    control = model(Secret(NAME, current="v1", findings=[finding("undecidable", ask=ask)]))
    ended = command("repair", NAME, "--yes")
    assert ended.code == 21
    for line in ask:
        assert line in ended.out
    assert "run the commands above, they decide" in ended.err
    assert "mend" not in control.asked


def test_what_has_no_safe_action_is_no_success(command: Command, model: PutModel) -> None:
    model(Secret(NAME, current="v1", findings=[finding("old_alive", ask=("look at the target",))]))
    assert command("repair", NAME, "--yes").code == 21


def test_a_run_under_way_is_waited_for_not_mended(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME, current="v1", findings=[finding("running")]))
    ended = command("repair", NAME, "--yes")
    assert ended.code == 15
    assert "wait until the run that holds it has ended" in ended.err
    assert "mend" not in control.asked


def test_a_finding_that_changed_meanwhile_is_shown_again_before_anything_is_done(
    command: Command, model: PutModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = model(Secret(NAME, current="v1", findings=[finding("ledger_behind", "adopt")]))
    control.secrets[NAME].refuse = ["diagnosis_changed"]
    ended = command("repair", NAME, "--yes")
    assert ended.code == 0
    assert [verb for verb in control.asked if verb in {"diagnose", "mend"}] == ["diagnose", "mend"] * 2 + ["diagnose"]


def test_an_action_that_changes_nothing_is_told_and_not_repeated(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME, current="v1", findings=[finding("ledger_behind", "adopt")] * 3))
    ended = command("repair", NAME, "--yes")
    assert ended.code == 10
    assert control.asked.count("mend") == 1
    assert "the action changed nothing" in ended.err


def test_it_never_goes_round_for_ever(command: Command, model: PutModel) -> None:
    endless = [finding("ledger_behind", "adopt", digest=str(i)) for i in range(50)]
    control = model(Secret(NAME, current="v1", findings=endless))
    assert command("repair", NAME, "--yes").code == 10
    assert control.asked.count("mend") == MAX_ROUNDS


def test_on_a_terminal_each_action_is_asked_for_and_a_no_leaves_all_as_it_is(
    command: Command, model: PutModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = model(Secret(NAME, current="v1", findings=[finding("ledger_behind", "adopt")]))
    asked: list[str] = []

    def confirm(question: str, **_options: Any) -> bool:
        asked.append(question)
        return False

    monkeypatch.setattr(asking, "on_terminal", lambda: True)
    monkeypatch.setattr(asking.typer, "confirm", confirm)
    assert command("repair", NAME).code == 20
    assert asked == [f"{NAME}: adopt it?"]
    assert "mend" not in control.asked


def test_all_looks_at_every_secret_also_behind_one_that_cannot_be_judged(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME, current="v1", findings=[finding("ledger_behind", "adopt")]), Secret(OTHER))
    control.secrets[OTHER].findings = [finding("undecidable")]
    ended = command("repair", "--all", "--yes", "--json")
    assert ended.code == 21
    assert {case["secret"]: case["ended"] for case in ended.document["secrets"]} == {
        NAME: "mended",
        OTHER: "undecidable",
    }


def test_a_run_stands_for_its_secret(command: Command, model: PutModel) -> None:
    control = halted(model, finding("halted", "resume"))
    run_id = control.secrets[NAME].claimed_by
    assert command("repair", run_id, "--yes").code == 0
    assert control.run_of(run_id)["status"] == "succeeded"


def test_what_is_neither_a_secret_nor_a_run_is_told_as_such(command: Command, model: PutModel) -> None:
    model(Secret(NAME))
    ended = command("repair", "payments/mysql", "--yes")
    assert ended.code == 3
    assert "`payments/mysql` is neither a secret nor a run" in ended.err
    assert "keyturn status" in ended.err


@pytest.mark.parametrize("arguments", [[], [NAME, "--all"], [NAME, "--reason", " "]], ids=str)
def test_a_repair_of_nothing_or_without_a_reason_is_a_wrong_command_line(
    command: Command, model: PutModel, arguments: list[str]
) -> None:
    control = model(Secret(NAME))
    assert command("repair", *arguments).code == 2
    assert control.asked == []


def test_the_first_diagnosis_decides_also_where_only_a_later_one_has_an_action(
    command: Command, model: PutModel
) -> None:
    first, second = finding("undecidable", ask=("keyturn doctor",)), finding("empty_pending", "clear")
    both = {**first, "diagnoses": first["diagnoses"] + second["diagnoses"]}
    control = model(Secret(NAME, current="v1", findings=[both]))
    ended = command("repair", NAME, "--yes")
    assert ended.code == 21
    assert "empty_pending" in ended.out
    assert "mend" not in control.asked


def test_a_halted_run_that_is_still_stopped_waits_for_a_decision_and_its_commands_can_be_run(
    command: Command, model: PutModel
) -> None:
    ask = ("keyturn resume abc", f"keyturn rollback {NAME}")
    model(Secret(NAME, current="v1", findings=[finding("halted", ask=ask)]))
    ended = command("repair", NAME, "--yes")
    assert ended.code == 21
    assert "needs_decision" in ended.out
    assert "keyturn resume abc --reason WHY" in ended.out
