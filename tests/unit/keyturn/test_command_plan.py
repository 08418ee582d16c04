"""`keyturn plan` beyond its phases: when it comes, whom it meets, what was seen from inside, and how it ends."""

from __future__ import annotations

from typing import Any

import pytest
from command_bench import Command, PutModel
from control_model import Secret, refusal

from keyturn.control import READS
from keyturn.exits import Exit

NAME = "payments/postgres"


def lines(command: Command, *arguments: str) -> list[str]:
    return [line.strip() for line in command("plan", *arguments).out.splitlines()]


def test_it_tells_when_the_rotation_comes_and_what_may_hold_it(command: Command, model: PutModel) -> None:
    model(Secret(NAME, current="v1"))
    said = lines(command)
    starts = "starts 2026-02-02 08:12:00Z (planned by the sweep)"
    assert f"next: due 2026-02-01 00:00:00Z by rate(30 days), {starts}" in said
    assert "then old and new are both accepted until 2026-02-03 08:13:00Z" in said
    assert "window: 08:00 to 12:00 UTC, MON, TUE" in said
    assert "frozen: 12-24 to 12-26, nobody is there" in said
    assert "waits for: security, for at most 1 h" in said
    assert "never rotated" in said


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ({"by": "policy"}, "(reckoned here: the sweep has not seen this policy yet)"),
        ({"by": "native", "starts_at": ""}, "next: by AWS's own schedule, rate(30 days)"),
        ({"starts_at": "", "due_at": ""}, "next: never, by rate(30 days); `keyturn policy lint` says why"),
        ({"under_way": True}, "next: the sweep has started it; due since 2026-02-02 08:12:00Z"),
        ({"failures": 3, "cause": "vault_sealed"}, "failed 3 times in a row, the last for vault_sealed"),
        ({"window": {"opens": 20, "hours": 4, "days": []}}, "window: 20:00 to 24:00 UTC, every day"),
    ],
)
def test_every_way_in_which_it_may_come_has_its_words(
    command: Command, model: PutModel, when: dict[str, Any], said: str
) -> None:
    model(Secret(NAME, current="v1")).when = when
    assert said in "\n".join(lines(command))


def test_it_tells_who_reads_the_secret_and_how_each_learns_of_the_new_one(command: Command, model: PutModel) -> None:
    model(Secret(NAME, current="v1"))
    said = lines(command)
    assert "reader app: told by redis and sqs, acknowledges, waited for up to 10 min" in said
    assert "reader gateway: looks again within 1 h" in said
    assert "CI jobs: a running job keeps the old one for up to 2 h" in said
    assert "group: databases, nobody in it is under way" in said
    assert "after: payments/root, which is not due" in said
    assert "quotas: 8 of 10 writes left in aws, 40 a second; 300 starts free now" in said


@pytest.mark.parametrize(
    ("meets", "said"),
    [
        ({"group_busy": "payments/other"}, "group: databases, payments/other is under way: it waits"),
        ({"parent_waits": True}, "after: payments/root, which is due or under way: it waits"),
        ({"blocked": "kill_switch"}, "the sweep is stopped: kill_switch"),
        ({"consumers": []}, "readers: the policy names none"),
    ],
)
def test_what_stands_in_its_way_has_its_words(
    command: Command, model: PutModel, meets: dict[str, Any], said: str
) -> None:
    model(Secret(NAME, current="v1")).meets = meets
    assert said in lines(command)


def test_a_check_that_failed_from_inside_ends_with_its_own_code(command: Command, model: PutModel) -> None:
    model(Secret(NAME, current="v1")).missing = {"target": "the target did not answer [target_unreachable]"}
    ended = command("plan", NAME)
    assert ended.code == Exit.CHECK_FAILED
    assert "the target did not answer [target_unreachable]" in ended.out
    document = command("plan", NAME, "--json").document
    assert document["ok"] is False
    (failed,) = [one for one in document["plans"][0]["preflight"]["checks"] if one["ok"] is False]
    assert failed["what"] == "target"


def test_a_preflight_that_control_cannot_give_hides_no_other_secret(
    command: Command, model: PutModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    control = model(Secret(NAME, current="v1"), Secret("partners/api-token", current="v1"))
    ask = control.ask

    def asked(verb: str, fields: dict[str, Any]) -> dict[str, Any]:
        if verb == "probe" and fields["secret"] == NAME:
            return refusal("unknown_verb", "the event asks for nothing that this version knows", "deploy again")
        return ask(verb, fields)

    monkeypatch.setattr(control, "ask", asked)
    ended = command("plan", "--json")
    assert ended.code == Exit.CHECK_FAILED
    plans = {one["secret"]: one for one in ended.document["plans"]}
    assert len(plans["partners/api-token"]["preflight"]["checks"]) > 1
    (only,) = plans[NAME]["preflight"]["checks"]
    assert (only["what"], only["remedy"]) == ("preflight", "deploy again")
    assert plans[NAME]["phases"]


def test_it_says_how_far_it_is_apart_from_the_document(command: Command, model: PutModel) -> None:
    model(Secret(NAME, current="v1"), Secret("partners/api-token", current="v1"))
    ended = command("plan", "--json")
    assert (ended.code, len(ended.document["plans"])) == (Exit.DONE, 2)
    assert "(2 of 2)" in ended.err


def test_a_secret_whose_policy_was_removed_is_not_looked_at(command: Command, model: PutModel) -> None:
    control = model(Secret(NAME, current="v1", removed=True))
    (one,) = command("plan", "--json").document["plans"]
    assert one["preflight"] is None
    assert "probe" not in control.asked
    assert set(control.asked) <= READS
