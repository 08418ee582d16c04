"""Events lead to runs of a deployed stack: leaks on the bus, a person's reads in OpenBao's audit device and in AWS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import hvac
import pytest
from runs_bus import ACCOUNT, answers, deliver, put, replaced, rotations, sent, trigger
from runs_credentials import API_TOKEN, NAMES, POSTGRES, SIGNING_KEY
from runs_stack import PREFIX, Stack
from runs_stores import MOUNT, VaultReader
from runs_targets import ACCEPTED, show_postgres

from sandbox.audit import ship

pytestmark = [pytest.mark.sandbox, pytest.mark.openbao, pytest.mark.postgres]

ALICE = "token-alice"


@pytest.fixture(scope="module")
def begun(stack: Stack) -> Stack:
    """Every credential has a current version and no open overlap."""
    for name in NAMES:
        stack.settle(name)
        if stack.head(name)["current"] is None:
            assert stack.rotate(name).status == "SUCCEEDED"
            stack.settle(name)
    return stack


@pytest.fixture
def alice(stack: Stack) -> Iterator[Any]:
    """A person's own token at OpenBao, not one of the names that policies or Keyturn have."""
    root = hvac.Client(url=stack.facts.vault_address, token=stack.credentials.vault_root_token)
    made = root.auth.token.create(policies=["root"], display_name="alice")
    person = hvac.Client(url=stack.facts.vault_address, token=made["auth"]["client_token"])
    with closing(root.adapter), closing(person.adapter):
        yield person.secrets.kv.v2


def test_a_leak_on_the_bus_rotates_in_an_emergency_and_the_same_event_again_does_not(begun: Stack) -> None:
    before, old = len(rotations(begun, POSTGRES.name)), POSTGRES.reader(begun).live()
    found = trigger(f"finding-{uuid4()}", "leak", secrets=[POSTGRES.name], reference="https://example.com/alert/7")
    sent(begun, found["id"], lambda: put(begun, found))
    run = replaced(begun, POSTGRES.name, before)
    assert (run["emergency"], run["requested_by"]) == (True, "event:keyturn.triggers")
    assert run["reason"].startswith("leak by scanner at ")
    assert run["reason"].endswith(f"(keyturn.triggers {found['id']}, see https://example.com/alert/7)")
    assert show_postgres(begun.facts, old.text) == POSTGRES.refusal, "what leaked is dead, without an overlap"
    assert show_postgres(begun.facts, POSTGRES.reader(begun).live().text) == ACCEPTED
    again = sent(begun, found["id"], lambda: put(begun, found), len(answers(begun, found["id"])) + 1)
    assert again["policies"] == [f"{POSTGRES.name} repeated"]
    assert len(rotations(begun, POSTGRES.name)) == before + 1


def test_an_off_boarding_rotates_what_has_the_trigger_and_leaves_the_rest_alone(begun: Stack) -> None:
    before = len(rotations(begun, SIGNING_KEY.name))
    leaves = trigger(str(uuid4()), "offboarding", actor="alice@example.com", secrets=[SIGNING_KEY.name, API_TOKEN.name])
    said = sent(begun, leaves["id"], lambda: put(begun, leaves))["policies"]
    run = replaced(begun, SIGNING_KEY.name, before)
    assert run["reason"].startswith("offboarding by alice@example.com at ")
    assert said == [f"{SIGNING_KEY.name} started", f"{API_TOKEN.name} not_a_trigger"]


def test_a_person_who_reads_the_live_path_in_openbao_makes_it_rotate_once(begun: Stack, alice: Any) -> None:
    device = begun.layout.vault_audit
    begin, before = device.stat().st_size, len(rotations(begun, API_TOKEN.name))
    shown = alice.read_secret_version("partners/api-token", mount_point=MOUNT, raise_on_deleted_version=True)
    begun.remember(json.dumps(shown["data"]["data"]))
    value = shown["data"]["data"]["token"]
    person = next(record for record in _records(begun, begin) if record["auth"]["display_name"] == ALICE)
    sent(begun, person["request"]["id"], lambda: ship(begun.layout, begun.facts, begin))
    run = replaced(begun, API_TOKEN.name, before)
    assert run["emergency"]
    assert run["reason"].startswith(f"human-read by {ALICE} at ")
    # the run's own reads are in the device by now, and the person's once more
    heard = len(answers(begun, person["request"]["id"]))
    again = sent(begun, person["request"]["id"], lambda: ship(begun.layout, begun.facts, begin), heard + 1)
    assert again["policies"] == [f"{API_TOKEN.name} repeated"]
    own = [one for one in _records(begun, begin) if one["auth"]["display_name"] == f"jwt-{PREFIX}-vault"]
    assert own
    theirs = sent(begun, own[-1]["request"]["id"], lambda: ship(begun.layout, begun.facts, begin))
    assert theirs["reason"] in ("own_read", "own_move")
    assert len(rotations(begun, API_TOKEN.name)) == before + 1
    assert value not in json.dumps(run)


