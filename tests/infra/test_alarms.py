"""Each alarm says what is wrong and where to read on; only the silence of the sweep is alarmed by missing data."""

from __future__ import annotations

import re

from recorded_stacks import Stack

from infra.config import ROOT
from infra.names import FUNCTIONS, MACHINES

ALARM = "aws:cloudwatch/metricAlarm:MetricAlarm"


def test_every_alarm_names_a_runbook_that_exists_and_is_announced(stack: Stack) -> None:
    for alarm in stack.of(ALARM):
        found = re.search(r"Runbook: (docs/runbooks/[a-z-]+\.md)$", alarm.inputs["alarmDescription"])
        assert found, alarm.name
        text = (ROOT / found.group(1)).read_text()
        for part in (
            "**What it means.**",
            "**Look at.**",
            "**The one safe verb.**",
            "keyturn status",
            "keyturn history",
        ):
            assert part in text, (found.group(1), part)
        assert alarm.inputs["alarmActions"] == alarm.inputs["okActions"]
        assert alarm.inputs["alarmActions"][0].endswith(f":keyturn-{stack.name}-alarms")


def test_every_function_machine_and_dead_letter_queue_is_watched(stack: Stack) -> None:
    watched = {(one.inputs["metricName"], *one.inputs["dimensions"].values()) for one in stack.of(ALARM)}
    prefix = f"keyturn-{stack.name}"
    for kind in FUNCTIONS:
        assert {("Errors", f"{prefix}-{kind}"), ("Throttles", f"{prefix}-{kind}")} <= watched
    for queue in stack.of("aws:sqs/queue:Queue"):
        if queue.name.endswith("-dead"):
            assert ("ApproximateNumberOfMessagesVisible", queue.inputs["name"]) in watched
    failed = {arn.rpartition(":")[2] for metric, arn in watched if metric == "ExecutionsFailed"}
    assert failed == {f"{prefix}-{kind}" for kind in MACHINES}


def test_a_sweep_that_says_nothing_is_an_alarm_and_nothing_else_is(stack: Stack) -> None:
    breaching = [one for one in stack.of(ALARM) if one.inputs["treatMissingData"] != "notBreaching"]
    (silent,) = breaching
    assert silent.inputs["treatMissingData"] == "breaching"
    assert silent.inputs["metricName"] == "ExecutionsSucceeded"
    assert silent.inputs["comparisonOperator"] == "LessThanThreshold"
    assert silent.inputs["dimensions"]["StateMachineArn"].endswith(f":keyturn-{stack.name}-sweep")
    # longer than the schedule's period, or every late tick would wake someone
    assert silent.inputs["period"] >= 2 * 300


def test_the_topic_is_encrypted_and_reaches_a_person_in_real_stacks(stacks: dict[str, Stack]) -> None:
    for name, stack in stacks.items():
        (topic,) = stack.of("aws:sns/topic:Topic")
        assert topic.inputs["kmsMasterKeyId"]
        subscriptions = [one for one in stack.resources if one.type == "aws:sns/topicSubscription:TopicSubscription"]
        assert len(subscriptions) == (0 if name == "local" else 1)


def test_a_deployment_of_each_function_rolls_back_on_its_own_alarms(stack: Stack) -> None:
    alarms = {alarm.inputs["name"] for alarm in stack.of(ALARM)}
    for group in stack.of("aws:codedeploy/deploymentGroup:DeploymentGroup"):
        watched = group.inputs["alarmConfiguration"]
        assert watched["enabled"] is True
        assert set(watched["alarms"]) == {f"{group.name}-errors", f"{group.name}-throttles"} <= alarms
        rollback = group.inputs["autoRollbackConfiguration"]
        assert rollback == {"enabled": True, "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"]}
    assert len(stack.of("aws:codedeploy/deploymentGroup:DeploymentGroup")) == len(FUNCTIONS)
