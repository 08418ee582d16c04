"""The role that CI takes can apply the main program, all of it, and can neither read a secret nor widen itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bootstrap_access import account, allowing, real, statements
from recorded_stacks import REAL, Stack

from bootstrap import boundary_grants, people_grants, wildcards
from infra.documents import MANAGED_POLICY_LIMIT
from infra.recording import Recorded
from infra.wildcards import FINDINGS, KEY_ADMINISTRATION, LOG_STREAMS

POLICY = "aws:iam/policy:Policy"
# How much longer a real key's ARN is than the recording's.
LONGER = 100

Place = Callable[[Mapping[str, Any], str, str], str]


def at(service: str, form: str) -> Place:
    def place(inputs: Mapping[str, Any], here: str, _account: str) -> str:
        return f"arn:aws:{service}:{here}:{form.format(**inputs)}"

    return place


def role_of(inputs: Mapping[str, Any], _here: str, number: str) -> str:
    return f"arn:aws:iam::{number}:role/{inputs.get('role', inputs['name'])}"


def bucket_of(inputs: Mapping[str, Any], _here: str, _account: str) -> str:
    return f"arn:aws:s3:::{inputs['bucket']}"


def object_of(inputs: Mapping[str, Any], _here: str, _account: str) -> str:
    return f"arn:aws:s3:::{inputs['bucket']}/{inputs['key']}"


def anywhere(_inputs: Mapping[str, Any], _here: str, _account: str) -> str:
    return "*"


def named(field: str) -> Place:
    def place(inputs: Mapping[str, Any], here: str, _account: str) -> str:
        return str(inputs[field]).replace("REGION:ACCOUNT", here)

    return place


def queue_of(inputs: Mapping[str, Any], here: str, _account: str) -> str:
    return f"arn:aws:sqs:{here}:{inputs['queueUrl'].rpartition('/')[2]}"


def gateway(form: str) -> Place:
    def place(inputs: Mapping[str, Any], here: str, _account: str) -> str:
        return f"arn:aws:apigateway:{here.partition(':')[0]}::/{form.format(**inputs)}"

    return place


# Which call of AWS makes a resource of the type, and on what it is authorised. A new type needs a line here, and a
# look at what the deployment role has to be given for it.
MAKES: dict[str, tuple[str, Place]] = {
    "aws:apigatewayv2/api:Api": ("apigateway:POST", gateway("apis")),
    "aws:apigatewayv2/integration:Integration": ("apigateway:POST", gateway("apis/{apiId}/integrations")),
    "aws:apigatewayv2/route:Route": ("apigateway:POST", gateway("apis/{apiId}/routes")),
    "aws:apigatewayv2/stage:Stage": ("apigateway:POST", gateway("apis/{apiId}/stages")),
    "aws:cloudwatch/eventRule:EventRule": ("events:PutRule", at("events", "rule/{name}")),
    "aws:cloudwatch/eventTarget:EventTarget": ("events:PutTargets", at("events", "rule/{rule}")),
    "aws:cloudwatch/logGroup:LogGroup": ("logs:CreateLogGroup", at("logs", "log-group:{name}")),
    "aws:cloudwatch/metricAlarm:MetricAlarm": ("cloudwatch:PutMetricAlarm", at("cloudwatch", "alarm:{name}")),
    "aws:codedeploy/application:Application": ("codedeploy:CreateApplication", at("codedeploy", "application:{name}")),
    "aws:codedeploy/deploymentGroup:DeploymentGroup": (
        "codedeploy:CreateDeploymentGroup",
        at("codedeploy", "deploymentgroup:{appName}/{deploymentGroupName}"),
    ),
    "aws:dynamodb/table:Table": ("dynamodb:CreateTable", at("dynamodb", "table/{name}")),
    "aws:iam/role:Role": ("iam:CreateRole", role_of),
    "aws:iam/rolePolicy:RolePolicy": ("iam:PutRolePolicy", role_of),
    "aws:kms/alias:Alias": ("kms:CreateAlias", at("kms", "{name}")),
    "aws:kms/ciphertext:Ciphertext": ("kms:Encrypt", named("keyId")),
    "aws:kms/key:Key": ("kms:CreateKey", anywhere),
    "aws:lambda/alias:Alias": ("lambda:CreateAlias", at("lambda", "function:{functionName}")),
    "aws:lambda/function:Function": ("lambda:CreateFunction", at("lambda", "function:{name}")),
    "aws:lambda/permission:Permission": ("lambda:AddPermission", at("lambda", "function:{function}")),
    "aws:s3/bucket:Bucket": ("s3:CreateBucket", bucket_of),
    "aws:s3/bucketObjectv2:BucketObjectv2": ("s3:PutObject", object_of),
    "aws:s3/bucketOwnershipControls:BucketOwnershipControls": ("s3:PutBucketOwnershipControls", bucket_of),
    "aws:s3/bucketPolicy:BucketPolicy": ("s3:PutBucketPolicy", bucket_of),
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock": ("s3:PutBucketPublicAccessBlock", bucket_of),
    "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration": (
        "s3:PutEncryptionConfiguration",
        bucket_of,
    ),
    "aws:s3/bucketVersioning:BucketVersioning": ("s3:PutBucketVersioning", bucket_of),
    "aws:scheduler/schedule:Schedule": ("scheduler:CreateSchedule", at("scheduler", "schedule/default/{name}")),
    "aws:secretsmanager/secret:Secret": ("secretsmanager:CreateSecret", at("secretsmanager", "secret:{name}-Ab3dE9")),
    "aws:secretsmanager/secretPolicy:SecretPolicy": ("secretsmanager:PutResourcePolicy", named("secretArn")),
    "aws:sfn/stateMachine:StateMachine": ("states:CreateStateMachine", at("states", "stateMachine:{name}")),
    "aws:sns/topic:Topic": ("sns:CreateTopic", at("sns", "{name}")),
    "aws:sns/topicPolicy:TopicPolicy": ("sns:SetTopicAttributes", named("arn")),
    "aws:sns/topicSubscription:TopicSubscription": ("sns:Subscribe", named("topic")),
    "aws:sqs/queue:Queue": ("sqs:CreateQueue", at("sqs", "{name}")),
    "aws:sqs/queuePolicy:QueuePolicy": ("sqs:SetQueueAttributes", queue_of),
}


def deployment(bootstrap: Stack) -> list[Mapping[str, Any]]:
    attached = {one.inputs["policyArn"] for one in bootstrap.of("aws:iam/rolePolicyAttachment:RolePolicyAttachment")}
    own = [one for one in bootstrap.of(POLICY) if f"arn:aws:iam:REGION:ACCOUNT:policy/{one.inputs['name']}" in attached]
    assert len(own) == len(attached)
    return statements(own, bootstrap)


def edge(bootstrap: Stack) -> list[Mapping[str, Any]]:
    return statements([bootstrap.one(POLICY, "boundary")], bootstrap)


def of_aws(main: Stack) -> Iterator[Recorded]:
    yield from (one for one in main.resources if one.type.startswith("aws:"))


def test_the_deployment_role_may_make_everything_the_program_declares(
    bootstrap: Stack, stacks: dict[str, Stack]
) -> None:
    main, granted = stacks[bootstrap.name], deployment(bootstrap)
    here = f"eu-central-1:{account(main)}"
    for resource in of_aws(main):
        assert resource.type in MAKES, f"{resource.type} is new: say what makes it, and grant that in bootstrap/"
        action, place = MAKES[resource.type]
        arn = place(resource.inputs, here, account(main))
        assert allowing(granted, action, arn), f"{action} on {arn}"


def test_every_type_of_the_table_is_declared_by_the_program(stacks: dict[str, Stack]) -> None:
    assert set(MAKES) == {one.type for name in REAL for one in of_aws(stacks[name])}


def test_roles_are_made_and_given_permissions_only_within_the_boundary(bootstrap: Stack) -> None:
    granted = deployment(bootstrap)
    boundary = f"arn:aws:iam::{account(bootstrap)}:policy/{bootstrap.one(POLICY, 'boundary').inputs['name']}"
    role = f"arn:aws:iam::{account(bootstrap)}:role/keyturn-{bootstrap.name}-aws"
    for action in ("iam:CreateRole", "iam:PutRolePolicy", "iam:PutRolePermissionsBoundary"):
        (statement,) = allowing(granted, action, role)
        assert statement["Condition"] == {"StringEquals": {"iam:PermissionsBoundary": boundary}}
    given = {action for one in granted for action in one["Action"]}
    assert not given & {
        "iam:AttachRolePolicy",
        "iam:DeleteRolePermissionsBoundary",
        "iam:CreatePolicy",
        "iam:CreatePolicyVersion",
        "iam:CreateUser",
        "iam:CreateAccessKey",
    }


def test_every_role_of_the_program_is_born_with_the_boundary_and_local_has_none(stacks: dict[str, Stack]) -> None:
    for name in REAL:
        expected = f"arn:aws:iam::{account(stacks[name])}:policy/keyturn-bootstrap-{name}-boundary"
        assert {one.inputs["permissionsBoundary"] for one in stacks[name].of("aws:iam/role:Role")} == {expected}
    assert not [one for one in stacks["local"].of("aws:iam/role:Role") if "permissionsBoundary" in one.inputs]


def test_the_boundary_leaves_room_for_every_permission_of_the_programs_roles(
    bootstrap: Stack, stacks: dict[str, Stack]
) -> None:
    main, around = stacks[bootstrap.name], edge(bootstrap)
    for given in statements(main.of("aws:iam/rolePolicy:RolePolicy"), main):
        if given["Effect"] == "Allow":
            for action in given["Action"]:
                for resource in given["Resource"]:
                    assert allowing(around, action, resource), f"{action} on {resource} is beyond the boundary"


def test_the_boundary_leaves_no_room_for_identity_other_stacks_or_what_the_bootstrap_made(bootstrap: Stack) -> None:
    other = "prod" if bootstrap.name == "staging" else "staging"
    for statement in edge(bootstrap):
        identity = [action for action in statement["Action"] if action.split(":")[0] in ("iam", "sts", "organizations")]
        assert not identity or statement["Sid"] == "EdgeAccessKeys"
        for resource in statement["Resource"]:
            assert f"keyturn-{other}-" not in resource
            assert "bootstrap" not in resource


def test_the_boundary_leaves_the_keys_of_the_users_that_policies_name_and_nothing_else_of_them(
    bootstrap: Stack,
) -> None:
    (keys,) = [one for one in edge(bootstrap) if one["Sid"] == "EdgeAccessKeys"]
    assert all("AccessKey" in action for action in keys["Action"])
    assert [arn.rpartition(":")[2] for arn in keys["Resource"]] == ["user/keyturn-exports"]


def test_the_deployment_role_reads_no_secret_starts_no_run_and_invokes_no_function(bootstrap: Stack) -> None:
    given = {action for one in deployment(bootstrap) for action in one["Action"]}
    assert not given & {
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "lambda:InvokeFunction",
        "secretsmanager:BatchGetSecretValue",
        "secretsmanager:GetSecretValue",
        "secretsmanager:PutSecretValue",
        "sqs:ReceiveMessage",
        "states:StartExecution",
        "sts:AssumeRole",
    }


def test_the_deployment_role_cannot_touch_what_the_bootstrap_made(bootstrap: Stack) -> None:
    granted, number, name = deployment(bootstrap), account(bootstrap), bootstrap.name
    made = [f"arn:aws:iam::{number}:role/keyturn-bootstrap-{name}-{what}" for what in ("deployment", "approver")]
    made += [f"arn:aws:iam::{number}:policy/keyturn-bootstrap-{name}-boundary"]
    made += [f"arn:aws:iam::{number}:oidc-provider/token.actions.githubusercontent.com"]
    changed = {action for one in granted for action in one["Action"] if action.startswith("iam:")}
    assert not [(action, arn) for arn in made for action in changed if allowing(granted, action, arn)]
    bucket = f"arn:aws:s3:::keyturn-bootstrap-{name}-state-{number}"
    assert allowing(granted, "s3:ListBucket", bucket)
    for action in ("s3:PutBucketPolicy", "s3:PutBucketVersioning", "s3:DeleteBucket"):
        assert not allowing(granted, action, bucket)


def test_the_deployment_role_writes_the_state_of_its_own_stack_only(bootstrap: Stack) -> None:
    granted = deployment(bootstrap)
    folder = f"arn:aws:s3:::keyturn-bootstrap-{bootstrap.name}-state-{account(bootstrap)}/.pulumi"
    own = ["stacks/keyturn/{0}.json", "stacks/keyturn/{0}.json.bak", "history/keyturn/{0}/{0}-1.history.json"]
    own += ["backups/keyturn/{0}/{0}.1.json", "locks/organization/keyturn/{0}/1.json"]
    for path in own:
        for action in ("s3:GetObject", "s3:PutObject", "s3:DeleteObject"):
            assert allowing(granted, action, f"{folder}/{path.format(bootstrap.name)}")
    assert allowing(granted, "s3:GetObject", f"{folder}/meta.yaml")
    for path in ("stacks/keyturn-bootstrap/{0}.json", "stacks/keyturn/other.json", "meta.yaml"):
        assert not allowing(granted, "s3:PutObject", f"{folder}/{path.format(bootstrap.name)}")


def test_keys_are_told_by_tags_that_the_bootstraps_own_keys_do_not_carry(
    bootstrap: Stack, stacks: dict[str, Stack]
) -> None:
    (own,) = stacks[bootstrap.name].of("pulumi:providers:aws")
    (others,) = bootstrap.of("pulumi:providers:aws")
    tags = json.loads(own.inputs["defaultTags"])["tags"]
    assert json.loads(others.inputs["defaultTags"])["tags"]["project"] != tags["project"]
    key = f"arn:aws:kms:eu-central-1:{account(bootstrap)}:key/state"
    for action in ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:CreateAlias", "kms:Decrypt"):
        tagged = [one for one in allowing(deployment(bootstrap), action, key) if one["Resource"] != [key]]
        assert tagged
        for statement in tagged:
            asked = statement["Condition"]["StringEquals"]
            assert {name: asked[f"aws:ResourceTag/{name}"] for name in ("project", "stack")} == {
                name: tags[name] for name in ("project", "stack")
            }


def test_no_resource_is_a_pattern_outside_the_lists_and_every_entry_is_used_with_its_reason(
    bootstrap: Stack,
) -> None:
    shared = (*boundary_grants.SHARED, FINDINGS, LOG_STREAMS, KEY_ADMINISTRATION)
    lists = (*wildcards.NAMED, *boundary_grants.NAMED, *people_grants.NAMED, *shared)
    named_actions = {one.sid: set(one.actions) for one in lists}
    assert len(named_actions) == len(lists)
    used = set()
    for resource, statement in bootstrap.statements():
        if any("*" in one or "?" in one for one in statement.get("Resource", [])) and statement["Effect"] == "Allow":
            assert set(statement["Action"]) == named_actions.get(statement.get("Sid"), set()), resource.urn
            used.add(statement["Sid"])
        assert (
            resource.type == "aws:kms/key:Key" or statement["Effect"] == "Deny" or "*" not in str(statement["Action"])
        )
    assert used == set(named_actions)
    assert all(one.reason for one in lists)


def test_documents_fit_into_managed_policies(bootstrap: Stack) -> None:
    for policy in bootstrap.of(POLICY):
        assert len(real(policy.inputs["policy"], bootstrap)) + LONGER <= MANAGED_POLICY_LIMIT, policy.name
