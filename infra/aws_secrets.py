"""Shells in AWS Secrets Manager: names, encryption and who may read what. Never a version, never a value.

Values are made at run time: a version that Pulumi owned would be put back after every rotation. A pending value is
denied to everyone but the function, whatever their own permissions say; readers get current and previous.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.authorities import named
from infra.config import Settings
from infra.documents import Statement, as_json
from infra.names import CONTROL, Names
from rotation.policy import Policy

# AWS keeps a deleted secret for 7 to 30 days; 0 deletes at once, which only the sandbox may.
_RECOVERY_DAYS = {"local": 0, "staging": 7, "prod": 30}
# By which AWS's own rotation finds the secret's policy (`rotation.handlers.native`).
POLICY_TAG = "keyturn:policy"


@dataclass(frozen=True, kw_only=True)
class AwsSecretsArgs:
    """`policies`: resolved, those of the store `aws`. `more_authorities`: paths beside the policies' own.

    slack_secret: where the address of Slack's webhook lies, which only control reads; "" for none.
    """

    names: Names
    policies: Sequence[Policy]
    data_key_arn: Any
    more_authorities: Sequence[str] = ()
    slack_secret: str = ""


class AwsSecrets(pulumi.ComponentResource):
    """The shells. Outputs: `secret_arns`, `authority_arns`, in the order of the policies; `slack_arn`, "" for none."""

    def __init__(self, name: str, args: AwsSecretsArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:AwsSecrets", name, None, opts)
        self._args = args
        self.secret_arns = [self._rotated(policy) for policy in args.policies]
        self.authority_arns = [self._authority(path) for path in named(args.policies, args.more_authorities)]
        self.slack_arn = self._slack(args.slack_secret) if args.slack_secret else ""
        self.register_outputs({"secretArns": self.secret_arns, "authorityArns": self.authority_arns})

    def _rotated(self, policy: Policy) -> Any:
        tags = {POLICY_TAG: policy.name}
        secret = self._shell(policy.ref.path, f"Rotated by Keyturn; owner {policy.owner}", tags)
        readers = [str(reader) for reader in policy.readers]
        statements = [_only_function_reads_pending(self._args.names, secret.arn)]
        if readers:
            statements.append(_readers_read_current(self._args.names.settings, secret.arn, readers))
        self._policy(policy.ref.path, secret, statements)
        return secret.arn

    def _authority(self, path: str) -> Any:
        secret = self._shell(path, "What Keyturn itself needs at a target")
        self._policy(path, secret, [_only_function_reads(self._args.names, secret.arn, "aws")])
        return secret.arn

    def _slack(self, path: str) -> Any:
        secret = self._shell(path, "Address of the Slack webhook by which approvers are told")
        self._policy(path, secret, [_only_function_reads(self._args.names, secret.arn, CONTROL)])
        return secret.arn

    def _shell(self, path: str, description: str, tags: dict[str, str] | None = None) -> aws.secretsmanager.Secret:
        settings = self._args.names.settings
        return aws.secretsmanager.Secret(
            path,
            name=path,
            description=description,
            tags=tags,
            kms_key_id=self._args.data_key_arn,
            recovery_window_in_days=_RECOVERY_DAYS[settings.environment],
            opts=pulumi.ResourceOptions(parent=self, protect=settings.protects),
        )

    def _policy(self, path: str, secret: aws.secretsmanager.Secret, statements: Sequence[Statement]) -> None:
        aws.secretsmanager.SecretPolicy(
            path,
            secret_arn=secret.arn,
            policy=as_json(statements),
            block_public_policy=True,
            opts=pulumi.ResourceOptions(parent=self),
        )


def _only_function_reads_pending(names: Names, arn: Any) -> Statement:
    return _deny_read(
        "OnlyTheFunctionReadsPending",
        arn,
        {
            "ArnNotLike": {"aws:PrincipalArn": names.sessions("aws")},
            "StringEquals": {"secretsmanager:VersionStage": "AWSPENDING"},
        },
    )


def _only_function_reads(names: Names, arn: Any, kind: str) -> Statement:
    return _deny_read("OnlyTheFunctionReads", arn, {"ArnNotLike": {"aws:PrincipalArn": names.sessions(kind)}})


def _deny_read(sid: str, arn: Any, condition: dict[str, Any]) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["secretsmanager:GetSecretValue"],
        "Resource": [arn],
        "Condition": condition,
    }


def _readers_read_current(settings: Settings, arn: Any, readers: Sequence[str]) -> Statement:
    return {
        "Sid": "ReadersReadCurrent",
        "Effect": "Allow",
        # the account with a condition: AWS refuses a policy that names a role before it exists
        "Principal": {"AWS": f"arn:aws:iam::{settings.aws_account}:root"},
        "Action": ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue"],
        "Resource": [arn],
        "Condition": {
            "ArnEquals": {"aws:PrincipalArn": list(readers)},
            "StringEqualsIfExists": {"secretsmanager:VersionStage": ["AWSCURRENT", "AWSPREVIOUS"]},
            # a version asked for by its id could be the pending one
            "Null": {"secretsmanager:VersionId": "true"},
        },
    }
