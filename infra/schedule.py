"""The sweep's clock: every five minutes one execution that starts what is due.

What could not be delivered goes to a queue of its own. A silent sweep is alarmed by missing data (`alarm_rules`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.documents import allow, as_json, trust
from infra.names import Names
from infra.queue import declare_queue

# Longest a due rotation waits beyond its slot; short against any cadence (four hours at least).
PERIOD_MINUTES = 5
# A look that is late by a period is made up for by the next one.
_EVENT_AGE_S = PERIOD_MINUTES * 60
_ATTEMPTS = 2


@dataclass(frozen=True, kw_only=True)
class SweepScheduleArgs:
    """`machine_arn`: the machine `sweep`."""

    names: Names
    machine_arn: Any


class SweepSchedule(pulumi.ComponentResource):
    """Schedule, role and dead letters. Output: `dead`, the queue."""

    def __init__(self, name: str, args: SweepScheduleArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:SweepSchedule", name, None, opts)
        self.dead = declare_queue(args.names.of("schedule-dead"), self)
        role, policy = self._role(args)
        full = args.names.of("sweep")
        aws.scheduler.Schedule(
            full,
            name=full,
            description="Starts what is due",
            schedule_expression=f"rate({PERIOD_MINUTES} minutes)",
            state="ENABLED",
            flexible_time_window={"mode": "OFF"},
            target={
                "arn": args.machine_arn,
                "role_arn": role.arn,
                "input": "{}",
                "dead_letter_config": {"arn": self.dead.arn},
                "retry_policy": {"maximum_event_age_in_seconds": _EVENT_AGE_S, "maximum_retry_attempts": _ATTEMPTS},
            },
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({"dead": self.dead.arn})

    def _role(self, args: SweepScheduleArgs) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        full = args.names.of("schedule")
        child = pulumi.ResourceOptions(parent=self)
        role = aws.iam.Role(
            full,
            name=full,
            description="The schedule of the sweep",
            assume_role_policy=trust("scheduler.amazonaws.com", args.names.settings.aws_account),
            permissions_boundary=args.names.boundary_arn,
            opts=child,
        )
        statements = [
            allow("StartSweep", ["states:StartExecution"], [args.machine_arn]),
            allow("OwnDeadLetters", ["sqs:SendMessage"], [self.dead.arn]),
        ]
        return role, aws.iam.RolePolicy(full, name="own", role=role.name, policy=as_json(statements), opts=child)
