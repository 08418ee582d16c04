"""Functions and machines: what is published when, and what a deployment moved stays moved."""

from __future__ import annotations

import hashlib
import io
import json
import urllib.request
import zipfile
from base64 import b64encode
from pathlib import Path

import pulumi
import pytest
from handler_cases_runtime import definition
from handler_world import World, archive, document

pytestmark = pytest.mark.sandbox

FUNCTION = "aws:lambda/function:Function"
ALIAS = "aws:lambda/alias:Alias"
MACHINE = "aws:sfn/stateMachine:StateMachine"
PERMISSION = "aws:lambda/permission:Permission"


def _versions(world: World, name: str) -> list[str]:
    found = world.aws("lambda").list_versions_by_function(FunctionName=name)["Versions"]
    return [version["Version"] for version in found if version["Version"] != "$LATEST"]


def test_a_version_is_published_only_when_code_or_configuration_changed(world: World, tmp_path: Path) -> None:
    handler, inputs = world.handler(FUNCTION), world.function_inputs(tmp_path, "one")
    id_, outputs = handler.create(world.own("f"), inputs)
    assert outputs["version"] == "1"
    outputs = handler.update(id_, outputs, {**inputs, "tags": {"a": "1"}, "reservedConcurrentExecutions": 3})
    assert outputs["version"] == "1"
    outputs = handler.update(id_, outputs, {**inputs, "environment": {"variables": {"A": "b"}}})
    assert outputs["version"] == "2"
    outputs = handler.update(id_, outputs, {**inputs, "code": archive(tmp_path, "two")})
    assert outputs["version"] == "3"
    assert outputs["qualifiedArn"] == f"{outputs['arn']}:3"
    assert _versions(world, id_) == ["1", "2", "3"]


def test_a_create_that_was_killed_before_publishing_publishes_when_repeated(world: World, tmp_path: Path) -> None:
    handler, inputs = world.handler(FUNCTION), world.function_inputs(tmp_path, "one")
    name, _ = handler.create(world.own("f"), {**inputs, "publish": False})
    assert _versions(world, name) == []
    assert handler.create(world.own("f"), inputs)[1]["version"] == "1"
    assert _versions(world, name) == ["1"]


def test_the_zip_goes_up_byte_by_byte(world: World, tmp_path: Path) -> None:
    # bytes that no packer would write again: a comment behind the directory
    inputs = world.function_inputs(tmp_path, "one")
    path = Path(inputs["code"].path)
    with zipfile.ZipFile(path, "a") as zipped:
        zipped.comment = b"as it was built"
    id_, outputs = world.handler(FUNCTION).create(world.own("f"), inputs)
    where = world.aws("lambda").get_function(FunctionName=id_)["Code"]["Location"]
    with urllib.request.urlopen(where) as answer:  # noqa: S310  the emulator's own address
        live = answer.read()
    assert live == path.read_bytes()
    assert zipfile.ZipFile(io.BytesIO(live)).comment == b"as it was built"
    assert outputs["sourceCodeHash"] == b64encode(hashlib.sha256(path.read_bytes()).digest()).decode()


def test_a_placeholder_is_refused_as_code(world: World, tmp_path: Path) -> None:
    empty = pulumi.AssetArchive({"README": pulumi.StringAsset("the zip is not built yet")})
    with pytest.raises(ValueError, match="not this AssetArchive"):
        world.handler(FUNCTION).create(world.own("f"), {**world.function_inputs(tmp_path, "one"), "code": empty})


def test_an_update_of_an_alias_leaves_the_version_that_a_deployment_moved(world: World, tmp_path: Path) -> None:
    first, second = world.function(tmp_path, "one"), world.function(tmp_path, "two")
    inputs = {"name": "live", "functionName": first["name"], "functionVersion": first["version"]}
    id_, outputs = world.handler(ALIAS).create("live", inputs)
    lambda_ = world.aws("lambda")
    lambda_.update_alias(FunctionName=first["name"], Name="live", FunctionVersion=second["version"])
    world.handler(ALIAS).update(id_, outputs, {**inputs, "description": "changed by the program"})
    live = lambda_.get_alias(FunctionName=first["name"], Name="live")
    assert (live["FunctionVersion"], live["Description"]) == ("2", "changed by the program")


def test_a_permission_is_bound_to_the_alias_it_names(world: World, tmp_path: Path) -> None:
    made = world.function(tmp_path)
    world.make(ALIAS, name="live", functionName=made["name"], functionVersion=made["version"])
    inputs = {
        "statementId": "native",
        "action": "lambda:InvokeFunction",
        "function": made["name"],
        "qualifier": "live",
        "principal": "secretsmanager.amazonaws.com",
        "sourceAccount": world.facts.aws_account_id,
    }
    id_, outputs = world.handler(PERMISSION).create("native", inputs)
    policy = world.aws("lambda").get_policy(FunctionName=made["name"], Qualifier="live")["Policy"]
    statement = json.loads(policy)["Statement"][0]
    assert statement["Resource"] == f"{made['arn']}:live"
    assert statement["Condition"] == {"StringEquals": {"AWS:SourceAccount": world.facts.aws_account_id}}
    world.handler(PERMISSION).delete(id_, outputs)
    assert world.handler(PERMISSION).read(id_, inputs) is None


def test_a_machine_publishes_a_version_with_each_change_and_none_without(world: World) -> None:
    inputs = {"roleArn": world.role()["arn"], "publish": True, "definition": definition("one")}
    handler = world.handler(MACHINE)
    arn, outputs = handler.create(world.own("m"), inputs)
    assert outputs["stateMachineVersionArn"] == f"{arn}:1"
    spaced = json.dumps(json.loads(definition("one")), indent=2)
    outputs = handler.update(arn, outputs, {**inputs, "definition": spaced, "tags": {"a": "1"}})
    assert outputs["stateMachineVersionArn"] == f"{arn}:1"
    outputs = handler.update(arn, outputs, {**inputs, "definition": definition("two")})
    assert outputs["stateMachineVersionArn"] == f"{arn}:2"
    described = world.aws("stepfunctions").describe_state_machine(stateMachineArn=f"{arn}:1")
    assert json.loads(described["definition"]) == json.loads(definition("one"))


def test_a_machine_that_is_made_again_counts_its_versions_from_one(world: World) -> None:
    inputs = {"roleArn": world.role()["arn"], "publish": True, "definition": definition("one")}
    handler = world.handler(MACHINE)
    arn, outputs = handler.create(world.own("m"), inputs)
    outputs = handler.update(arn, outputs, {**inputs, "definition": definition("two")})
    handler.delete(arn, outputs)
    assert handler.create(world.own("m"), inputs)[1]["stateMachineVersionArn"] == f"{arn}:1"


def test_deleting_a_role_takes_the_policies_that_an_interrupted_run_left(world: World) -> None:
    role = world.role()
    world.aws("iam").put_role_policy(
        RoleName=role["name"], PolicyName="left", PolicyDocument=document("kms:Sign", Resource="*")
    )
    world.handler("aws:iam/role:Role").delete(role["id"], role)
    assert world.handler("aws:iam/role:Role").read(role["id"], {}) is None


def test_deleting_a_rule_takes_the_targets_that_an_interrupted_run_left(world: World) -> None:
    token = "aws:cloudwatch/eventRule:EventRule"
    rule = world.make(token, eventPattern=json.dumps({"source": ["one"]}))
    world.aws("events").put_targets(Rule=rule["name"], Targets=[{"Id": "left", "Arn": world.queue()["arn"]}])
    world.handler(token).delete(rule["id"], rule)
    assert world.handler(token).read(rule["id"], {}) is None
