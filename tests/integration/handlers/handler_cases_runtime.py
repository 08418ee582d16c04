"""Cases of what runs and who it is: IAM, logs, Lambda, Step Functions."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from handler_cases import Case, case
from handler_world import World, action_of, document


@case("aws:iam/role:Role")
def role(world: World, _: Path) -> Case:
    def seen(id_: str) -> Any:
        found = world.aws("iam").get_role(RoleName=id_)["Role"]
        return found["Description"], found["MaxSessionDuration"], action_of(found["AssumeRolePolicyDocument"])

    return Case(
        before={"assumeRolePolicy": document("sts:AssumeRole"), "description": "one"},
        after={"assumeRolePolicy": document("sts:TagSession"), "description": "two", "maxSessionDuration": 7200},
        seen=seen,
        was=("one", 3600, "sts:AssumeRole"),
        becomes=("two", 7200, "sts:TagSession"),
    )


@case("aws:iam/rolePolicy:RolePolicy")
def role_policy(world: World, _: Path) -> Case:
    of = world.role()["name"]

    def seen(id_: str) -> Any:
        found = world.aws("iam").get_role_policy(RoleName=of, PolicyName=id_.removeprefix(f"{of}:"))
        return action_of(found["PolicyDocument"])

    return Case(
        before={"role": of, "name": "grants", "policy": document("kms:Sign", Resource="*")},
        after={"role": of, "name": "grants", "policy": document("kms:Verify", Resource="*")},
        seen=seen,
        was="kms:Sign",
        becomes="kms:Verify",
    )


@case("aws:iam/openIdConnectProvider:OpenIdConnectProvider")
def open_id(world: World, _: Path) -> Case:
    url = f"https://{world.own('issuer')}.example.org"

    def seen(id_: str) -> Any:
        found = world.aws("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=id_)
        return sorted(found["ClientIDList"])

    return Case(
        before={"url": url, "clientIdLists": ["a", "b"]},
        after={"url": url, "clientIdLists": ["b", "c"]},
        seen=seen,
        was=["a", "b"],
        becomes=["b", "c"],
    )


@case("aws:cloudwatch/logGroup:LogGroup")
def log_group(world: World, _: Path) -> Case:
    key = world.key()["arn"]

    def seen(id_: str) -> Any:
        logs = world.aws("logs")
        found = logs.describe_log_groups(logGroupNamePrefix=id_)["logGroups"][0]
        tags = logs.list_tags_for_resource(resourceArn=found["arn"].removesuffix(":*"))["tags"]
        return found["retentionInDays"], found["kmsKeyId"], tags

    return Case(
        before={"retentionInDays": 7, "kmsKeyId": key, "tags": {"a": "1"}},
        after={"retentionInDays": 30, "kmsKeyId": key, "tags": {"b": "2"}},
        seen=seen,
        was=(7, key, {"a": "1"}),
        becomes=(30, key, {"b": "2"}),
    )


@case("aws:lambda/function:Function")
def function(world: World, folder: Path) -> Case:
    queue = world.queue()["arn"]

    def seen(id_: str) -> Any:
        lambda_ = world.aws("lambda")
        found = lambda_.get_function_configuration(FunctionName=id_)
        limit = lambda_.get_function_concurrency(FunctionName=id_).get("ReservedConcurrentExecutions")
        variables = found.get("Environment", {}).get("Variables", {})
        answer = json.loads(lambda_.invoke(FunctionName=id_)["Payload"].read())
        return found["Timeout"], limit, variables, found.get("DeadLetterConfig", {}).get("TargetArn"), answer

    before = world.function_inputs(folder, "one")
    before |= {"timeout": 9, "environment": {"variables": {"lower_case": "x"}}, "reservedConcurrentExecutions": 2}
    after = world.function_inputs(folder, "two")
    after |= {"memorySize": 256, "environment": {"variables": {"KEY": "y"}}, "deadLetterConfig": {"targetArn": queue}}
    return Case(
        before=before,
        after=after,
        seen=seen,
        was=(9, 2, {"lower_case": "x"}, None, "one"),
        becomes=(3, None, {"KEY": "y"}, queue, "two"),
    )


@case("aws:lambda/alias:Alias")
def alias(world: World, folder: Path) -> Case:
    first = world.function(folder, "one")
    second = world.function(folder, "two")

    def seen(id_: str) -> Any:
        return json.loads(world.aws("lambda").invoke(FunctionName=id_)["Payload"].read())

    named = {"name": "live", "functionName": first["name"]}
    return Case(
        before={**named, "functionVersion": first["version"]},
        after={**named, "functionVersion": second["version"]},
        seen=seen,
        was="one",
        becomes="two",
    )


@case("aws:lambda/permission:Permission")
def permission(world: World, folder: Path) -> Case:
    name = world.function(folder)["name"]

    def seen(_: str) -> Any:
        statements = json.loads(world.aws("lambda").get_policy(FunctionName=name)["Policy"])["Statement"]
        return [(statement["Sid"], statement["Principal"]["Service"]) for statement in statements]

    inputs = {
        "statementId": "secrets",
        "action": "lambda:InvokeFunction",
        "function": name,
        "principal": "secretsmanager.amazonaws.com",
    }
    others = {**inputs, "principal": "scheduler.amazonaws.com"}
    was, becomes = [("secrets", inputs["principal"])], [("secrets", others["principal"])]
    return Case(before=inputs, after=others, seen=seen, was=was, becomes=becomes)


@case("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig")
def event_invoke(world: World, folder: Path) -> Case:
    made = world.function(folder)
    qualified = {"functionName": made["name"], "qualifier": made["version"]}

    def seen(_: str) -> Any:
        found = world.aws("lambda").get_function_event_invoke_config(
            FunctionName=made["name"], Qualifier=made["version"]
        )
        return found["MaximumRetryAttempts"], found["MaximumEventAgeInSeconds"]

    return Case(
        before={**qualified, "maximumRetryAttempts": 0, "maximumEventAgeInSeconds": 60},
        after={**qualified, "maximumEventAgeInSeconds": 120},
        seen=seen,
        was=(0, 60),
        becomes=(2, 120),
    )


def definition(result: str) -> str:
    """A machine that answers one word."""
    return json.dumps({"StartAt": "Only", "States": {"Only": {"Type": "Pass", "Result": result, "End": True}}})


@case("aws:sfn/stateMachine:StateMachine")
def machine(world: World, _: Path) -> Case:
    group = world.make("aws:cloudwatch/logGroup:LogGroup", "logs")["arn"]
    inputs = {"roleArn": world.role()["arn"], "type": "STANDARD", "publish": True}
    logging = {"level": "ERROR", "includeExecutionData": False, "logDestination": f"{group}:*"}

    def seen(id_: str) -> Any:
        found = world.aws("stepfunctions").describe_state_machine(stateMachineArn=id_)
        state = json.loads(found["definition"])["States"]["Only"]["Result"]
        return state, found["loggingConfiguration"]["level"]

    return Case(
        before={**inputs, "definition": definition("one")},
        after={**inputs, "definition": definition("two"), "loggingConfiguration": logging},
        seen=seen,
        was=("one", "OFF"),
        becomes=("two", "ERROR"),
    )
