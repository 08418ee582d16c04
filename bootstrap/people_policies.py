"""The managed policies for people: reader, operator, approver, emergency. Attached to nobody here."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from bootstrap.people_grants import people
from infra.documents import as_json
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class PeoplePoliciesArgs:
    """The stack's names."""

    names: Names


class PeoplePolicies(pulumi.ComponentResource):
    """The policies. Output: `arns`, by who they are for."""

    def __init__(self, name: str, args: PeoplePoliciesArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:bootstrap:PeoplePolicies", name, None, opts)
        self.arns: dict[str, pulumi.Output[str]] = {}
        for who, statements in people(args.names).items():
            full = args.names.bootstrapped(who)
            policy = aws.iam.Policy(
                full,
                name=full,
                description=f"What a person may ask of Keyturn: {who}",
                policy=as_json(statements),
                opts=pulumi.ResourceOptions(parent=self),
            )
            self.arns[who] = policy.arn
        self.register_outputs({"arns": self.arns})