def _records(stack: Stack, begin: int) -> list[dict[str, Any]]:
    """Answers about live and pending path that the device has."""
    with stack.layout.vault_audit.open("rb") as device:
        device.seek(begin)
        records = [json.loads(line) for line in device.read().splitlines()]
    return [
        one
        for one in records
        if one["type"] == "response"
        and one["request"].get("path") == f"{MOUNT}/data/partners/api-token"
        and one.get("response", {}).get("data")
    ]


def test_what_a_person_writes_past_keyturn_is_found_by_the_audit_device_too(begun: Stack, alice: Any) -> None:
    reader = VaultReader(begun, "partners/api-token")
    with closing(reader.client.adapter):
        live = reader.live()
    # after that read, which would count as a person's
    begin = begun.layout.vault_audit.stat().st_size
    alice.create_or_update_secret(
        "partners/api-token", secret=json.loads(live.text), cas=int(live.version), mount_point=MOUNT
    )
    (written,) = [one for one in _records(begun, begin) if one["request"]["operation"] == "update"]
    answer = sent(begun, written["request"]["id"], lambda: ship(begun.layout, begun.facts, begin))
    assert (answer["kind"], answer["policies"]) == ("outside-change", [f"{API_TOKEN.name} adopted"])
    assert begun.head(API_TOKEN.name)["current"]["id"] == str(int(live.version) + 1)


def read_call(session: str, role: str, **changes: Any) -> dict[str, Any]:
    """A GetSecretValue as CloudTrail would put it on the bus, which the emulator's does not."""
    issuer = {"type": "Role", "arn": f"arn:aws:iam::{ACCOUNT}:role/{role}"}
    who = {
        "type": "AssumedRole",
        "arn": f"arn:aws:sts::{ACCOUNT}:assumed-role/{role}/{session}",
        "sessionContext": {"sessionIssuer": issuer},
    }
    detail = {
        "userIdentity": who,
        "eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "GetSecretValue",
        "requestParameters": {"secretId": POSTGRES.name},
        "eventID": str(uuid4()),
        **changes,
    }
    return {
        "version": "0",
        "id": str(uuid4()),
        "source": "aws.secretsmanager",
        "detail-type": "AWS API Call via CloudTrail",
        "account": ACCOUNT,
        "region": "us-east-1",
        "time": detail["eventTime"],
        "resources": [],
        "detail": detail,
    }


def test_a_read_in_aws_of_the_documented_shape_rotates_where_a_person_did_it(begun: Stack) -> None:
    begun.settle(POSTGRES.name)
    before = len(rotations(begun, POSTGRES.name))
    said = [
        deliver(begun, read_call("pod", "payments-app"))["secrets"],
        deliver(begun, read_call("f", f"{PREFIX}-aws"))["reason"],
        deliver(begun, read_call("alice", "administrators", errorCode="AccessDenied"))["reason"],
    ]
    assert said == [{POSTGRES.name: "declared_reader"}, "own_read", "nothing_read"]
    event = read_call("alice", "administrators")
    assert deliver(begun, event)["secrets"] == {POSTGRES.name: "started"}
    assert deliver(begun, event)["secrets"] == {POSTGRES.name: "repeated"}
    run = replaced(begun, POSTGRES.name, before)
    assert f"human-read by arn:aws:sts::{ACCOUNT}:assumed-role/administrators/alice at " in run["reason"]


@pytest.mark.parametrize(
    ("event", "matches"),
    [
        (read_call("alice", "administrators"), True),
        (read_call("f", f"{PREFIX}-aws"), False),
        (read_call("alice", "administrators", errorCode="AccessDenied"), False),
        (read_call("alice", "administrators", requestParameters={"secretId": "billing/other"}), False),
        (read_call("", "", userIdentity={"type": "Root", "arn": f"arn:aws:iam::{ACCOUNT}:root"}), True),
    ],
    ids=["a person", "our function", "refused", "another secret", "no session"],
)
def test_the_declared_rule_lets_through_reads_by_others_and_no_more(
    stack: Stack, event: dict[str, Any], *, matches: bool
) -> None:
    events = stack.aws("events")
    pattern = events.describe_rule(Name=f"{PREFIX}-trigger-reads-0")["EventPattern"]
    assert events.test_event_pattern(EventPattern=pattern, Event=json.dumps(event))["Result"] is matches


def test_nobody_but_aws_can_put_its_events_on_the_bus(stack: Stack) -> None:
    event = read_call("alice", "administrators")
    entry = {"Source": event["source"], "DetailType": event["detail-type"], "Detail": json.dumps(event["detail"])}
    answer = stack.aws("events").put_events(Entries=[entry])
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"


def test_what_is_malformed_starts_nothing_and_is_told(stack: Stack) -> None:
    told = deliver(stack, {**read_call("alice", "administrators"), "account": "999999999999"})
    assert (told["outcome"], told["reason"], told["secrets"]) == ("refused", "foreign_account", {})
    metrics = stack.aws("cloudwatch").list_metrics(Namespace="Keyturn")["Metrics"]
    assert "TriggerRefused" in {metric["MetricName"] for metric in metrics}
