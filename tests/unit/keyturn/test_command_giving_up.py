"""A halted retirement on the command line: given up by `rollback`, and named so wherever it is shown."""

from __future__ import annotations

import pytest
from command_bench import Command, PutModel
from control_model import BEGAN, ModelControl, Secret

NAME = "payments/postgres"
WHY = ("--reason", "the new one breaks the batch job")
FAR = BEGAN.replace(year=2999)


def rotated(model: PutModel) -> ModelControl:
    """A secret whose overlap is open, from v1 to v2."""
    overlap = {"run_id": "earlier", "retire_at": FAR.isoformat(), "old": {"id": "v1"}, "new": {"id": "v2"}}
    return model(Secret(NAME, current="v2", overlap_s=4 * 3_600, overlap=overlap))


def halted_retirement(model: PutModel, *steps: str) -> tuple[ModelControl, str]:
    """A retirement that the kill switch stopped after these steps."""
    control = rotated(model)
    run_id = control.ask("retire", {"secret": NAME, "reason": "over"})["result"]["run_id"]
    control.halt(run_id)
    control.run_of(run_id)["steps"] = [
        {"step": step, "phase": "retire", "intent_at": BEGAN.isoformat()} for step in steps
    ]
    return control, run_id


@pytest.mark.parametrize(
    ("steps", "says"),
    [(("witness",), "stays valid"), (("witness", "revoke"), "may be dead already: the next rollback applies it again")],
)
def test_a_halted_retirement_is_given_up_and_the_next_rollback_goes_back(
    command: Command, model: PutModel, steps: tuple[str, ...], says: str
) -> None:
    _, run_id = halted_retirement(model, *steps)
    ended = command("rollback", NAME, *WHY, "--yes", "--json")
    assert ended.code == 0
    assert (ended.document["kind"], ended.document["runs"][0]["outcome"]) == ("undo", "undone")
    assert f"the run {run_id} (retire, halted, kill_switch) is given up" in ended.err
    assert says in ended.err
    assert "`keyturn rollback payments/postgres --reason WHY` goes back to v1" in ended.err


@pytest.mark.parametrize(
    ("last", "back"),
    [("witness", "gives it up: its overlap is open again, and the next rollback goes back"), ("dispose", "")],
)
def test_status_and_resume_name_only_what_is_possible_for_a_halted_retirement(
    command: Command, model: PutModel, last: str, back: str
) -> None:
    control, run_id = halted_retirement(model, last)
    control.ask("engage", {"reason": "stop"})
    shown = command("status").err + command("status").out
    again = command("resume", run_id, "--reason", "too early", "--json").document["runs"][0]["remedy"]
    for said in (" ".join(shown.split()), again):
        assert f"`keyturn resume {run_id} --reason WHY` goes on" in said
        assert (f"`keyturn rollback {NAME} --reason WHY` {back}" in said) is bool(back)
        assert ("keyturn rollback" in said) is bool(back)


def test_a_retirement_that_disposes_of_the_old_one_is_gone_on_with(command: Command, model: PutModel) -> None:
    control, run_id = halted_retirement(model, "witness", "revoke", "prove", "dispose")
    ended = command("rollback", NAME, *WHY, "--yes")
    assert ended.code == 15
    assert f"`keyturn resume {run_id} --reason WHY` goes on with it" in ended.err
    assert "rollback" not in control.asked


def test_an_emergency_rollback_under_the_kill_switch_says_beforehand_that_what_leaked_stays_valid(
    command: Command, model: PutModel
) -> None:
    control = rotated(model)
    control.ask("engage", {"reason": "stop"})
    ended = command("rollback", NAME, "--emergency", *WHY)
    assert ended.code == 20
    assert "kill_switch: what leaked is left, and stays valid until that is over" in ended.err
    assert "stays valid" not in command("rollback", NAME, *WHY).err


def test_lifting_a_freeze_that_there_is_not_says_so(command: Command, model: PutModel) -> None:
    control = rotated(model)
    assert f"{NAME} is not frozen: nothing is lifted" in command("unfreeze", NAME, "--reason", "x").err
    assert "the whole stack is not frozen" in command("unfreeze", "--all", "--reason", "x").err
    control.ask("freeze", {"secrets": [NAME], "until": FAR.isoformat(), "reason": "y"})
    assert "nothing is lifted" not in command("unfreeze", NAME, "--reason", "x").err
