"""Approval on a real machine: it waits with nothing minted, until somebody answers through the endpoint."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import dataclass
from typing import Any

import pytest
from runs_catalogue import Policy, altered
from runs_credentials import POSTGRES
from runs_people import Gateway, Said, another, session, user
from runs_stack import Ended, Stack, until
from runs_stores import Seen

pytestmark = pytest.mark.sandbox

NAME = POSTGRES.name
ROLE = "approval-lead"


@dataclass(frozen=True, kw_only=True)
class Played:
    """A run that was approved and one that was denied: who said what, what the machine did, what readers got.

    row: of the ledger, while the first one waited. kept: what a reader got meanwhile. seen: every answer, as text.
    """

    row: dict[str, Any]
    waiting: dict[str, Any]
    refused: list[Said]
    approved: Said
    rotated: Ended
    denied: Ended
    before: Seen
    kept: Seen
    after: Seen
    at_last: Seen
    seen: str


def _asks(policy: Policy) -> None:
    policy["approval"] = {"approvers": [ROLE], "expires_s": 3_600}


@pytest.fixture(scope="module")
def played(stack: Stack, lives: object) -> Played:
    return play(stack)


def play(stack: Stack) -> Played:
    gateway, lead = Gateway(stack), session(stack, ROLE, "bob", "approver")
    operator = user(stack, "approval-operator", "operator")
    stack.settle(NAME)
    with altered(stack, NAME, _asks), closing(POSTGRES.reader(stack)) as reader:
        before = reader.live()
        begun = gateway.ask(lead, "/verbs/rotate", secret=NAME, reason="a test").document["result"]
        waiting = _waiting(stack, begun["run_id"])
        row = stack.row(f"run#{begun['run_id']}", "approval")
        kept = reader.live()
        answer = {"run_id": begun["run_id"], "reason": "looked at it"}
        refused = [gateway.ask(who, "/verbs/approve", **answer) for who in (lead, operator)]
        second = session(stack, f"{ROLE}-2", "carol", "approver")
        refused.append(gateway.ask(second, "/verbs/approve", **answer))
        approved = gateway.ask(another(stack, ROLE, "carol"), "/verbs/approve", **answer)
        rotated = stack.ended(begun)
        after = reader.live()
        stack.settle(NAME)
        again = stack.begin("rotate", NAME)
        _waiting(stack, again["run_id"])
        said = gateway.ask(lead, "/verbs/deny", run_id=again["run_id"], reason="not now")
        denied = stack.ended(again)
        return Played(
            row=row,
            waiting=waiting,
            refused=refused,
            approved=approved,
            rotated=rotated,
            denied=denied,
            before=before,
            kept=kept,
            after=after,
            at_last=reader.live(),
            seen=json.dumps([waiting, approved.document, said.document, rotated.run, denied.run]),
        )


def _waiting(stack: Stack, run_id: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        found: list[dict[str, Any]] = stack.verb("approvals")
        return next((one for one in found if one["run_id"] == run_id), None)

    return until(look, f"the run {run_id} among those that wait")


def test_a_run_waits_before_anything_is_minted(played: Played) -> None:
    waiting = played.waiting
    assert (waiting["secret"], waiting["status"], waiting["approvers"]) == (NAME, "waiting", [ROLE])
    assert waiting["requested_by"].endswith(f"assumed-role/{ROLE}/bob")
    assert played.kept == played.before


def test_neither_who_asked_nor_who_has_another_role_can_agree(played: Played) -> None:
    assert [said.document["reason"] for said in played.refused] == [
        "requester_cannot_approve",
        "not_an_approver",
        "not_an_approver",
    ]
    assert {said.status for said in played.refused} == {403}


def test_another_approver_agrees_and_the_machine_rotates(played: Played) -> None:
    assert played.approved.status == 200
    assert played.approved.document["result"]["delivered"]
    assert (played.rotated.status, played.rotated.run["status"]) == ("SUCCEEDED", "succeeded")
    assert played.after != played.before


def test_a_denied_run_ends_failed_and_nothing_is_minted(played: Played) -> None:
    denied = played.denied
    assert (denied.status, denied.error, denied.cause) == ("FAILED", "denied", "approve")
    assert (denied.run["status"], denied.run["steps"]) == ("failed", [])
    assert played.at_last == played.after


def test_the_token_is_in_the_ledger_and_in_no_answer(played: Played) -> None:
    token = played.row["token"]["S"]
    assert token
    assert token not in played.seen


def test_the_policy_that_was_agreed_to_is_the_one_before_for_the_next_run(stack: Stack, played: Played) -> None:
    kept = stack.row(f"secret#{NAME}", "approved")
    assert kept["digest"]["S"] == played.waiting["digest"] == played.rotated.run["policy_digest"]
    assert kept["by"]["S"].endswith(f"assumed-role/{ROLE}/carol")
