"""Leave for Secrets Manager to invoke the aws function, so that AWS's own `RotateSecret` can use it.

Bound to the stack's account: without it any account's Secrets Manager could call the function (confused deputy).
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.function import RotationFunction
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class NativeRotationArgs:
    """`function`: the function of the store `aws`."""

    names: Names
    function: RotationFunction


class NativeRotation(pulumi.ComponentResource):
    """The permission, on the alias only."""

    def __init__(self, name: str, args: NativeRotationArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:NativeRotation", name, None, opts)
        aws.lambda_.Permission(
            name,
            statement_id="SecretsManagerRotates",
            action="lambda:InvokeFunction",
            function=args.function.function.name,
            qualifier=args.function.alias.name,
            principal="secretsmanager.amazonaws.com",
            source_account=args.names.settings.aws_account,
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})
