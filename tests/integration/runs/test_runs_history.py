"""The execution's own history is the evidence: the generated definition ran, each phase in the run's pinned function.

Emulator gap: its TaskScheduled events name the resource but not the parameters, so which function version was invoked
is read from the state's input, the definition, and the log stream that carries the version.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from runs_credentials import ALL, Credential
from runs_life import Life
from runs_stack import PREFIX, Ended, Stack

from rotation.definition import retire_definition, rotate_definition

pytestmark = pytest.mark.sandbox

each = pytest.mark.parametrize("credential", ALL, ids=lambda credential: credential.name)

ROTATED = ["claim", "prepare", "promote", "bake", "record"]
RETIRED = ["gate", "acknowledge", "retire", "record"]
BY_CONTROL = {"claim", "gate", "acknowledge", "record"}


@each
def test_the_executed_definition_is_the_one_generated_from_the_table_of_phases(
    credential: Credential, stack: Stack, lives: dict[str, Life]
) -> None:
    control = f"arn:aws:lambda:us-east-1:000000000000:function:{PREFIX}-control:live"
    life = lives[credential.name]
    assert _definition(stack, life.second) == rotate_definition(control)
    assert _definition(stack, life.retired) == retire_definition(control)


@each
def test_each_phase_is_one_task_that_invokes_a_function(
    credential: Credential, stack: Stack, lives: dict[str, Life]
) -> None:
    life = lives[credential.name]
    for ended, phases in ((life.first, ROTATED), (life.second, ROTATED), (life.retired, RETIRED)):
        events = _events(stack, ended)
        scheduled = [e["taskScheduledEventDetails"] for e in events if e["type"] == "TaskScheduled"]
        assert [name for name, _ in _tasks(events)] == phases
        assert [(s["resourceType"], s["resource"]) for s in scheduled] == [
            ("lambda", "arn:aws:states:::lambda:invoke")
        ] * len(phases)


@each
def test_every_phase_of_a_store_is_invoked_at_the_one_version_that_the_claim_pinned(
    credential: Credential, stack: Stack, lives: dict[str, Life]
) -> None:
    life = lives[credential.name]
    for ended in (life.first, life.second, life.retired):
        pinned = ended.run["function"]
        assert pinned.startswith(f"arn:aws:lambda:us-east-1:000000000000:function:{PREFIX}-{credential.function}:")
        version = pinned.rsplit(":", 1)[1]
        assert version.isdigit()
        tasks = _definition(stack, ended)["States"]
        for name, given in _tasks(_events(stack, ended)):
            if name not in BY_CONTROL:
                assert (tasks[name]["Parameters"]["FunctionName.$"], given["run"]["function"]) == (
                    "$.run.function",
                    pinned,
                )
        assert _versions_that_logged(stack, credential, ended) == {version}


@each
def test_the_history_carries_references_only(credential: Credential, stack: Stack, lives: dict[str, Life]) -> None:
    tasks = _tasks(_events(stack, lives[credential.name].second))
    names = {name for _, given in tasks for name in (*given, *given.get("run", {}), *given.get("last", {}))}
    run = {"outcome", "reason", "run_id", "epoch", "function", "warm_up_s"}
    assert names == {"secret", "reason", "requested_by", "resume", "flags", "run", "last"} | run


def _events(stack: Stack, ended: Ended) -> list[dict[str, Any]]:
    found = stack.aws("stepfunctions").get_execution_history(executionArn=ended.execution, maxResults=1000)
    assert "nextToken" not in found
    events: list[dict[str, Any]] = found["events"]
    return events


def _tasks(events: list[dict[str, Any]]) -> list[tuple[str, dict[str, Any]]]:
    """Name and input of each task state, in order."""
    entered = [e["stateEnteredEventDetails"] for e in events if e["type"] == "TaskStateEntered"]
    return [(found["name"], json.loads(found["input"])) for found in entered]


def _definition(stack: Stack, ended: Ended) -> dict[str, Any]:
    client = stack.aws("stepfunctions")
    machine = client.describe_execution(executionArn=ended.execution)["stateMachineArn"]
    found: dict[str, Any] = json.loads(client.describe_state_machine(stateMachineArn=machine)["definition"])
    return found


def _versions_that_logged(stack: Stack, credential: Credential, ended: Ended) -> set[str]:
    """Versions in the log streams (`2026/01/01/[7]...`) that hold lines of the run."""
    group = f"/aws/lambda/{PREFIX}-{credential.function}"
    pages = stack.aws("logs").get_paginator("filter_log_events").paginate(logGroupName=group)
    events = [event for page in pages for event in page["events"] if ended.run["run_id"] in event["message"]]
    assert events
    return {event["logStreamName"].split("[")[1].split("]")[0] for event in events}
