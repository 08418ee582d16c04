"""`keyturn approvals`: who asks for what and why, what has changed in the policy, and the answer to one run."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from command_bench import Command, PutModel
from control_model import ModelControl, Refusing, Secret

from keyturn import follow
from rotation.policy import Approval
from tests.model.world import POLICY

NAME = "payments/postgres"
RUN = "3f2a8c1d9e7b4f60a1c2d3e4f5061728"
WHO = "arn:aws:iam::000000000000:user/alice"
LEAD = "arn:aws:sts::000000000000:assumed-role/lead/bob"
BEFORE = replace(POLICY, name=NAME, overlap_s=86_400, approval=Approval(approvers=("lead", "duty"), expires_s=3_600))
NOW = replace(BEFORE, overlap_s=3_600)


def request(**changes: Any) -> dict[str, Any]:
    """A run that waits, as control answers it."""
    known = {
        "run_id": RUN,
        "secret": NAME,
        "digest": NOW.digest(),
        "approvers": ["lead", "duty"],
        "requested_by": WHO,
        "reason": "left the company",
        "requested_at": "2026-01-02T03:04:05Z",
        "expires_at": "2026-01-02T04:04:05Z",
        "status": "waiting",
        "surprise": "a field of a newer function",
    }
    return {**known, **changes}


def listed(**changes: Any) -> dict[str, Any]:
    last = {"run_id": "earlier", "digest": BEFORE.digest(), "by": LEAD, "at": "2025-12-01T00:00:00Z"}
    documents = {"document": NOW.document(), "last": last, "last_document": BEFORE.document()}
    return {**request(), **documents, **changes}


def answers(control: ModelControl, verb: str, answer: Any) -> None:
    """Control's answer to a verb, or its refusal."""

    def say(**_: Any) -> Any:
        if isinstance(answer, Exception):
            raise answer
        return answer

    setattr(control, f"_{verb}", say)


def test_the_list_says_who_asks_for_what_why_until_when_and_what_has_changed(command: Command, model: PutModel) -> None:
    answers(model(Secret(NAME), read_only=True), "approvals", [listed()])
    ended = command("approvals")
    assert ended.code == 0
    for said in (NAME, RUN, WHO, "left the company", "lead, duty", "2026-01-02 04:04:05Z", LEAD):
        assert said in ended.out
    assert f"{NAME}: overlap 24 h -> 1 h: weaker" in ended.out
    assert f"keyturn approvals approve {RUN} --reason WHY" in ended.out


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"last": None, "last_document": ""}, "none was ever approved"),
        ({"document": BEFORE.document(), "digest": BEFORE.digest()}, "is the one that"),
    ],
    ids=["the first of its kind", "unchanged"],
)
def test_a_policy_that_has_nothing_before_it_or_is_the_same_is_called_so(
    command: Command, model: PutModel, changes: dict[str, Any], said: str
) -> None:
    answers(model(Secret(NAME)), "approvals", [listed(**changes)])
    ended = command("approvals")
    assert said in ended.out
    assert " -> " not in ended.out


def test_programs_get_the_changes_in_words_and_no_document(command: Command, model: PutModel) -> None:
    answers(model(Secret(NAME)), "approvals", [listed()])
    (one,) = command("approvals", "--json").document["waiting"]
    assert one["changes"] == [f"{NAME}: overlap 24 h -> 1 h: weaker"]
    assert not {"document", "last_document", "token"} & one.keys()


def test_where_nothing_waits_it_says_so(command: Command, model: PutModel) -> None:
    answers(model(Secret(NAME)), "approvals", [])
    assert "no run waits for approval" in command("approvals").out


@pytest.mark.parametrize(
    ("verb", "answer", "said"),
    [
        ("approve", {"status": "approved", "outcome": "passed", "delivered": True}, "is approved, and goes on"),
        ("deny", {"status": "denied", "outcome": "failed", "delivered": True}, "is denied, and ends"),
        ("approve", {"status": "approved", "cause": "window_closed", "delivered": True}, "window has closed"),
    ],
)
def test_an_answer_names_the_run_and_what_becomes_of_it(
    command: Command, model: PutModel, verb: str, answer: dict[str, Any], said: str
) -> None:
    control = model(Secret(NAME))
    answers(control, verb, request(**answer))
    ended = command("approvals", verb, RUN, "--reason", "seen")
    assert ended.code == 0
    assert said in ended.out
    assert control.fields == [(verb, {"run_id": RUN, "reason": "seen"})]
    assert "has not heard" not in ended.err


