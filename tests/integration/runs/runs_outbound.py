"""Credentials whose rotation needs others: consumers that acknowledge, a person who agrees. Their lives, told once.

The webhook key at the partner that verifies with it, the access key of the export job at STS. Each consumer is a
session of the very role that its policy names, with the right to acknowledge and no other.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import boto3
from botocore.credentials import Credentials
from botocore.exceptions import ClientError
from runs_people import ACCOUNT, Gateway, another, session
from runs_stack import Ended, Stack, until
from runs_stores import AwsReader, Reader, Seen, VaultReader
from runs_targets import ACCEPTED
from standardwebhooks.webhooks import Webhook

from infra.documents import allow, document
from sandbox.facts import Facts
from sandbox.wire import ask

ACKNOWLEDGE = "/verbs/acknowledge"


@dataclass(frozen=True, kw_only=True)
class Outbound:
    """One such credential. role, consumer: who acknowledges. approver: the role that agrees, if any has to."""

    name: str
    reader: Callable[[Stack], Reader]
    show: Callable[[Facts, str], str]
    refusal: str
    role: str
    consumer: str
    approver: str = ""


@dataclass(frozen=True, kw_only=True)
class Told:
    """What was seen of it. early: the answer to whoever would revoke before the consumer had the new one."""

    rotated: Ended
    early: dict[str, Any]
    retired: Ended
    shown: dict[str, str]


def live_outbound(stack: Stack, credential: Outbound) -> Told:
    """First value, rotation, and the end of the overlap once the consumer has acknowledged."""
    gateway, consumer = Gateway(stack), _service(stack, credential.role)
    if credential.approver:
        session(stack, credential.approver, "carol", "approver")
    with closing(credential.reader(stack)) as reader:
        first = _rotated(stack, gateway, credential)
        assert first.status == "SUCCEEDED", first.run
        old = reader.live()
        _acknowledge(gateway, consumer, credential, first)
        rotated = _rotated(stack, gateway, credential)
        new = reader.live()
        shown = {"old": old, "new": new}
        both = {f"{name}, in the overlap": _show(stack, credential, seen) for name, seen in shown.items()}
        early = stack.ask("overlap_close", secret=credential.name, reason="a test")
        _acknowledge(gateway, consumer, credential, rotated)
        retired = stack.retire(credential.name)
        last = {f"{name}, retired": _show(stack, credential, seen) for name, seen in shown.items()}
        return Told(rotated=rotated, early=early, retired=retired, shown=both | last)


def _show(stack: Stack, credential: Outbound, seen: Seen) -> str:
    return credential.show(stack.facts, seen.text)


def _rotated(stack: Stack, gateway: Gateway, credential: Outbound) -> Ended:
    begun = stack.begin("rotate", credential.name)
    if credential.approver:
        until(lambda: _waits(stack, begun["run_id"]), f"the request of {credential.name}")
        who = another(stack, credential.approver, "carol")
        said = gateway.ask(who, "/verbs/approve", run_id=begun["run_id"], reason="between two exports")
        assert said.status == 200, said
    return stack.ended(begun)


def _waits(stack: Stack, run_id: str) -> bool | None:
    return any(one["run_id"] == run_id for one in stack.verb("approvals")) or None


def _acknowledge(gateway: Gateway, who: Credentials, credential: Outbound, rotated: Ended) -> None:
    """As an instance of the consumer does once it uses the version."""
    message = {"secret": credential.name, "consumer": credential.consumer, "instance": "one", "lease_s": 300}
    said = gateway.ask(who, ACKNOWLEDGE, **message, version=rotated.run["run_id"])
    assert said.status == 200, said


def _service(stack: Stack, role: str) -> Credentials:
    """A session of an application's role: it may acknowledge."""
    iam = stack.aws("iam")
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"{ACCOUNT}:root"}}
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=json.dumps(document([trust])))
    route = f"arn:aws:execute-api:{stack.facts.aws_region}:{stack.facts.aws_account_id}:*/$default/POST{ACKNOWLEDGE}"
    rules = document([allow("Acknowledge", ["execute-api:Invoke"], [route])])
    iam.put_role_policy(RoleName=role, PolicyName="acknowledge", PolicyDocument=json.dumps(rules))
    return another(stack, role, "i-1")


def show_webhooks(facts: Facts, text: str) -> str:
    """Deliver an event that the key signs; `accepted`, or status and slug."""
    body, now = '{"type": "partner.paid"}', datetime.now(UTC)
    identifier = f"msg_{now.timestamp()}".replace(".", "")
    signed = Webhook(json.loads(text)["key"]).sign(identifier, now, body)
    headers = {
        "webhook-id": identifier,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signed,
    }
    port = urlsplit(facts.webhooks_url).port
    assert port
    status, answer = ask(port, "POST", "/endpoints/partners/deliver", json.loads(body), headers=headers)
    return ACCEPTED if status == 200 else f"{status} {answer['error']}"


def show_sts(facts: Facts, text: str) -> str:
    """Ask STS who signs with the key; `accepted`, or the code."""
    fields = json.loads(text)
    client = boto3.client(
        "sts",
        endpoint_url=facts.aws_endpoint,
        region_name=facts.aws_region,
        aws_access_key_id=fields["access_key_id"],
        aws_secret_access_key=fields["secret_access_key"],
    )
    with closing(client):
        try:
            who = client.get_caller_identity()["Arn"]
        except ClientError as exc:
            return str(exc.response["Error"]["Code"])
    assert who.endswith(":user/keyturn-exports")
    return ACCEPTED


WEBHOOK_KEY = Outbound(
    name="partners/webhook-key",
    reader=lambda stack: VaultReader(stack, "partners/webhook-key"),
    show=show_webhooks,
    refusal="401 no_matching_signature",
    role="webhook-sender",
    consumer="webhook-sender",
)
IAM_KEY = Outbound(
    name="exports/iam-key",
    reader=lambda stack: AwsReader(stack, "exports/iam-key"),
    show=show_sts,
    refusal="InvalidClientTokenId",
    role="exports-app",
    consumer="uploader",
    approver="exports-lead",
)
