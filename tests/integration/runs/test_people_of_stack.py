"""With AWS enforcing policies: each of the bootstrap's policies for people opens its routes and no other."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from runs_people import Gateway, user
from runs_stack import PREFIX, Stack

from rotation.routes import APPROVE, BREAK_GLASS, EMERGENCY, OPERATE, READ, ROUTES, Route

pytestmark = pytest.mark.sandbox

GLASS = {Route(verb, break_glass=True).key for verb in BREAK_GLASS}
OPENS = {
    "reader": {Route(verb, break_glass=False).key for verb in READ},
    "operator": {Route(verb, break_glass=False).key for verb in (*READ, *OPERATE)},
    "approver": {Route(verb, break_glass=False).key for verb in (*READ, *APPROVE)},
    "emergency": {Route(verb, break_glass=False).key for verb in (*READ, *EMERGENCY)} | GLASS,
    "nobody": set(),
}
ROTATE = f"arn:aws:states:us-east-1:000000000000:stateMachine:{PREFIX}-rotate"


@pytest.fixture(scope="module")
def people(guarded: Stack) -> Mapping[str, Credentials]:
    return {who: user(guarded, who, "" if who == "nobody" else who) for who in OPENS}


@pytest.mark.parametrize("who", OPENS)
def test_a_policy_opens_its_routes_and_no_other(who: str, guarded: Stack, people: Mapping[str, Credentials]) -> None:
    gateway = Gateway(guarded)
    # without fields a verb that changes something is refused by control, after IAM has let it pass
    said = {key: gateway.ask(people[who], route.path) for key, route in ROUTES.items()}
    assert {key for key, answer in said.items() if "ok" in answer.document} == OPENS[who]
    assert {answer.status for answer in said.values() if "ok" not in answer.document} <= {403}


def test_a_signature_holds_for_one_person_and_one_body(guarded: Stack, people: Mapping[str, Credentials]) -> None:
    gateway, reader = Gateway(guarded), people["reader"]
    body: dict[str, object] = {"secrets": []}
    kept = gateway.signed(reader, "/verbs/status", body)
    assert gateway.send("/verbs/status", body, kept).status == 200
    assert gateway.send("/verbs/status", {"secrets": ["another"]}, kept).status == 403
    assert gateway.send("/verbs/switch", body, kept).status == 403
    stolen = Credentials(reader.access_key, "a guess")
    assert gateway.ask(stolen, "/verbs/status", secrets=[]).status == 403


@pytest.mark.parametrize("who", ["operator", "emergency"])
def test_who_holds_a_policy_cannot_pass_by_the_endpoint(
    who: str, guarded: Stack, people: Mapping[str, Credentials]
) -> None:
    keys = people[who]
    # a right from elsewhere, as an account's administrator might have given it
    every = {"Effect": "Allow", "Action": ["lambda:InvokeFunction", "states:StartExecution"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [every]})
    guarded.aws("iam").put_user_policy(UserName=who, PolicyName="elsewhere", PolicyDocument=document)
    login = {"aws_access_key_id": keys.access_key, "aws_secret_access_key": keys.secret_key}
    event = json.dumps({"verb": "status", "secrets": []})
    with pytest.raises(ClientError, match="AccessDenied"):
        guarded.aws("lambda", **login).invoke(FunctionName=f"{PREFIX}-control", Qualifier="live", Payload=event)
    with pytest.raises(ClientError, match="AccessDenied"):
        guarded.aws("stepfunctions", **login).start_execution(stateMachineArn=ROTATE, input="{}")
