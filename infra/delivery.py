"""Canary deployments of the functions: a CodeDeploy application and one group per function.

A deployment is started by the delivery workflow, never inside an apply; it shifts the alias and rolls back on the
function's alarms. Runs pin a version at their claim, so that whole runs shift, never steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.documents import allow, as_json, trust
from infra.names import FUNCTIONS, Names
from infra.wildcards import ALARM_STATES

# AWS's own: a tenth of the traffic for five minutes, then the rest.
_SHIFT = "CodeDeployDefault.LambdaCanary10Percent5Minutes"


@dataclass(frozen=True, kw_only=True)
class DeliveryArgs:
    """`alarms`: names of the alarms that roll a function back, by kind of function."""

    names: Names
    alarms: Mapping[str, Sequence[Any]]


class Delivery(pulumi.ComponentResource):
    """Application, role and groups. Output: `application`."""

    def __init__(self, name: str, args: DeliveryArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:Delivery", name, None, opts)
        self._names = args.names
        full = args.names.of("functions")
        child = pulumi.ResourceOptions(parent=self)
        self.application = aws.codedeploy.Application(full, name=full, compute_platform="Lambda", opts=child).name
        role, policy = self._role()
        ready = pulumi.ResourceOptions(parent=self, depends_on=[policy])
        for kind in FUNCTIONS:
            self._group(kind, role.arn, args.alarms[kind], ready)
        self.register_outputs({"application": self.application})

    def _group(self, kind: str, role_arn: Any, alarms: Sequence[Any], opts: pulumi.ResourceOptions) -> None:
        full = self._names.of(kind)
        aws.codedeploy.DeploymentGroup(
            full,
            app_name=self.application,
            deployment_group_name=full,
            service_role_arn=role_arn,
            deployment_config_name=_SHIFT,
            deployment_style={"deployment_option": "WITH_TRAFFIC_CONTROL", "deployment_type": "BLUE_GREEN"},
            auto_rollback_configuration={
                "enabled": True,
                "events": ["DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM"],
            },
            alarm_configuration={"enabled": True, "alarms": list(alarms)},
            opts=opts,
        )

    def _role(self) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        full = self._names.of("codedeploy")
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            full,
            name=full,
            description="CodeDeploy shifts the functions' aliases",
            assume_role_policy=trust("codedeploy.amazonaws.com", self._names.settings.aws_account),
            permissions_boundary=self._names.boundary_arn,
            opts=child,
        )
        functions = [arn for kind in FUNCTIONS for arn in (self._names.function_arn(kind), self._names.live_arn(kind))]
        verbs = ["lambda:GetAlias", "lambda:GetProvisionedConcurrencyConfig", "lambda:UpdateAlias"]
        statements = [allow("ShiftAliases", verbs, functions), ALARM_STATES.allow()]
        return role, aws.iam.RolePolicy(full, name="own", role=role.name, policy=as_json(statements), opts=child)
