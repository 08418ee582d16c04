"""The role that CI takes to apply the main program: one repository, one environment, this stack's names, no value.

What `bootstrap/` itself made has other names, so that the role cannot widen itself, its boundary, its keys or the
state of the bootstrap. It reads no secret; but it deploys the code that does, so that who reviews deployments guards
the secrets. Not here: how the deployment logs in to Vault, Google and GitHub (`docs/bootstrap.md`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from bootstrap.deployment_grants import PulumiKeyArns, grants
from infra.documents import as_json
from infra.github_trust import SESSION_S, github_trust
from infra.names import Names
from rotation.policy import Policy


@dataclass(frozen=True, kw_only=True)
class DeploymentRoleArgs:
    """`policies`: resolved. `keys`: of the state and of the secrets provider."""

    names: Names
    policies: Sequence[Policy]
    keys: PulumiKeyArns


class DeploymentRole(pulumi.ComponentResource):
    """The role. Output: `arn`."""

    def __init__(self, name: str, args: DeploymentRoleArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:bootstrap:DeploymentRole", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        full = args.names.bootstrapped("deployment")
        role = aws.iam.Role(
            full,
            name=full,
            description="GitHub Actions applies the program",
            assume_role_policy=as_json([github_trust(args.names)]),
            max_session_duration=SESSION_S,
            opts=child,
        )
        for part, statements in grants(args.names, args.policies, args.keys).items():
            own = args.names.bootstrapped(f"deployment-{part}")
            policy = aws.iam.Policy(own, name=own, policy=as_json(statements), opts=child)
            aws.iam.RolePolicyAttachment(own, role=role.name, policy_arn=policy.arn, opts=child)
        self.arn = role.arn
        self.register_outputs({"arn": self.arn})
