"""Consumers hold the old credential: their own signed messages, through the real gateway, to the deployed gate."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import botocore.session
import pytest
from botocore.credentials import Credentials
from runs_catalogue import altered
from runs_credentials import API_TOKEN
from runs_people import ACCOUNT, session
from runs_stack import PREFIX, Ended, Stack

from keyturn.client.errors import ClientError
from keyturn.client.transports.signed_endpoint import SignedEndpoint
from rotation.control.desk import run_id_of

pytestmark = pytest.mark.sandbox

NAME = API_TOKEN.name
WEB = {"name": "web", "kind": "client", "lead_s": 1, "role": f"{ACCOUNT}:role/token-web"}
RETIRE = f"arn:aws:states:us-east-1:000000000000:stateMachine:{PREFIX}-retire"


@dataclass(frozen=True, kw_only=True)
class Held:
    """What came of a retirement while one of two instances used the old version, and after it had changed over."""

    forged: str
    shown: dict[str, Any]
    asked: dict[str, Any]
    refused: Ended
    passed: Ended
    new: str


class Sender:
    """An instance of a service, as the client library sends for it."""

    def __init__(self, stack: Stack, who: Credentials) -> None:
        apis = stack.aws("apigatewayv2").get_apis()["Items"]
        (url,) = [api["ApiEndpoint"] for api in apis if api["Name"] == f"{PREFIX}-endpoint"]
        own = botocore.session.Session()
        own.set_credentials(who.access_key, who.secret_key, who.token)
        region = stack.facts.aws_region
        self._send = SignedEndpoint(stack.facts.aws_endpoint, region, session=own, host=urlsplit(url).netloc)

    def say(self, instance: str, version: str, **forged: str) -> str:
        """One message; the reason of its refusal, "" for none."""
        message = {"secret": NAME, "consumer": "web", "instance": instance, "version": version, "lease_s": 300}
        try:
            self._send({**message, **forged})
        except ClientError as exc:
            return exc.reason
        return ""


@pytest.fixture(scope="module")
def held(stack: Stack, lives: object) -> Iterator[Held]:
    stack.settle(NAME)
    web = Sender(stack, session(stack, "token-web", "i-1", "reader"))
    batch = Sender(stack, session(stack, "token-batch", "i-1", "reader"))
    with altered(stack, NAME, lambda policy: policy.update(consumers=[WEB], acknowledge_s=3_600)):
        rotated = stack.rotate(NAME)
        overlap, new = stack.head(NAME)["overlap"], rotated.run["run_id"]
        forged = batch.say("one", new, actor=WEB["role"], requested_by=WEB["role"])
        # the one knows Keyturn's id from an event, the other what the store calls it
        assert (web.say("one", new), web.say("two", overlap["old"]["id"])) == ("", "")
        asked = stack.ask("overlap_close", secret=NAME, reason="a test")
        shown = stack.verb("consumers", secret=NAME)
        _over(stack)
        refused = stack.ended(_by_hand(stack))
        assert web.say("two", overlap["new"]["id"]) == ""
        yield Held(forged=forged, shown=shown, asked=asked, refused=refused, passed=stack.retire(NAME), new=new)


def _over(stack: Stack) -> None:
    """The overlap is over at once: a retirement that nobody waits for would end it, so that is put into the row."""
    stack.aws("dynamodb").update_item(
        TableName=f"{PREFIX}-ledger",
        Key={"pk": {"S": f"secret#{NAME}"}, "sk": {"S": "head"}},
        UpdateExpression="SET #o.retire_at = :now",
        ExpressionAttributeNames={"#o": "overlap"},
        ExpressionAttributeValues={":now": {"S": "2026-01-01T00:00:00.000000Z"}},
    )


def _by_hand(stack: Stack) -> dict[str, str]:
    """The machine without its verb, which would refuse."""
    given = {"secret": NAME, "reason": "a test", "requested_by": "test", "resume": "", "flags": ""}
    started = stack.aws("stepfunctions").start_execution(
        stateMachineArn=RETIRE, name=f"by-hand-{secrets.token_hex(8)}", input=json.dumps(given)
    )
    execution = started["executionArn"]
    return {"execution": execution, "run_id": run_id_of(execution)}


def test_who_is_another_role_acknowledges_nothing_whatever_the_message_says(held: Held) -> None:
    assert held.forged == "not_this_consumer"


def test_each_instance_is_shown_with_what_it_uses_and_who_it_is(held: Held) -> None:
    (web,) = held.shown["consumers"]
    assert (held.shown["version"], web["state"], web["live"], web["acknowledged"]) == (held.new, "behind", 2, 1)
    instances = {one["instance"]: one for one in web["instances"]}
    assert (instances["one"]["version"] == held.new, instances["two"]["version"] == held.new) == (True, False)
    assert {one["actor"] for one in web["instances"]} == {"arn:aws:sts::000000000000:assumed-role/token-web/i-1"}


def test_a_person_is_told_which_instance_still_needs_the_old_credential(held: Held) -> None:
    assert (held.asked["ok"], held.asked["reason"]) == (False, "not_acknowledged")
    assert "web/two" in held.asked["message"]


def test_the_machine_stops_at_its_gate_before_anything_is_revoked(held: Held) -> None:
    assert (held.refused.status, held.refused.error, held.refused.cause) == (
        "FAILED",
        "not_acknowledged",
        "acknowledge",
    )
    assert [step["step"] for step in held.refused.run["steps"]] == ["acknowledge"]


def test_once_all_have_acknowledged_it_is_retired_and_the_run_says_who_had(held: Held) -> None:
    assert (held.passed.status, held.passed.step("prove")["facts"]["proof"]) == ("SUCCEEDED", "dead")
    facts = held.passed.step("acknowledge")["facts"]
    assert (facts["version"], facts["consumers"]) == (held.new, "web 2 of 2: acknowledged")
    assert all(f"web/{name} 20" in facts["acknowledged"] for name in ("one", "two"))
