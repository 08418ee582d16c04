"""Events reach control by rules of their own, which may invoke its alias only, and none is lost in silence."""

from __future__ import annotations

import json
from typing import Any

import pytest
from recorded_stacks import Recorded, Stack

from infra.triggers import PATTERN_LIMIT, SEES_READS, _chunks
from policies import ALL

RULE, TARGET = "aws:cloudwatch/eventRule:EventRule", "aws:cloudwatch/eventTarget:EventTarget"
PERMISSION = "aws:lambda/permission:Permission"
KINDS = ("findings", "labels-0", "reads-0")


def prefix(stack: Stack) -> str:
    return f"keyturn-{stack.name}-trigger-"


def rules(stack: Stack) -> dict[str, Recorded]:
    found = {rule.inputs["name"]: rule for rule in stack.of(RULE)}
    return {name.removeprefix(prefix(stack)): rule for name, rule in found.items() if name.startswith(prefix(stack))}


def pattern(stack: Stack, what: str) -> Any:
    return json.loads(rules(stack)[what].inputs["eventPattern"])


def test_there_is_a_rule_for_findings_one_for_labels_and_one_for_reads(stack: Stack) -> None:
    assert sorted(rules(stack)) == sorted(KINDS)


@pytest.mark.parametrize("what", KINDS)
def test_a_rule_believes_its_own_account_only_and_fits(stack: Stack, what: str) -> None:
    assert len(pattern(stack, what)["account"][0]) == 12
    assert len(rules(stack)[what].inputs["eventPattern"]) <= PATTERN_LIMIT


@pytest.mark.parametrize("what", KINDS)
def test_a_rule_may_invoke_controls_alias_and_keeps_what_it_cannot_deliver(stack: Stack, what: str) -> None:
    full = f"{prefix(stack)}{what}"
    target, leave = stack.one(TARGET, full).inputs, stack.one(PERMISSION, full).inputs
    assert f"function:keyturn-{stack.name}-control" in target["arn"] or "control" in target["arn"]
    assert target["deadLetterConfig"]["arn"].endswith(f":keyturn-{stack.name}-triggers-dead")
    assert (leave["principal"], leave["qualifier"]) == ("events.amazonaws.com", "live")
    assert leave["sourceArn"].endswith(full), "no other rule of the account"


def test_only_the_rules_may_fill_the_dead_letters_and_somebody_is_woken(stack: Stack) -> None:
    dead = stack.one("aws:sqs/queuePolicy:QueuePolicy", f"keyturn-{stack.name}-triggers-dead")
    (statement,) = json.loads(dead.inputs["policy"])["Statement"]
    assert sorted(arn.rpartition("trigger-")[2] for arn in statement["Condition"]["ArnEquals"]["aws:SourceArn"]) == [
        *KINDS
    ]
    alarms = {alarm.inputs["name"]: alarm.inputs for alarm in stack.of("aws:cloudwatch/metricAlarm:MetricAlarm")}
    assert f"keyturn-{stack.name}-triggers-dead-letters" in alarms
    for name in ("version-moved-outside", "trigger-refused"):
        assert "docs/runbooks/triggers.md" in alarms[f"keyturn-{stack.name}-{name}"]["alarmDescription"]


def test_reads_are_seen_of_the_secrets_that_ask_for_it_only_and_not_those_of_our_function(stack: Stack) -> None:
    assert rules(stack)["reads-0"].inputs["state"] == SEES_READS
    detail = pattern(stack, "reads-0")["detail"]
    named = [one for one in detail["requestParameters"]["secretId"] if isinstance(one, str)]
    assert named == [one.path for one in ALL if one.store == "aws" and "human-read" in one.triggers]
    assert detail["errorCode"] == [{"exists": False}], "a read that was refused is no invocation"
    own = detail["$or"][1]["userIdentity"]["sessionContext"]["sessionIssuer"]["arn"][0]["anything-but"]
    assert own[0].endswith(f":role/keyturn-{stack.name}-aws")


def test_many_secrets_make_several_rules_and_none_too_long() -> None:
    items = [[f"group/secret-{i:04}"] for i in range(500)]
    made = _chunks(items, lambda held: {"detail": {"name": held}})
    assert len(made) > 1
    assert max(len(json.dumps(one)) for one in made) <= PATTERN_LIMIT
    assert [name for one in made for name in one["detail"]["name"]] == [name for (name,) in items]


def test_control_may_read_where_secrets_lie(stack: Stack) -> None:
    role = stack.one("aws:iam/rolePolicy:RolePolicy", f"keyturn-{stack.name}-control")
    statements = {one["Sid"]: one for one in json.loads(role.inputs["policy"])["Statement"]}
    assert [arn.rpartition("/")[2] for arn in statements["CatalogueIndex"]["Resource"]] == ["index.txt", "places.txt"]
    lines = stack.one("aws:s3/bucketObjectv2:BucketObjectv2", "places.txt").inputs["content"].splitlines()
    assert "vault\tkeyturn/partners/api-token\tpartners/api-token\tleak,human-read" in lines
