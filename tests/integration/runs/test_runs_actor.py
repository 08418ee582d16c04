"""Who asked is who IAM knows: through the real gateway and the real zip, whatever a request says of itself."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from runs_credentials import SIGNING_KEY
from runs_people import ACCOUNT, Gateway, Said, session, user
from runs_stack import PREFIX, Stack

pytestmark = pytest.mark.sandbox

NAME = SIGNING_KEY.name
FORGED = "arn:aws:iam::000000000000:user/somebody-else"
# Of a signature; nobody checks its day where nobody checks the signature.
SCOPE = "20260101/us-east-1/execute-api/aws4_request"
FORGERY = {"requested_by": FORGED, "actor": FORGED, "verb": "retire", "phase": "sweep", "break_glass": True}
BY_HAND = {"secret": NAME, "reason": "a test", "requested_by": FORGED}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One rotation that somebody asked for with forged fields: what was answered, and what the ledger holds."""

    actor: str
    said: Said
    run: dict[str, Any]
    given: dict[str, Any]


@pytest.fixture(scope="module")
def asked(stack: Stack, lives: object) -> list[Asked]:
    """A user, then a session of a role, ask for the same rotation."""
    gateway, people = (
        Gateway(stack),
        {
            f"{ACCOUNT}:user/alice": user(stack, "alice"),
            "arn:aws:sts::000000000000:assumed-role/on-call/carol": session(stack, "on-call", "carol", "operator"),
        },
    )
    found = []
    for actor, credentials in people.items():
        stack.settle(NAME)
        said = gateway.ask(credentials, "/verbs/rotate", secret=NAME, reason="a test", **FORGERY)
        ended = stack.ended(said.document["result"])
        execution = stack.aws("stepfunctions").describe_execution(executionArn=ended.execution)
        found.append(Asked(actor=actor, said=said, run=ended.run, given=json.loads(execution["input"])))
    return found


def test_two_principals_are_two_actors_in_the_ledger_whatever_their_bodies_say(asked: list[Asked]) -> None:
    assert [one.said.status for one in asked] == [200, 200]
    assert [one.run["status"] for one in asked] == ["succeeded", "succeeded"]
    assert [one.run["requested_by"] for one in asked] == [one.actor for one in asked]
    assert len({one.actor for one in asked}) == len(asked)


def test_a_forged_field_reaches_neither_the_machine_nor_the_ledger(asked: list[Asked]) -> None:
    for one in asked:
        assert one.run["machine"] == "rotate"
        assert FORGED not in json.dumps([one.run, one.given])
        assert one.given["requested_by"] == one.actor


def test_the_command_is_its_credentials_to_the_ledger(stack: Stack, lives: object) -> None:
    last = stack.verb("history", secret=NAME)[0]
    assert last["requested_by"] == f"{ACCOUNT}:root"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": "Bearer of-nobody"},
        {"Authorization": f"AWS4-HMAC-SHA256 Credential=AKIASTRANGER00000000/{SCOPE}"},
    ],
    ids=["unsigned", "another scheme", "a key that IAM does not know"],
)
def test_who_iam_does_not_know_starts_nothing(stack: Stack, headers: dict[str, str]) -> None:
    before = stack.verb("history", secret=NAME)
    said = Gateway(stack).send("/verbs/rotate", {"secret": NAME, "reason": "a test", **FORGERY}, headers)
    assert said.status == 403
    assert said.document.get("reason") == ("unauthenticated" if headers else None)
    assert stack.verb("history", secret=NAME) == before


@pytest.mark.parametrize(
    "event",
    [
        {"verb": "rotate", **BY_HAND},
        {"routeKey": "POST /verbs/rotate", "body": json.dumps(BY_HAND)},
        {"routeKey": "POST /verbs/rotate", "requestContext": {"authorizer": {"iam": {"userArn": None}}}},
    ],
    ids=["verb", "route", "route without a caller"],
)
def test_a_verb_by_direct_invocation_is_refused(stack: Stack, event: dict[str, Any]) -> None:
    before = stack.verb("history", secret=NAME)
    function = {"FunctionName": f"{PREFIX}-control", "Qualifier": "live"}
    answer = json.loads(stack.aws("lambda").invoke(**function, Payload=json.dumps(event))["Payload"].read())
    assert answer["statusCode"] == 403
    assert json.loads(answer["body"])["reason"] == "unauthenticated"
    assert stack.verb("history", secret=NAME) == before


def test_a_path_that_is_no_verb_leads_nowhere(stack: Stack) -> None:
    gateway = Gateway(stack)
    somebody = user(stack, "lost")
    assert gateway.ask(somebody, "/verbs/paint").status == 404
    assert gateway.ask(somebody, "/verbs/break_glass/status").status == 404
