"""The machines run the generated definitions, and say nothing in logs about what passes through them."""

from __future__ import annotations

import json

import pytest
from recorded_stacks import Stack

from infra.names import MACHINES
from policies import ALL
from rotation.definition import DEFINITIONS

MACHINE = "aws:sfn/stateMachine:StateMachine"


@pytest.fixture(params=MACHINES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_machine_runs_the_definition_generated_from_the_table(kind: str, stack: Stack) -> None:
    inputs = stack.one(MACHINE, f"keyturn-{stack.name}-{kind}").inputs
    control = f"function:keyturn-{stack.name}-control:live"
    (arn,) = {word for word in inputs["definition"].split('"') if word.endswith(control)}
    assert json.loads(inputs["definition"]) == DEFINITIONS[kind](arn)
    assert inputs["publish"] is True


def test_a_machine_logs_without_execution_data_and_is_traced(kind: str, stack: Stack) -> None:
    inputs = stack.one(MACHINE, f"keyturn-{stack.name}-{kind}").inputs
    assert inputs["loggingConfiguration"]["includeExecutionData"] is False
    assert inputs["loggingConfiguration"]["level"] == "ALL"
    group = stack.one("aws:cloudwatch/logGroup:LogGroup", f"keyturn-{stack.name}-{kind}").inputs
    assert inputs["loggingConfiguration"]["logDestination"].endswith(f":{group['name']}:*")
    assert group["retentionInDays"]
    assert inputs["tracingConfiguration"] == {"enabled": True}


def test_a_machine_starts_after_the_aliases_it_invokes(kind: str, stack: Stack) -> None:
    machine = stack.one(MACHINE, f"keyturn-{stack.name}-{kind}")
    aliases = {alias.urn for alias in stack.of("aws:lambda/alias:Alias")}
    assert aliases <= set(machine.depends_on)


def test_the_sweep_is_started_every_five_minutes_and_a_lost_tick_is_kept(stack: Stack) -> None:
    (schedule,) = stack.of("aws:scheduler/schedule:Schedule")
    assert schedule.inputs["scheduleExpression"] == "rate(5 minutes)"
    assert schedule.inputs["state"] == "ENABLED"
    target = schedule.inputs["target"]
    assert target["arn"].endswith(f":stateMachine:keyturn-{stack.name}-sweep")
    assert target["deadLetterConfig"]["arn"].endswith(f":keyturn-{stack.name}-schedule-dead")


def test_moved_labels_and_native_rotations_are_kept_in_a_queue(stack: Stack) -> None:
    rules = {
        rule.name: json.loads(rule.inputs["eventPattern"]) for rule in stack.of("aws:cloudwatch/eventRule:EventRule")
    }
    moved = rules[f"keyturn-{stack.name}-label-moved"]
    assert moved["detail-type"] == ["Secret Label Updated"]
    assert moved["detail"]["name"] == [policy.path for policy in ALL if policy.store == "aws"]
    native = rules[f"keyturn-{stack.name}-native-rotation"]["detail"]["eventName"]
    assert {"RotationFailed", "RotationAbandoned", "RotationSucceeded"} <= set(native)
    # those of triggers call the control function
    targets = [
        target.inputs
        for target in stack.of("aws:cloudwatch/eventTarget:EventTarget")
        if "-trigger-" not in target.inputs["rule"]
    ]
    assert {target["rule"] for target in targets} == {name for name in rules if "-trigger-" not in name}
    for target in targets:
        assert target["arn"].endswith(f":keyturn-{stack.name}-signals")
        assert target["deadLetterConfig"]["arn"].endswith(f":keyturn-{stack.name}-signals-dead")
