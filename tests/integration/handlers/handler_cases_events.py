"""Cases of what carries and watches events: SQS, SNS, Scheduler, EventBridge, CloudWatch."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from handler_cases import Case, case
from handler_world import World, action_of, document


@case("aws:sqs/queue:Queue")
def queue(world: World, _: Path) -> Case:
    dead = world.queue("dead")["arn"]

    def seen(id_: str) -> Any:
        found = world.aws("sqs").get_queue_attributes(QueueUrl=id_, AttributeNames=["All"])["Attributes"]
        target = json.loads(found["RedrivePolicy"])["deadLetterTargetArn"] if found.get("RedrivePolicy") else None
        return found["MessageRetentionPeriod"], found["VisibilityTimeout"], target

    redrive = json.dumps({"deadLetterTargetArn": dead, "maxReceiveCount": 5})
    return Case(
        before={"messageRetentionSeconds": 1_209_600, "redrivePolicy": redrive, "sqsManagedSseEnabled": True},
        after={"visibilityTimeoutSeconds": 90},
        seen=seen,
        was=("1209600", "30", dead),
        becomes=("345600", "90", None),
    )


@case("aws:sqs/queuePolicy:QueuePolicy")
def queue_policy(world: World, _: Path) -> Case:
    url = world.queue()["url"]

    def seen(id_: str) -> Any:
        found = world.aws("sqs").get_queue_attributes(QueueUrl=id_, AttributeNames=["Policy"])
        return action_of(found["Attributes"]["Policy"])

    return Case(
        before={"queueUrl": url, "policy": document("sqs:SendMessage")},
        after={"queueUrl": url, "policy": document("sqs:ReceiveMessage")},
        seen=seen,
        was="sqs:SendMessage",
        becomes="sqs:ReceiveMessage",
    )


@case("aws:sns/topic:Topic")
def topic(world: World, _: Path) -> Case:
    def seen(id_: str) -> Any:
        found = world.aws("sns").get_topic_attributes(TopicArn=id_)["Attributes"]
        return found["DisplayName"], found.get("KmsMasterKeyId", "")

    return Case(
        before={"displayName": "one", "kmsMasterKeyId": "alias/aws/sns"},
        after={"displayName": "two"},
        seen=seen,
        was=("one", "alias/aws/sns"),
        becomes=("two", ""),
    )


@case("aws:sns/topicPolicy:TopicPolicy")
def topic_policy(world: World, _: Path) -> Case:
    arn = world.make("aws:sns/topic:Topic")["arn"]

    def seen(id_: str) -> Any:
        return action_of(world.aws("sns").get_topic_attributes(TopicArn=id_)["Attributes"]["Policy"])

    return Case(
        before={"arn": arn, "policy": document("SNS:Publish", Resource=arn)},
        after={"arn": arn, "policy": document("SNS:Subscribe", Resource=arn)},
        seen=seen,
        was="SNS:Publish",
        becomes="SNS:Subscribe",
    )


@case("aws:sns/topicSubscription:TopicSubscription")
def subscription(world: World, _: Path) -> Case:
    arn = world.make("aws:sns/topic:Topic")["arn"]

    def seen(_id: str) -> Any:
        found = world.aws("sns").list_subscriptions_by_topic(TopicArn=arn)["Subscriptions"]
        return [(each["Protocol"], each["Endpoint"]) for each in found]

    # every input replaces: an update finds it as it is
    inputs = {"topic": arn, "protocol": "email", "endpoint": "on-call@example.org"}
    there = [("email", "on-call@example.org")]
    return Case(before=inputs, after=inputs, seen=seen, was=there, becomes=there)


@case("aws:scheduler/schedule:Schedule")
def schedule(world: World, _: Path) -> Case:
    target = {"arn": world.queue()["arn"], "roleArn": world.role()["arn"], "input": "{}"}
    retry = {"maximumRetryAttempts": 3, "maximumEventAgeInSeconds": 600}
    inputs = {"flexibleTimeWindow": {"mode": "OFF"}, "target": target}

    def seen(id_: str) -> Any:
        found = world.aws("scheduler").get_schedule(Name=id_.removeprefix("default/"))
        return found["ScheduleExpression"], found["State"], found["Target"].get("RetryPolicy")

    return Case(
        before={**inputs, "scheduleExpression": "rate(5 minutes)"},
        after={
            **inputs,
            "scheduleExpression": "rate(9 minutes)",
            "state": "DISABLED",
            "target": {**target, "retryPolicy": retry},
        },
        seen=seen,
        was=("rate(5 minutes)", "ENABLED", None),
        becomes=("rate(9 minutes)", "DISABLED", {"MaximumRetryAttempts": 3, "MaximumEventAgeInSeconds": 600}),
    )


@case("aws:cloudwatch/eventRule:EventRule")
def rule(world: World, _: Path) -> Case:
    def seen(id_: str) -> Any:
        found = world.aws("events").describe_rule(Name=id_)
        return json.loads(found["EventPattern"]), found["Description"]

    return Case(
        before={"eventPattern": json.dumps({"source": ["one"]}), "description": "first"},
        after={"eventPattern": json.dumps({"source": ["two"]}), "description": "second"},
        seen=seen,
        was=({"source": ["one"]}, "first"),
        becomes=({"source": ["two"]}, "second"),
    )


@case("aws:cloudwatch/eventTarget:EventTarget")
def target(world: World, _: Path) -> Case:
    name = world.make("aws:cloudwatch/eventRule:EventRule", eventPattern=json.dumps({"source": ["one"]}))["name"]
    first, second, dead = (world.queue(name)["arn"] for name in ("first", "second", "dead"))

    def seen(_id: str) -> Any:
        found = world.aws("events").list_targets_by_rule(Rule=name)["Targets"]
        return [(each["Id"], each["Arn"], each.get("DeadLetterConfig")) for each in found]

    return Case(
        before={"rule": name, "targetId": "queue", "arn": first},
        after={"rule": name, "targetId": "queue", "arn": second, "deadLetterConfig": {"arn": dead}},
        seen=seen,
        was=[("queue", first, None)],
        becomes=[("queue", second, {"Arn": dead})],
    )


@case("aws:cloudwatch/metricAlarm:MetricAlarm")
def alarm(world: World, _: Path) -> Case:
    arn = world.make("aws:sns/topic:Topic")["arn"]
    inputs = {
        "namespace": "Keyturn",
        "metricName": "Failed",
        "statistic": "Sum",
        "period": 60,
        "evaluationPeriods": 3,
        "comparisonOperator": "GreaterThanThreshold",
        "treatMissingData": "notBreaching",
    }

    def seen(id_: str) -> Any:
        found = world.aws("cloudwatch").describe_alarms(AlarmNames=[id_])["MetricAlarms"][0]
        return found["Threshold"], found["Dimensions"], found["AlarmActions"], found["OKActions"]

    return Case(
        before={**inputs, "threshold": 1, "dimensions": {"lowerCase": "x"}, "alarmActions": [arn]},
        after={**inputs, "threshold": 2, "okActions": [arn]},
        seen=seen,
        was=(1.0, [{"Name": "lowerCase", "Value": "x"}], [arn], []),
        becomes=(2.0, [], [], [arn]),
    )
