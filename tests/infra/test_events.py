"""How consumers hear: a queue that gives up on what nobody can handle, keys that only sign, functions that use both."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from recorded_stacks import Stack

from infra.config import load
from infra.events import GENERATIONS, Events, EventsArgs, receivers
from infra.names import CONTROL, STORES, Names
from infra.providers import declare_providers
from infra.recording import record
from rotation.policy import Consumer, Policy, from_document
from tests.model.world import POLICY

FUNCTION = "aws:lambda/function:Function"
KEY = "aws:kms/key:Key"


def statements(stack: Stack, kind: str) -> dict[str, dict[str, list[str]]]:
    policy = json.loads(stack.one("aws:iam/rolePolicy:RolePolicy", f"keyturn-{stack.name}-{kind}").inputs["policy"])
    return {statement["Sid"]: statement for statement in policy["Statement"]}


def variables(stack: Stack, kind: str) -> dict[str, str]:
    found: dict[str, str] = stack.one(FUNCTION, f"keyturn-{stack.name}-{kind}").inputs["environment"]["variables"]
    return found


def test_events_wait_a_day_in_an_encrypted_queue_and_then_in_its_dead_letters(stack: Stack) -> None:
    queue = stack.one("aws:sqs/queue:Queue", f"keyturn-{stack.name}-invalidations")
    assert (queue.inputs["messageRetentionSeconds"], queue.inputs["sqsManagedSseEnabled"]) == (86_400, True)
    redrive = json.loads(queue.inputs["redrivePolicy"])
    assert redrive["deadLetterTargetArn"].endswith(f":keyturn-{stack.name}-invalidations-dead")
    assert redrive["maxReceiveCount"] == 5
    dead = stack.one("aws:sqs/queue:Queue", f"keyturn-{stack.name}-invalidations-dead")
    assert dead.inputs["messageRetentionSeconds"] == 14 * 86_400


def test_every_generation_of_the_key_signs_and_does_nothing_else(stack: Stack) -> None:
    keys = [stack.one(KEY, f"events-{generation}") for generation in GENERATIONS]
    assert keys
    for key in keys:
        assert (key.inputs["keyUsage"], key.inputs["customerMasterKeySpec"]) == ("SIGN_VERIFY", "ECC_NIST_P256")
        assert not key.inputs.get("enableKeyRotation"), "an asymmetric key cannot"


@pytest.mark.parametrize("kind", STORES)
def test_a_function_of_a_store_sends_to_the_one_queue_and_signs_with_the_one_kind_of_key(
    kind: str, stack: Stack
) -> None:
    found = statements(stack, kind)
    (queue,) = found["TellConsumers"]["Resource"]
    assert queue.endswith(f":keyturn-{stack.name}-invalidations")
    assert found["TellConsumers"]["Action"] == ["sqs:SendMessage"]
    assert [arn.rpartition("/")[2] for arn in found["SignEvents"]["Resource"]] == [f"events-{g}" for g in GENERATIONS]
    assert found["SignEvents"]["Action"] == ["kms:Sign"]
    assert found["SignEvents"]["Condition"] == {"StringEqualsIfExists": {"kms:SigningAlgorithm": "ECDSA_SHA_256"}}


def test_control_tells_nobody(stack: Stack) -> None:
    assert not {"TellConsumers", "SignEvents"} & statements(stack, CONTROL).keys()
    assert not [name for name in variables(stack, CONTROL) if name.startswith("KEYTURN_EVENTS")]


@pytest.mark.parametrize("kind", STORES)
def test_a_function_knows_queue_key_redis_and_where_its_own_store_keeps_the_login(kind: str, stack: Stack) -> None:
    told = variables(stack, kind)
    assert told["KEYTURN_EVENTS_QUEUE_URL"].endswith(f"keyturn-{stack.name}-invalidations")
    assert told["KEYTURN_EVENTS_KEY"].endswith(f"events-{GENERATIONS[-1]}"), "the last generation signs"
    assert told["KEYTURN_EVENTS_REDIS"].endswith(":6379")
    assert told["KEYTURN_EVENTS_REDIS_TLS"] == ("off" if stack.name == "local" else "verify")
    where = {"aws": "keyturn/authority/events", "vault": "keyturn/authority/events"}
    google = told["KEYTURN_EVENTS_AUTHORITY"]
    assert google == where.get(kind, google)
    assert kind != "gcp" or google.endswith("/secrets/keyturn-authority-events")


def test_each_store_has_a_shell_for_the_login_that_only_its_function_reads(stack: Stack) -> None:
    aws = stack.one("aws:secretsmanager/secret:Secret", "keyturn/authority/events")
    assert aws.inputs["name"] == "keyturn/authority/events"
    (deny,) = json.loads(
        stack.one("aws:secretsmanager/secretPolicy:SecretPolicy", "keyturn/authority/events").inputs["policy"]
    )["Statement"]
    assert deny["Effect"] == "Deny"
    readable = statements(stack, "aws")["AuthoritiesOfOwnSecrets"]["Resource"]
    assert [arn for arn in readable if "keyturn/authority/events" in arn]
    rules = stack.one("vault:index/policy:Policy", f"keyturn-{stack.name}-function").inputs["policy"]
    assert 'path "keyturn/data/authority/events" {\n  capabilities = ["read"]\n}' in rules
    stack.one("gcp:secretmanager/secret:Secret", "keyturn-authority-events")
    stack.one("gcp:secretmanager/secretIamMember:SecretIamMember", "keyturn-authority-events-function")


def test_an_event_that_nobody_gets_is_alarmed(stack: Stack) -> None:
    alarms = {alarm.inputs["name"]: alarm.inputs for alarm in stack.of("aws:cloudwatch/metricAlarm:MetricAlarm")}
    for name in ("events-undelivered", "invalidations-dead-letters"):
        assert "docs/runbooks/dead-letters.md" in alarms[f"keyturn-{stack.name}-{name}"]["alarmDescription"]


def test_control_can_tell_people_what_the_stack_publishes(stack: Stack) -> None:
    told = json.loads(variables(stack, CONTROL)["KEYTURN_PUBLISHED"])
    assert (told["stack"], told["rq_queue"]) == (stack.name, f"keyturn-{stack.name}")
    assert told["queue_url"].endswith(f"keyturn-{stack.name}-invalidations")
    assert [key["key_id"].rpartition("/")[2] for key in told["keys"]] == [f"events-{g}" for g in GENERATIONS]
    assert all(key["public_key_pem"] for key in told["keys"])


WEB = "arn:aws:iam::111122223333:role/service/web"


def hearing(name: str, *channels: str, role: str = WEB) -> Policy:
    consumer = Consumer(name="web", kind="client", lead_s=1, role=role)
    return replace(POLICY, name=name, consumers=(consumer,), invalidate=channels)


def test_roles_receive_that_a_policy_names_beside_sqs_and_no_other() -> None:
    other = WEB.replace("web", "other")
    named = [hearing("a/a", "redis", "sqs"), hearing("b/b", "sqs", role="web"), hearing("c/c", "redis", role=other)]
    assert receivers(named) == [WEB]


def test_who_receives_takes_events_and_neither_sends_nor_purges() -> None:
    def program() -> None:
        settings = load()
        Events("events", EventsArgs(names=Names(settings), receivers=[WEB]), declare_providers(settings).options())

    (policy,) = [one for one in record("staging", program=program) if one.type == "aws:sqs/queuePolicy:QueuePolicy"]
    (statement,) = json.loads(policy.inputs["policy"])["Statement"]
    assert policy.name == "keyturn-staging-invalidations"
    assert statement["Action"] == ["sqs:DeleteMessage", "sqs:ReceiveMessage"]
    assert [arn.rpartition(":")[2] for arn in statement["Resource"]] == ["keyturn-staging-invalidations"]
    assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": [WEB]}}


def test_the_roles_that_the_stacks_policies_name_beside_sqs_receive(stack: Stack) -> None:
    queue = f"keyturn-{stack.name}-invalidations"
    (policy,) = [one for one in stack.of("aws:sqs/queuePolicy:QueuePolicy") if one.name == queue]
    (statement,) = json.loads(policy.inputs["policy"])["Statement"]
    documents = [one for one in stack.of("aws:s3/bucketObjectv2:BucketObjectv2") if "policies/" in one.inputs["key"]]
    declared = [from_document(one.inputs["content"]) for one in documents]
    assert statement["Condition"]["ArnEquals"]["aws:PrincipalArn"] == receivers(declared) != []


def test_policies_that_name_nobody_beside_sqs_grant_nothing() -> None:
    def program() -> None:
        settings = load()
        Events("events", EventsArgs(names=Names(settings), receivers=[]), declare_providers(settings).options())

    assert not [one for one in record("staging", program=program) if one.type == "aws:sqs/queuePolicy:QueuePolicy"]
