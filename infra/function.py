"""One managed function: role, log group, dead letters, published version and the alias that callers use.

The alias is born here and moved by CodeDeploy ever after. Not here: what the role may do on secrets (`grants`) and who
may invoke (`machine`, `native_rotation`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.artefacts import code
from infra.documents import Statement, as_json, trust
from infra.names import LIVE, Names
from infra.queue import declare_queue
from rotation.definition import FUNCTION_TIMEOUT_S

# The interpreter the zips' byte code is built for.
RUNTIME = "python3.11"
ARCHITECTURE = "x86_64"
# Processor share grows with memory; below this the import of an SDK alone takes seconds.
MEMORY_MB = 512
# CodeDeploy moves these; Pulumi would put them back at once.
MOVED_BY_DEPLOYMENTS = ["functionVersion", "routingConfig"]


@dataclass(frozen=True, kw_only=True)
class RotationFunctionArgs:
    """`kind`: a store or `control`. `statements`: its role's permissions. `environment`: its variables."""

    names: Names
    kind: str
    statements: Sequence[Statement]
    environment: Mapping[str, Any]
    data_key_arn: Any


class RotationFunction(pulumi.ComponentResource):
    """The function. Outputs: `function`, `alias`."""

    def __init__(self, name: str, args: RotationFunctionArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:RotationFunction", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._full = args.names.of(args.kind)
        role, policy = self._role(args)
        group = aws.cloudwatch.LogGroup(
            self._full,
            name=args.names.log_group(args.kind),
            retention_in_days=args.names.settings.log_retention_days,
            kms_key_id=args.data_key_arn,
            opts=self._child,
        )
        dead = declare_queue(args.names.of(f"{args.kind}-dead"), self)
        # without its permissions and its log group the first invocation would fail, or log for ever
        ready = pulumi.ResourceOptions(parent=self, depends_on=[policy, group])
        self.function = self._function(args, role, dead.arn, ready)
        self.alias = self._alias()
        self.register_outputs({"name": self.function.name, "liveArn": self.alias.arn})

    def _role(self, args: RotationFunctionArgs) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        account = args.names.settings.aws_account
        role = aws.iam.Role(
            self._full,
            name=self._full,
            description=f"The function {self._full}",
            assume_role_policy=trust("lambda.amazonaws.com", account),
            permissions_boundary=args.names.boundary_arn,
            opts=self._child,
        )
        policy = aws.iam.RolePolicy(
            self._full, name="own", role=role.name, policy=as_json(args.statements), opts=self._child
        )
        return role, policy

    def _function(
        self, args: RotationFunctionArgs, role: aws.iam.Role, dead_arn: Any, opts: pulumi.ResourceOptions
    ) -> aws.lambda_.Function:
        settings = args.names.settings
        placed = {"subnet_ids": settings.subnet_ids, "security_group_ids": settings.security_group_ids}
        return aws.lambda_.Function(
            self._full,
            name=self._full,
            role=role.arn,
            runtime=RUNTIME,
            architectures=[ARCHITECTURE],
            handler=f"rotation.handlers.{args.kind}.handle",
            code=code(args.kind),
            timeout=FUNCTION_TIMEOUT_S,
            memory_size=MEMORY_MB,
            publish=True,
            reserved_concurrent_executions=settings.function_concurrency,
            environment={"variables": dict(args.environment)},
            dead_letter_config={"target_arn": dead_arn},
            tracing_config={"mode": "Active"},
            vpc_config=placed if settings.subnet_ids else None,
            opts=opts,
        )

    def _alias(self) -> aws.lambda_.Alias:
        return aws.lambda_.Alias(
            self._full,
            name=LIVE,
            function_name=self.function.name,
            function_version=self.function.version,
            opts=pulumi.ResourceOptions(parent=self, ignore_changes=MOVED_BY_DEPLOYMENTS),
        )
