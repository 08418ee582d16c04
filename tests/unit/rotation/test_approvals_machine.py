"""The generated state that waits for a person: by token, longer than a policy may ask for, entered only if asked."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from policy_rules.guards import LONGEST_APPROVAL_S
from rotation import aws_client
from rotation.calls import Caller, Meter, NullBreaker
from rotation.control.waits import StepFunctionsTokens
from rotation.definition import APPROVAL_TIMEOUT_S, rotate_definition
from rotation.errors import Denied, KeyturnError
from rotation.invocation import Answer

STATES: dict[str, Any] = rotate_definition("arn:control")["States"]
PASSED = Answer(outcome="passed", reason="")


def following(state: str) -> dict[str, str]:
    return {choice["StringEquals"]: choice["Next"] for choice in STATES[state]["Choices"]}


def test_only_a_claim_that_asks_for_it_leads_to_the_wait_and_both_go_on_alike() -> None:
    assert following("claim_outcome")["approval"] == "approve"
    assert following("claim_outcome")["passed"] == following("approve_outcome")["passed"] == "prepare"
    entered_by = [name for name, state in STATES.items() if state.get("Next") == "approve"]
    assert entered_by == []


def test_a_claim_of_an_older_or_newer_definition_never_takes_the_wait_for_a_yes() -> None:
    assert STATES["claim_outcome"]["Default"] == "claim_failed"
    assert STATES["approve_outcome"]["Default"] == "approve_failed"


def test_it_waits_by_its_token_longer_than_any_policy_may_give() -> None:
    wait = STATES["approve"]
    assert wait["Resource"].endswith(":lambda:invoke.waitForTaskToken")
    assert wait["Parameters"]["Payload"]["token.$"] == "$$.Task.Token"
    assert wait["TimeoutSeconds"] == APPROVAL_TIMEOUT_S > LONGEST_APPROVAL_S
    assert wait["ResultSelector"] == {"outcome.$": "$.outcome", "reason.$": "$.reason"}


def test_a_wait_that_nobody_ended_is_not_begun_again() -> None:
    first = STATES["approve"]["Retry"][0]
    assert (first["ErrorEquals"], first["MaxAttempts"]) == (["States.Timeout"], 0)


def test_no_other_task_gets_a_token() -> None:
    with_token = [name for name, state in STATES.items() if "$$.Task.Token" in str(state)]
    assert with_token == ["approve"]


class Client:
    """Answers a token with an error's code, "" for none."""

    def __init__(self, code: str) -> None:
        self.code = code
        self.told: list[tuple[str, str]] = []

    def send_task_success(self, *, taskToken: str, output: str) -> None:  # noqa: N803  # AWS's names
        self.told.append((taskToken, output))
        if self.code:
            said = {"Error": {"Code": self.code, "Message": taskToken}, "ResponseMetadata": {"HTTPStatusCode": 400}}
            raise ClientError(said, "SendTaskSuccess")  # type: ignore[arg-type]


def answer(code: str) -> Client:
    client = Client(code)
    caller = Caller(
        "states", translate=aws_client.translate, meter=Meter(), breaker=NullBreaker(), sleep=lambda _: None
    )
    StepFunctionsTokens(client, caller).answer("marker", PASSED)
    return client


@pytest.mark.parametrize("code", ["", "TaskDoesNotExist", "TaskTimedOut", "InvalidToken"])
def test_a_token_is_answered_with_data_and_one_that_nobody_waits_by_is_no_failure(code: str) -> None:
    assert answer(code).told == [("marker", '{"outcome": "passed", "reason": ""}')]


@pytest.mark.parametrize(("code", "kind"), [("AccessDeniedException", Denied), ("InvalidOutput", KeyturnError)])
def test_whatever_else_is_refused_is_raised_without_the_token(code: str, kind: type[KeyturnError]) -> None:
    with pytest.raises(kind) as caught:
        answer(code)
    assert "marker" not in str(caught.value)
