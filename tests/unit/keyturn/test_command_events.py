"""`keyturn events`: what waits is listed without a write, and sent again piece by piece until nothing is left."""

from __future__ import annotations

from typing import Any

import pytest
from command_bench import Command, PutModel
from control_model import ModelControl, Secret

NAME, OTHER = "payments/postgres", "partners/api-token"
OWED = {"secret": NAME, "run_id": "run", "step": "publish", "due_at": "2026-01-02T03:04:05Z", "attempts": 3}


def sent(secret: str, **changes: Any) -> dict[str, Any]:
    return {"secret": secret, "run_id": "run", "step": "publish", "outcome": "passed", "reason": "", **changes}


def answering(control: ModelControl, verb: str, *answers: Any) -> ModelControl:
    """Control that gives one answer after the other."""
    left = list(answers)
    setattr(control, f"_{verb}", lambda **_: left.pop(0))
    return control


def test_what_waits_is_listed_and_nothing_is_asked_for_but_a_read(command: Command, model: PutModel) -> None:
    answering(model(Secret(NAME), read_only=True), "undelivered", [OWED])
    ended = command("events", "list", NAME)
    assert ended.code == 0
    for said in (NAME, "promoted", "3", "2026-01-02 03:04:05Z"):
        assert said in ended.out


def test_a_stack_where_nothing_waits_says_so(command: Command, model: PutModel) -> None:
    answering(model(Secret(NAME), read_only=True), "undelivered", [], [])
    assert "no event waits" in command("events", "list").out
    assert command("events", "list", "--json").document == {"ok": True, "stack": "local", "undelivered": []}


def test_all_pieces_are_sent_each_from_where_the_one_before_ended(command: Command, model: PutModel) -> None:
    pages = [
        {"sent": [sent(OTHER)], "left": 1, "next": "place"},
        {"sent": [sent(NAME)], "left": 0, "next": ""},
    ]
    control = answering(model(Secret(NAME)), "replay", *pages)
    ended = command("events", "replay", "--all", "--since", "2026-01-02T03:04:05+01:00", "--json")
    assert (ended.code, [one["secret"] for one in ended.document["sent"]]) == (0, [OTHER, NAME])
    since = "2026-01-02T02:04:05.000000Z"
    assert [fields for _, fields in control.fields] == [
        {"secrets": [], "since": since, "after": ""},
        {"secrets": [], "since": since, "after": "place"},
    ]


def test_an_event_that_no_channel_takes_ends_with_its_reason_and_what_to_do(command: Command, model: PutModel) -> None:
    failed = sent(NAME, outcome="failed", reason="redis_unreachable")
    answering(model(Secret(NAME)), "replay", *[{"sent": [failed], "left": 0, "next": ""}] * 2)
    shown = command("events", "replay", NAME)
    assert (shown.code, "not sent: redis_unreachable" in shown.out) == (6, True)
    assert "docs/runbooks/dead-letters.md" in shown.err
    document = command("events", "replay", NAME, "--json").document
    assert (document["ok"], document["reason"], document["exit_code"]) == (False, "redis_unreachable", 6)


@pytest.mark.parametrize("arguments", [["replay"], ["replay", NAME, "--all"], ["replay", NAME, "--since", "yesterday"]])
def test_a_wrong_command_line_asks_nothing(command: Command, model: PutModel, arguments: list[str]) -> None:
    control = model(Secret(NAME))
    assert command("events", *arguments).code == 2
    assert control.asked == []
