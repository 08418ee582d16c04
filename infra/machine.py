"""One state machine: definition, published version, role that invokes exactly its functions, log without data.

Execution data stays out of the logs although it holds no value: references tell who rotates what and when. Not here:
the definition (`rotation.definition`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.documents import Statement, as_json, trust
from infra.names import Names
from infra.wildcards import LOG_DELIVERY, TRACES


@dataclass(frozen=True, kw_only=True)
class MachineArgs:
    """`kind`: name in the stack. `definition`: Amazon States Language. `invokes`: statements on the functions.

    `after`: what has to exist before the machine may run.
    """

    names: Names
    kind: str
    definition: dict[str, Any]
    invokes: Sequence[Statement]
    data_key_arn: Any
    after: Sequence[pulumi.Resource]


class Machine(pulumi.ComponentResource):
    """The machine. Output: `machine`."""

    def __init__(self, name: str, args: MachineArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:Machine", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        self._full = args.names.of(args.kind)
        group = aws.cloudwatch.LogGroup(
            self._full,
            # the prefix Step Functions asks for, so that its resource policy does not outgrow its limit
            name=f"/aws/vendedlogs/states/{self._full}",
            retention_in_days=args.names.settings.log_retention_days,
            kms_key_id=args.data_key_arn,
            opts=self._child,
        )
        role, policy = self._role(args)
        self.machine = aws.sfn.StateMachine(
            self._full,
            name=self._full,
            type="STANDARD",
            role_arn=role.arn,
            definition=json.dumps(args.definition),
            publish=True,
            logging_configuration={
                "level": "ALL",
                "include_execution_data": False,
                "log_destination": pulumi.Output.concat(group.arn, ":*"),
            },
            tracing_configuration={"enabled": True},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy, *args.after]),
        )
        self.register_outputs({"arn": self.machine.arn})

    def _role(self, args: MachineArgs) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        role = aws.iam.Role(
            self._full,
            name=self._full,
            description=f"The state machine {self._full}",
            assume_role_policy=trust("states.amazonaws.com", args.names.settings.aws_account),
            permissions_boundary=args.names.boundary_arn,
            opts=self._child,
        )
        statements = [*args.invokes, LOG_DELIVERY.allow(), TRACES.allow()]
        policy = aws.iam.RolePolicy(
            self._full, name="own", role=role.name, policy=as_json(statements), opts=self._child
        )
        return role, policy
