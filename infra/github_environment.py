"""GitHub's side of delivery: an environment with reviewers, variables without secrets, and a role taken by OIDC.

The role's trust names repository and environment, so that only a job that passed the environment's reviewers can take
it; it may start deployments of the functions and nothing else. The trust names the OpenID Connect provider by its
computed ARN: an account has one for GitHub, and `bootstrap/` declares it, so that two stacks can share an account. On
`local` there is none, and nothing can take the role: nobody issues GitHub's tokens there. Not here: the role that
applies the program, which must exist before the program (`bootstrap/`), and CI secrets, which the runtime writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_github as github

from infra.documents import Statement, allow, as_json
from infra.github_trust import SESSION_S, github_trust
from infra.names import FUNCTIONS, Names


@dataclass(frozen=True, kw_only=True)
class GithubEnvironmentArgs:
    """Repository, owner and reviewers are facts of the names' settings."""

    names: Names


class GithubEnvironment(pulumi.ComponentResource):
    """Environment, variables and role. Output: `role_arn`."""

    def __init__(self, name: str, args: GithubEnvironmentArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:GithubEnvironment", name, None, opts)
        self._names = args.names
        self._child = pulumi.ResourceOptions(parent=self)
        self.role_arn = self._role()
        environment = self._environment()
        for variable, value in self._variables().items():
            github.ActionsEnvironmentVariable(
                variable.lower().replace("_", "-"),
                repository=args.names.settings.github_repository,
                environment=environment.environment,
                variable_name=variable,
                value=value,
                opts=self._child,
            )
        self.register_outputs({"roleArn": self.role_arn})

    def _environment(self) -> github.RepositoryEnvironment:
        settings = self._names.settings
        reviewers = [int(user) for user in settings.github_reviewers]
        return github.RepositoryEnvironment(
            settings.stack,
            repository=settings.github_repository,
            environment=settings.stack,
            reviewers=[{"users": reviewers}] if reviewers else None,
            prevent_self_review=True,
            can_admins_bypass=False,
            deployment_branch_policy={"protected_branches": True, "custom_branch_policies": False},
            opts=self._child,
        )

    def _variables(self) -> Mapping[str, pulumi.Input[str]]:
        settings = self._names.settings
        return {
            "KEYTURN_STACK": settings.stack,
            "AWS_REGION": settings.region,
            "AWS_ROLE_ARN": self.role_arn,
            "KEYTURN_DEPLOYMENT_APPLICATION": self._names.of("functions"),
        }

    def _role(self) -> Any:
        full = self._names.of("delivery")
        role = aws.iam.Role(
            full,
            name=full,
            description="GitHub Actions starts deployments of the functions",
            assume_role_policy=as_json([github_trust(self._names)]),
            permissions_boundary=self._names.boundary_arn,
            max_session_duration=SESSION_S,
            opts=self._child,
        )
        aws.iam.RolePolicy(full, name="own", role=role.name, policy=as_json(_deploys(self._names)), opts=self._child)
        return role.arn


def _deploys(names: Names) -> list[Statement]:
    application = names.of("functions")
    groups = [names.arn("codedeploy", f"deploymentgroup:{application}/{names.of(kind)}") for kind in FUNCTIONS]
    functions = [names.function_arn(kind) for kind in FUNCTIONS]
    return [
        allow(
            "Deploy", ["codedeploy:CreateDeployment", "codedeploy:GetDeployment", "codedeploy:StopDeployment"], groups
        ),
        allow(
            "DescribeRevision",
            ["codedeploy:GetApplicationRevision", "codedeploy:RegisterApplicationRevision"],
            [names.arn("codedeploy", f"application:{application}")],
        ),
        allow(
            "ReadShift",
            ["codedeploy:GetDeploymentConfig"],
            [names.arn("codedeploy", "deploymentconfig:CodeDeployDefault.LambdaCanary10Percent5Minutes")],
        ),
        allow("ReadVersions", ["lambda:GetAlias", "lambda:ListVersionsByFunction"], functions),
    ]
