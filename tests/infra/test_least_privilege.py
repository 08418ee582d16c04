"""Roles reach what they are named for; every pattern of resources is on the list, and the list holds nothing else."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from recorded_stacks import Stack

from infra.documents import INLINE_POLICY_LIMIT
from infra.names import FUNCTIONS, MACHINES, STORES
from infra.wildcards import NAMED
from policies import ALL

ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"


def actions_of(stack: Stack, kind: str) -> dict[str, Sequence[str]]:
    policy = json.loads(stack.one(ROLE_POLICY, f"keyturn-{stack.name}-{kind}").inputs["policy"])
    found: dict[str, list[str]] = {}
    for statement in policy["Statement"]:
        for action in statement["Action"]:
            found.setdefault(action, []).extend(statement["Resource"])
    return found


def test_no_allowed_resource_is_a_pattern_unless_the_list_names_it(stack: Stack) -> None:
    named = {wildcard.sid: set(wildcard.actions) for wildcard in NAMED}
    for resource, statement in stack.statements():
        if statement["Effect"] == "Allow" and any("*" in one or "?" in one for one in statement.get("Resource", [])):
            assert set(statement["Action"]) == named.get(statement.get("Sid"), set()), resource.urn


def test_no_allowed_action_is_a_pattern_but_in_the_policy_of_a_key(stack: Stack) -> None:
    for resource, statement in stack.statements():
        if statement["Effect"] == "Allow" and any("*" in action for action in statement["Action"]):
            assert resource.type == "aws:kms/key:Key"


def test_every_entry_of_the_list_is_used_and_has_a_reason(stacks: dict[str, Stack]) -> None:
    used = {statement.get("Sid") for stack in stacks.values() for _, statement in stack.statements()}
    assert {wildcard.sid for wildcard in NAMED} <= used
    assert all(wildcard.reason for wildcard in NAMED)


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_only_the_aws_function_reaches_secrets_and_control_the_address_of_slack(kind: str, stack: Stack) -> None:
    secrets = {
        action: resources
        for action, resources in actions_of(stack, kind).items()
        if action.startswith("secretsmanager:")
    }
    if kind == "control" and stack.name != "local":
        # the stack local names none
        (slack,) = secrets.pop("secretsmanager:GetSecretValue")
        assert slack.partition(":secret:")[2].startswith("keyturn/authority/slack-")
    if kind != "aws":
        assert secrets == {}
        return
    assert sorted(secrets) == [
        "secretsmanager:DescribeSecret",
        "secretsmanager:GetSecretValue",
        "secretsmanager:ListSecretVersionIds",
        "secretsmanager:PutSecretValue",
        "secretsmanager:UpdateSecretVersionStage",
    ]
    # of what a person makes by hand the versions are listed, and no value is read or put
    assert _paths(secrets["secretsmanager:ListSecretVersionIds"]) == {"billing/processor-login"}
    own = {policy.path for policy in ALL if policy.store == "aws"} - {"billing/processor-login"}
    assert _paths(secrets["secretsmanager:PutSecretValue"]) == own
    # its own secrets, the authority at the target, and the login that consumers are told with
    others = {"keyturn/authority/payments-postgres", "keyturn/authority/events"}
    assert _paths(secrets["secretsmanager:GetSecretValue"]) == own | others


def _paths(arns: list[str]) -> set[str]:
    return {arn.split(":secret:")[1].rpartition("-")[0] for arn in arns}


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_only_the_aws_function_changes_access_keys_and_those_of_one_user(kind: str, stack: Stack) -> None:
    found = {action: arns for action, arns in actions_of(stack, kind).items() if action.startswith("iam:")}
    if kind != "aws":
        assert found == {}
        return
    verbs = ("CreateAccessKey", "DeleteAccessKey", "GetAccessKeyLastUsed", "ListAccessKeys", "UpdateAccessKey")
    assert sorted(found) == [f"iam:{verb}" for verb in verbs]
    # by no resource in the emulator, which is named as such
    found["iam:GetAccessKeyLastUsed"] = [arn for arn in found["iam:GetAccessKeyLastUsed"] if arn != "*"]
    for arns in found.values():
        (user,) = arns
        assert user.startswith("arn:aws:iam::")
        assert user.endswith(":user/keyturn-exports")


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_only_the_vault_function_signs_the_login(kind: str, stack: Stack) -> None:
    signed = [arn for arn in actions_of(stack, kind).get("kms:Sign", []) if arn.endswith("key/signing")]
    assert bool(signed) is (kind == "vault")


def test_a_stores_function_reads_the_policies_of_its_own_secrets_and_control_all(stack: Stack) -> None:
    for kind in STORES:
        read = [one.partition("/policies/")[2] for one in actions_of(stack, kind)["s3:GetObject"]]
        assert sorted(read) == sorted(f"{policy.name}.json" for policy in ALL if policy.store == kind)
    control = actions_of(stack, "control")["s3:GetObject"]
    others = [one.rpartition("/")[2] for one in control if "/policies/" not in one]
    assert (len(control), others) == (len(ALL) + 2, ["index.txt", "places.txt"])


def test_no_function_may_write_the_catalogue_it_obeys(stack: Stack) -> None:
    for kind in FUNCTIONS:
        assert {action for action in actions_of(stack, kind) if action.startswith("s3:")} <= {
            "s3:GetObject",
            "s3:ListBucket",
        }


def test_only_control_starts_runs_and_never_the_sweep(stack: Stack) -> None:
    for kind in STORES:
        assert not [action for action in actions_of(stack, kind) if action.startswith("states:")]
    started = actions_of(stack, "control")["states:StartExecution"]
    assert [arn.rpartition(":")[2] for arn in started] == [
        f"keyturn-{stack.name}-{kind}" for kind in MACHINES if kind != "sweep"
    ]


def test_machines_invoke_exactly_the_functions_and_the_sweep_only_control(stack: Stack) -> None:
    for kind in MACHINES:
        invoked = actions_of(stack, kind)["lambda:InvokeFunction"]
        control = [arn for arn in invoked if arn.endswith(f":keyturn-{stack.name}-control:live")]
        stores = [arn for arn in invoked if arn not in control]
        assert len(control) == 1
        expected = [] if kind == "sweep" else [f"keyturn-{stack.name}-{store}:*" for store in STORES]
        assert [":".join(arn.split(":")[-2:]) for arn in stores] == expected


def test_every_function_has_a_role_of_its_own(stack: Stack) -> None:
    roles = [resource.inputs["role"] for resource in stack.of("aws:lambda/function:Function")]
    assert len(set(roles)) == len(FUNCTIONS)


def test_services_take_roles_for_this_account_only(stack: Stack) -> None:
    for role in stack.of("aws:iam/role:Role"):
        (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
        if trust["Principal"].get("Service") not in ("lambda.amazonaws.com", None):
            assert trust["Condition"]["StringEquals"]["aws:SourceAccount"], role.name


def test_the_code_of_a_placed_function_touches_no_network_interface(prod: Stack) -> None:
    for kind in FUNCTIONS:
        policy = json.loads(prod.one(ROLE_POLICY, f"keyturn-prod-{kind}").inputs["policy"])
        (deny,) = [one for one in policy["Statement"] if one["Effect"] == "Deny"]
        assert deny["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"].endswith(f":function:keyturn-prod-{kind}")
        assert set(deny["Action"]) >= {action for action in actions_of(prod, kind) if action.startswith("ec2:")}


def test_inline_policies_fit_into_a_role(stack: Stack) -> None:
    for policy in stack.of(ROLE_POLICY):
        assert len(policy.inputs["policy"]) <= INLINE_POLICY_LIMIT
