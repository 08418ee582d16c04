"""The bootstrap of one account: state bucket, secrets provider, GitHub's login, deployment role, people."""

from __future__ import annotations

import pulumi

import policies
from bootstrap.approver_role import ApproverRole, ApproverRoleArgs
from bootstrap.boundary import Boundary, BoundaryArgs
from bootstrap.config import PROJECT, load
from bootstrap.deployment_grants import PulumiKeyArns
from bootstrap.deployment_role import DeploymentRole, DeploymentRoleArgs
from bootstrap.github_provider import GithubProvider, GithubProviderArgs
from bootstrap.keys import PulumiKeys, PulumiKeysArgs, secrets_provider
from bootstrap.people_policies import PeoplePolicies, PeoplePoliciesArgs
from bootstrap.state_bucket import StateBucket, StateBucketArgs, backend_url
from infra.names import Names
from infra.providers import account_provider


def declare() -> None:
    """Declare the running program's stack; Refused before the first resource when the configuration is wrong."""
    settings = load()
    names = Names(settings.stack)
    known = [policy.resolve(settings.stack.facts) for policy in policies.ALL]
    options = pulumi.ResourceOptions(providers=[account_provider(settings.stack, PROJECT)])
    keys = PulumiKeys("keys", PulumiKeysArgs(names=names), options)
    StateBucket("state", StateBucketArgs(names=names, key_arn=keys.state_key_arn), options)
    GithubProvider("github", GithubProviderArgs(declared=settings.github_provider == "declare"), options)
    Boundary("boundary", BoundaryArgs(names=names, policies=known), options)
    arns = PulumiKeyArns(state=keys.state_key_arn, secrets=keys.secrets_key_arn)
    deployment = DeploymentRole("deployment", DeploymentRoleArgs(names=names, policies=known, keys=arns), options)
    approver = ApproverRole("approver", ApproverRoleArgs(names=names, approvers=settings.approvers), options)
    people = PeoplePolicies("people", PeoplePoliciesArgs(names=names), options)
    pulumi.export("backendUrl", backend_url(names))
    pulumi.export("secretsProvider", secrets_provider(names))
    pulumi.export("deploymentRoleArn", deployment.arn)
    pulumi.export("approverRoleArn", approver.arn)
    pulumi.export("peoplePolicyArns", people.arns)
