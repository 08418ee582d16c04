"""Every permission whose resource is `*` or a pattern, with the reason: the only place that may spell one.

A statement with a pattern carries the entry's name as its Sid, so that tests can hold both directions: no pattern
elsewhere, and no entry that nothing uses. Not here: denials, which are stronger the wider they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Wildcard:
    """One permission on more than named resources. `sid`: its name in policies."""

    sid: str
    actions: tuple[str, ...]
    reason: str

    def allow(self, *resources: str, **more: Mapping[str, Any]) -> dict[str, Any]:
        """The statement; without resources, on `*`. `more`: Principal or Condition."""
        spread = list(resources) or ["*"]
        return {"Sid": self.sid, "Effect": "Allow", "Action": list(self.actions), "Resource": spread, **more}


TRACES = Wildcard(
    sid="TracesToXRay",
    actions=("xray:PutTelemetryRecords", "xray:PutTraceSegments"),
    reason="X-Ray knows no resource for these actions",
)
NETWORK_INTERFACES = Wildcard(
    sid="NetworkInterfacesOfTheFunction",
    actions=(
        "ec2:AssignPrivateIpAddresses",
        "ec2:CreateNetworkInterface",
        "ec2:DeleteNetworkInterface",
        "ec2:DescribeNetworkInterfaces",
        "ec2:DescribeSubnets",
        "ec2:UnassignPrivateIpAddresses",
    ),
    reason="Lambda places a function in a subnet with the function's role; an interface has no ARN before it exists",
)
LOG_STREAMS = Wildcard(
    sid="StreamsOfOwnLogGroup",
    actions=("logs:CreateLogStream", "logs:PutLogEvents"),
    reason="Lambda names the streams of the one log group",
)
LOG_DELIVERY = Wildcard(
    sid="LogDeliveryOfTheMachine",
    actions=(
        "logs:CreateLogDelivery",
        "logs:DeleteLogDelivery",
        "logs:DescribeLogGroups",
        "logs:DescribeResourcePolicies",
        "logs:GetLogDelivery",
        "logs:ListLogDeliveries",
        "logs:PutResourcePolicy",
        "logs:UpdateLogDelivery",
    ),
    reason="Step Functions manages its log delivery with the machine's role; these actions know no resource",
)
PINNED_VERSIONS = Wildcard(
    sid="PinnedVersionsOfOwnFunctions",
    actions=("lambda:InvokeFunction",),
    reason="a run pins the published version drawn at its claim, and versions are numbered as they appear",
)
EXECUTIONS = Wildcard(
    sid="ExecutionsOfOwnMachines",
    actions=("states:DescribeExecution",),
    reason="a claim is free when the execution that owns it is not running, and executions are named as they start",
)
ANSWERS_ON_LOCAL = Wildcard(
    sid="AnswersOnLocal",
    actions=("states:SendTaskSuccess",),
    reason="the emulator judges a task token by no resource; every other stack names the machine",
)
LAST_USE_ON_LOCAL = Wildcard(
    sid="LastUseOnLocal",
    actions=("iam:GetAccessKeyLastUsed",),
    reason="the emulator judges a key's last use by no resource; every other stack names the user",
)
FINDINGS = Wildcard(
    sid="FindingsOfTheStack",
    actions=("cloudwatch:PutMetricData",),
    reason="CloudWatch knows no resource for a metric; the condition holds the namespace",
)
ALARM_STATES = Wildcard(
    sid="AlarmStatesForRollback",
    actions=("cloudwatch:DescribeAlarms",),
    reason="CodeDeploy lists alarms by name, which CloudWatch authorises on all alarms",
)
KEY_ADMINISTRATION = Wildcard(
    sid="KeyAdministration",
    actions=("kms:*",),
    reason="in a key's policy `*` is that key alone; without it the account could never manage the key again",
)
KEY_FOR_LOGS = Wildcard(
    sid="KeyForLogs",
    actions=("kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"),
    reason="in a key's policy `*` is that key alone; CloudWatch Logs encrypts the stack's groups with it",
)
KEY_FOR_ALARMS = Wildcard(
    sid="KeyForAlarms",
    actions=("kms:Decrypt", "kms:GenerateDataKey*"),
    reason="in a key's policy `*` is that key alone; CloudWatch publishes to the encrypted topic",
)
KEY_FOR_READERS = Wildcard(
    sid="KeyForReaders",
    actions=("kms:Decrypt",),
    reason="in a key's policy `*` is that key alone; readers decrypt what Secrets Manager lets them read",
)

NAMED: Sequence[Wildcard] = (
    TRACES,
    NETWORK_INTERFACES,
    LOG_STREAMS,
    LOG_DELIVERY,
    PINNED_VERSIONS,
    EXECUTIONS,
    ANSWERS_ON_LOCAL,
    LAST_USE_ON_LOCAL,
    FINDINGS,
    ALARM_STATES,
    KEY_ADMINISTRATION,
    KEY_FOR_LOGS,
    KEY_FOR_ALARMS,
    KEY_FOR_READERS,
)
