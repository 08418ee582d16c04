"""GitHub's side: reviewers in front of real stacks, a role that one repository's environment can take, no secret."""

from __future__ import annotations

import json

from recorded_stacks import Stack


def test_a_real_environment_waits_for_a_reviewer_who_did_not_ask(stacks: dict[str, Stack]) -> None:
    for name in ("staging", "prod"):
        (environment,) = stacks[name].of("github:index/repositoryEnvironment:RepositoryEnvironment")
        inputs = environment.inputs
        assert inputs["environment"] == name
        assert inputs["reviewers"][0]["users"]
        assert inputs["preventSelfReview"] is True
        assert inputs["canAdminsBypass"] is False
        assert inputs["deploymentBranchPolicy"]["protectedBranches"] is True


def test_the_delivery_role_is_bound_to_repository_and_environment(stack: Stack) -> None:
    role = stack.one("aws:iam/role:Role", f"keyturn-{stack.name}-delivery")
    (trust,) = json.loads(role.inputs["assumeRolePolicy"])["Statement"]
    assert trust["Condition"] == {
        "StringEquals": {
            "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            "token.actions.githubusercontent.com:sub": f"repo:example/keyturn:environment:{stack.name}",
        }
    }
    assert role.inputs["maxSessionDuration"] <= 3_600


def test_the_delivery_role_starts_deployments_and_reaches_no_secret(stack: Stack) -> None:
    policy = stack.one("aws:iam/rolePolicy:RolePolicy", f"keyturn-{stack.name}-delivery").inputs["policy"]
    services = {action.split(":")[0] for one in json.loads(policy)["Statement"] for action in one["Action"]}
    assert services == {"codedeploy", "lambda"}
    assert "lambda:UpdateFunctionCode" not in policy


def test_github_is_given_variables_and_no_secret(stack: Stack) -> None:
    variables = stack.of("github:index/actionsEnvironmentVariable:ActionsEnvironmentVariable")
    values = {one.inputs["variableName"]: one.inputs["value"] for one in variables}
    assert set(values) == {"KEYTURN_STACK", "AWS_REGION", "AWS_ROLE_ARN", "KEYTURN_DEPLOYMENT_APPLICATION"}
    assert values["AWS_ROLE_ARN"].endswith(f":role/keyturn-{stack.name}-delivery")
    assert not [
        resource for resource in stack.resources if resource.type.startswith("github:") and "Secret" in resource.type
    ]
