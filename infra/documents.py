"""IAM documents: statements on named resources, and the JSON around them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pulumi

# Written into every document; the other version that exists lacks conditions' variables.
IAM_VERSION = "2012-10-17"
# A role's inline policies together, without white space (IAM quotas).
INLINE_POLICY_LIMIT = 10_240
# One managed policy, without white space (IAM quotas).
MANAGED_POLICY_LIMIT = 6_144

Statement = dict[str, Any]


def allow(
    sid: str, actions: Sequence[str], resources: Sequence[Any], condition: Mapping[str, Any] | None = None
) -> Statement:
    """Allow `actions` on exactly `resources` (texts or outputs)."""
    statement: Statement = {"Sid": sid, "Effect": "Allow", "Action": list(actions), "Resource": list(resources)}
    if condition:
        statement["Condition"] = dict(condition)
    return statement


def document(statements: Sequence[Statement]) -> dict[str, Any]:
    """A policy document of `statements`."""
    return {"Version": IAM_VERSION, "Statement": list(statements)}


def as_json(statements: Sequence[Statement]) -> pulumi.Output[str]:
    """The document as JSON without white space, unknown while an output in it is unknown."""
    return pulumi.Output.json_dumps(document(statements), separators=(",", ":"))


def trust(service: str, account: str) -> pulumi.Output[str]:
    """Who may take a role: one AWS service, acting for this account alone."""
    statement: Statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    # Lambda does not say for whom it acts when it takes a function's role
    if service != "lambda.amazonaws.com":
        statement["Condition"] = {"StringEquals": {"aws:SourceAccount": account}}
    return as_json([statement])
