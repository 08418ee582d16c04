"""`keyturn rollback` and `keyturn resume`: shown before it is done, followed to the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Never

import pytest
from command_bench import Command, PutModel
from control_model import BEGAN, ModelControl, Secret

from keyturn import asking
from keyturn.answers import Execution
from keyturn.errand import Errand

NAME = "payments/postgres"
WHY = ("--reason", "the new one breaks the batch job")
FAR = BEGAN.replace(year=2999)


def rotated(model: PutModel, **facts: Any) -> ModelControl:
    """A secret whose overlap is open, from v1 to v2."""
    overlap = {"run_id": "earlier", "retire_at": FAR.isoformat(), "old": {"id": "v1"}, "new": {"id": "v2"}}
    return model(Secret(NAME, current="v2", overlap_s=4 * 3_600, overlap=overlap | facts.pop("way", {}), **facts))


def halted(model: PutModel, steps: int = 2, **facts: Any) -> tuple[ModelControl, str]:
    """A rotation that the kill switch stopped after some steps, released since."""
    control = model(Secret(NAME, current="v1", **facts))
    run_id = control.ask("rotate", {"secret": NAME, "reason": "asked"})["result"]["run_id"]
    for _ in range(steps):
        control.ask("run", {"run_id": run_id})
    control.halt(run_id)
    control.asked.clear()
    return control, run_id


def test_rollback_shows_from_where_to_where_until_when_and_what_limits_it_before_it_does_it(
    command: Command, model: PutModel
) -> None:
    control = rotated(model)
    ended = command("rollback", NAME, *WHY, "--yes")
    assert ended.code == 0
    shown = ended.err.splitlines()
    assert shown[0] == f"{NAME} goes back from v2 to v1, at the target first, then in the store"
    assert shown[1] == "possible until 2999-01-02 03:04:05Z, limited by the store"
    assert control.secrets[NAME].current == "v1"
    assert "succeeded" in ended.out


def test_after_a_rollback_it_is_said_how_long_the_one_that_was_left_stays_valid(
    command: Command, model: PutModel
) -> None:
    rotated(model)
    ended = command("rollback", NAME, *WHY, "--yes")
    assert "version v2 stays valid until 2026-01-02 07:04:" in ended.err


def test_an_emergency_rollback_sees_the_one_that_was_left_dead(command: Command, model: PutModel) -> None:
    rotated(model)
    ended = command("rollback", NAME, "--emergency", *WHY, "--yes", "--json")
    assert ended.code == 0
    assert [run["machine"] for run in ended.document["runs"]] == ["rollback", "retire"]
    assert ended.document["runs"][1]["proof"] == "new accepted, old refused (28P01)"
    assert "v2 counts as leaked" in ended.err


def test_without_a_terminal_and_without_yes_nothing_is_rolled_back(command: Command, model: PutModel) -> None:
    control = rotated(model)
    ended = command("rollback", NAME, *WHY)
    assert ended.code == 20
    assert "repeat it with --yes" in ended.err
    assert "rollback" not in control.asked


@pytest.mark.parametrize(("answer", "code"), [(True, 0), (False, 20)])
def test_on_a_terminal_it_asks_and_does_what_was_answered(
    command: Command, model: PutModel, monkeypatch: pytest.MonkeyPatch, answer: bool, code: int
) -> None:
    control = rotated(model)
    asked: list[str] = []

    def confirm(question: str, **_options: Any) -> bool:
        asked.append(question)
        return answer

    monkeypatch.setattr(asking, "on_terminal", lambda: True)
    monkeypatch.setattr(asking.typer, "confirm", confirm)
    assert command("rollback", NAME, *WHY).code == code
    assert asked == ["make v1 current again?"]
    assert ("rollback" in control.asked) is answer


def test_whoever_says_yes_agrees_to_what_was_shown_and_to_nothing_that_was_changed_since(
    command: Command, model: PutModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = rotated(model)

    def confirm(_question: str, **_options: Any) -> bool:
        # somebody else was faster
        control.secrets[NAME].current = "v1"
        return True

    monkeypatch.setattr(asking, "on_terminal", lambda: True)
    monkeypatch.setattr(asking.typer, "confirm", confirm)
    ended = command("rollback", NAME, *WHY)
    assert ended.code == 15
    assert "diagnosis_changed" in ended.err
    assert dict(control.fields)["rollback"]["agreed"] == {"kind": "rollback", "run_id": "", "leaves": "v2", "to": "v1"}


@pytest.mark.parametrize(
    ("way", "reason", "words"),
    [
        (None, "nothing_to_roll_back", "makes a new credential"),
        ({"emergency": True}, "old_leaked", "nothing leads back to a leaked credential"),
        ({"disposed": "destroyed"}, "beyond_horizon", "nothing is left to go back to"),
    ],
)
def test_what_cannot_be_gone_back_to_is_refused_with_what_to_do_instead(
    command: Command, model: PutModel, way: dict[str, Any] | None, reason: str, words: str
) -> None:
    control = rotated(model, way=way or {})
    if way is None:
        control.secrets[NAME].overlap = None
    ended = command("rollback", NAME, *WHY, "--yes", "--json")
    assert ended.code == 15
    assert ended.document["reason"] == reason
    assert words in ended.document["remedy"]
    assert f"keyturn rotate {NAME}" in ended.document["remedy"]
    assert "rollback" not in control.asked


def test_what_control_refuses_under_the_claim_is_told_with_what_to_do(command: Command, model: PutModel) -> None:
    rotated(model, refuse=["claim_held"])
    ended = command("rollback", NAME, *WHY, "--yes")
    assert ended.code == 15
    assert "wait until the run that holds it has ended" in ended.err


def test_a_rollback_whose_target_refuses_the_old_one_ends_with_the_reason(command: Command, model: PutModel) -> None:
    rotated(model, fails={"retest": {"outcome": "failed", "reason": "retest_refused"}})
    ended = command("rollback", NAME, *WHY, "--yes")
    assert ended.code == 10
    assert "failed: retest_refused" in ended.out
    assert f"keyturn repair {NAME}" in ended.err


def test_rollback_of_a_halted_run_undoes_it_also_while_the_kill_switch_is_engaged(
    command: Command, model: PutModel
) -> None:
    control, run_id = halted(model, steps=4)
    control.ask("engage", {"reason": "stop"})
    ended = command("rollback", NAME, *WHY, "--yes", "--json")
    assert ended.code == 0
    assert (ended.document["kind"], ended.document["runs"][0]["outcome"]) == ("undo", "undone")
    assert f"the run {run_id} (rotate, halted, kill_switch) is undone" in ended.err
    assert control.secrets[NAME].current == "v1"


def test_a_run_that_is_under_way_is_not_rolled_back_beneath_its_feet(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME, current="v1", stuck=True))
    run_id = control.ask("rotate", {"secret": NAME, "reason": "asked"})["result"]["run_id"]
    control.secrets[NAME].claimed_by = run_id
    ended = command("rollback", NAME, *WHY, "--yes")
    assert ended.code == 15
    assert "claim_held" in ended.err
    assert "rollback" not in control.asked


def test_resume_goes_on_where_the_run_stopped_and_follows_it_to_its_end(command: Command, model: PutModel) -> None:
    control, run_id = halted(model, overlap_s=4 * 3_600)
    ended = command("resume", run_id, "--reason", "the switch is released")
    assert ended.code == 0
    assert "succeeded" in ended.out
    assert [step["step"] for step in control.run_of(run_id)["steps"]] == ["stage", "apply", "test", "promote", "health"]
    assert control.run_of(run_id)["takeovers"] == 1
    assert "version v1 stays valid until" in ended.err


def test_resume_takes_the_beginning_of_an_id_that_status_shows(command: Command, model: PutModel) -> None:
    control, run_id = halted(model)
    assert command("resume", run_id[:7], "--reason", "released").code == 0
    assert control.run_of(run_id)["status"] == "succeeded"


def test_a_run_that_is_halted_again_says_what_stopped_it_and_both_ways_on(command: Command, model: PutModel) -> None:
    control, run_id = halted(model)
    control.ask("engage", {"reason": "not yet"})
    ended = command("resume", run_id, "--reason", "too early", "--json")
    assert ended.code == 15
    run = ended.document["runs"][0]
    assert (run["outcome"], run["reason"]) == ("halted", "kill_switch")
    assert f"`keyturn resume {run_id} --reason WHY` goes on" in run["remedy"]
    assert f"`keyturn rollback {NAME} --reason WHY` undoes it" in run["remedy"]


def test_a_frozen_run_is_told_of_the_way_through_the_freeze_and_takes_it(command: Command, model: PutModel) -> None:
    control, run_id = halted(model)
    control.ask("freeze", {"secrets": [NAME], "until": "2999-01-01T00:00:00Z", "reason": "the quarter closes"})
    ended = command("resume", run_id, "--reason", "too early", "--json")
    assert ended.code == 15
    told = ended.document["runs"][0]["remedy"]
    assert f"`keyturn resume {run_id} --break-glass --reason WHY` takes the run through it" in told
    assert "keyturn rotate" not in told, "another run would be refused while this one holds its claim"
    assert command("resume", run_id, "--break-glass", "--reason", "it leaked").code == 0
    assert control.fields[-1][0] != "resume"
    assert ("resume", {"run_id": run_id, "reason": "it leaked", "break_glass": True}) in control.fields


def test_a_second_execution_that_is_refused_before_it_takes_over_is_no_success(
    command: Command, model: PutModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    control, run_id = halted(model)
    monkeypatch.setattr("keyturn.watch.QUIET_S", 0.0)
    monkeypatch.setattr(control, "_take_over", lambda _run: None)
    control.executions[f"{control.run_of(run_id)['execution']}-again"] = Execution(status="FAILED")
    ended = command("resume", run_id, "--reason", "released", "--json")
    assert ended.code == 15
    assert ended.document["runs"][0]["outcome"] == "halted"


@pytest.mark.parametrize(("run", "reason", "code"), [("ffff", "run_unknown", 3), ("rotate1", "run_ended", 15)])
def test_a_run_that_cannot_be_resumed_says_why_and_where_to_look(
    command: Command, model: PutModel, run: str, reason: str, code: int
) -> None:
    control, run_id = halted(model)
    control.run_of(run_id)["status"] = "failed"
    ended = command("resume", run, "--reason", "released", "--json")
    assert (ended.code, ended.document["reason"]) == (code, reason)
    assert "keyturn" in ended.document["remedy"]


@pytest.mark.parametrize("verb", [["rollback", NAME], ["resume", "rotate1"], ["overlap", "close", NAME]])
def test_no_verb_that_changes_something_goes_without_a_reason(
    command: Command, model: PutModel, verb: list[str]
) -> None:
    control = rotated(model)
    for reason in ([], ["--reason", "  "]):
        ended = command(*verb, *reason)
        assert ended.code == 2
        assert "--reason" in ended.err
    assert control.asked == []


@pytest.mark.parametrize("verb", ["rollback", "resume", "repair", "overlap close"])
def test_an_interrupt_says_that_the_run_goes_on_and_how_to_look_at_it(
    command: Command, model: PutModel, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    control = rotated(model)
    what = NAME
    if verb in {"resume", "repair"}:
        control, what = halted(model)
        action = {"name": "resume", "says": "go on"}
        one = {"kind": "halted", "says": "halted", "evidence": [], "action": action, "ask": []}
        control.secrets[NAME].findings = [{"run_id": what, "digest": "d", "diagnoses": [one]}]

    def interrupt(errands: Sequence[Errand], _show: object) -> Never:
        errands[0].advance()
        raise KeyboardInterrupt

    monkeypatch.setattr("keyturn.errand.follow", interrupt)
    yes = ["--yes"] if verb in {"rollback", "repair"} else []
    ended = command(*verb.split(), what, "--reason", "x", *yes)
    assert ended.code == 130
    assert f"the runs of {NAME} go on in the stack local" in ended.err
    assert f"keyturn history {NAME}" in ended.err


def test_progress_of_a_run_that_is_undone_says_that_it_goes_back(command: Command, model: PutModel) -> None:
    halted(model, steps=4)
    ended = command("rollback", NAME, *WHY, "--yes")
    assert f"{NAME}  undo · going back" in ended.err
