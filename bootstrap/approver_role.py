"""The first approver: who may look and answer runs that wait, as themselves and with a second factor, nothing else.

Approving is a verb of the endpoint, a route of its own, and control alone answers task tokens. A policy has to name the
role among its approvers. The session carries the user's name, so that the record names a person and not a role: by that
name control holds that approver and requester differ, which IAM cannot.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from bootstrap.people_grants import people
from infra.documents import Statement, as_json
from infra.names import Names

# The least a role's session limit can be; an approval takes minutes.
_SESSION_S = 3_600
# A second factor that was shown longer ago than a session lasts is asked for again.
_FACTOR_AGE_S = _SESSION_S


@dataclass(frozen=True, kw_only=True)
class ApproverRoleArgs:
    """`approvers`: ARNs of IAM users."""

    names: Names
    approvers: Sequence[str]


class ApproverRole(pulumi.ComponentResource):
    """The role. Output: `arn`."""

    def __init__(self, name: str, args: ApproverRoleArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:bootstrap:ApproverRole", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        full = args.names.bootstrapped("approver")
        role = aws.iam.Role(
            full,
            name=full,
            description="Asks Keyturn's endpoint, with a second factor",
            assume_role_policy=as_json([_named_people(args.approvers)]),
            max_session_duration=_SESSION_S,
            opts=child,
        )
        may = as_json(people(args.names)["approver"])
        aws.iam.RolePolicy(full, name="own", role=role.name, policy=may, opts=child)
        self.arn = role.arn
        self.register_outputs({"arn": self.arn})


def _named_people(approvers: Sequence[str]) -> Statement:
    return {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"AWS": list(approvers)},
        "Condition": {
            "Bool": {"aws:MultiFactorAuthPresent": "true"},
            "NumericLessThan": {"aws:MultiFactorAuthAge": str(_FACTOR_AGE_S)},
            "StringEquals": {"sts:RoleSessionName": "${aws:username}"},
        },
    }