def test_an_answer_that_the_machine_has_not_heard_is_called_so(command: Command, model: PutModel) -> None:
    answers(model(Secret(NAME)), "approve", request(status="approved", outcome="passed"))
    ended = command("approvals", "approve", RUN, "--reason", "seen")
    assert ended.code == 0
    assert "the sweep tells it" in ended.err


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("approval_unknown", 15),
        ("approval_expired", 15),
        ("already_answered", 15),
        ("policy_changed", 15),
        ("not_an_approver", 7),
        ("requester_cannot_approve", 7),
    ],
)
def test_a_refusal_has_its_code(command: Command, model: PutModel, reason: str, code: int) -> None:
    answers(model(Secret(NAME)), "approve", Refusing(reason))
    ended = command("approvals", "approve", RUN, "--reason", "seen", "--json")
    assert ended.code == code
    assert ended.document["reason"] == reason


@pytest.mark.parametrize("verb", ["approve", "deny"])
def test_an_answer_without_a_reason_is_none(command: Command, model: PutModel, verb: str) -> None:
    control = model(Secret(NAME))
    assert command("approvals", verb, RUN).code == 2
    assert command("approvals", verb, RUN, "--reason", " ").code == 2
    assert control.asked == []


class Asked:
    """Lets the first rotation of a model wait, and denies it after some looks."""

    def __init__(self, control: ModelControl) -> None:
        self._control, self._looks, self._run = control, 3, control._run
        control._run = self.look  # type: ignore[method-assign]

    def look(self, run_id: str) -> dict[str, Any]:
        if not self._looks:
            run = self._control.run_of(run_id)
            self._control._end(run, "failed", {"phase": "approve", "reason": "denied"})
            return {**run, "approval": request(run_id=run_id, status="denied", by=LEAD, why="not now")}
        self._looks -= 1
        return {**self._control.run_of(run_id), "steps": [], "approval": request(run_id=run_id)}


def test_rotate_says_for_whom_it_waits_looks_seldom_and_tells_a_no(
    command: Command, model: PutModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = model(Secret(NAME))
    Asked(control)
    pauses: list[float] = []
    monkeypatch.setattr(follow, "_PEOPLE_PAUSE_S", 7.0)
    monkeypatch.setattr(follow.follow, "__defaults__", (pauses.append,))
    ended = command("rotate", NAME)
    assert ended.code == 15
    assert f"{NAME}  rotate · waits for approval by lead or duty until 2026-01-02 04:04:05Z" in ended.err
    assert "failed: denied" in ended.out
    assert 7.0 in pauses


def test_status_names_a_run_that_waits_and_rollback_ends_it(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME))
    run_id = control.ask("rotate", {"secret": NAME, "reason": "test"})["result"]["run_id"]
    control.secrets[NAME].claimed_by = run_id
    standing = control._standing(control.secrets[NAME])
    control._standing = lambda _: {**standing, "approval": request(run_id=run_id)}  # type: ignore[method-assign]
    control._run = lambda run_id: {**control.run_of(run_id), "approval": request(run_id=run_id)}  # type: ignore[method-assign]
    assert "waits for approval by lead or duty" in command("status").out

    def undone(secret: str, reason: str, agreed: dict[str, str]) -> dict[str, str]:
        assert agreed["run_id"] == run_id
        control._end(control.run_of(run_id), "undone", {"phase": "approve", "reason": "undo_asked"})
        return {"execution": control.run_of(run_id)["execution"], "run_id": run_id, "kind": "undo"}

    control._rollback = undone  # type: ignore[method-assign, assignment]
    ended = command("rollback", NAME, "--reason", "not now", "--yes")
    assert ended.code == 0
    assert "waits for approval" in ended.err


def test_history_shows_who_agreed_and_why(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME))
    run_id = control.ask("rotate", {"secret": NAME, "reason": "test"})["result"]["run_id"]
    said = request(run_id=run_id, status="approved", by=LEAD, why="seen with the team", outcome="passed")
    control._run = lambda run_id: {**control.run_of(run_id), "approval": said}  # type: ignore[method-assign]
    assert f"approved by {LEAD}: seen with the team" in command("history", NAME, "--run", run_id).out


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ({"channel": "", "told": False}, "no approver was told: the stack names no `slackSecret`"),
        ({"channel": "slack", "told": False}, "no approver was told: the message to slack was not taken"),
        ({"channel": "slack", "told": True}, ""),
        # a function of an earlier version
        ({}, ""),
    ],
)
def test_a_run_whose_approvers_no_message_reached_says_so_and_why(
    command: Command, model: PutModel, said: dict[str, Any], shown: str
) -> None:
    answers(model(Secret(NAME), read_only=True), "approvals", [listed(**said)])
    out = " ".join(command("approvals").out.split())
    assert ("no approver was told" in out) is bool(shown)
    assert shown in out
