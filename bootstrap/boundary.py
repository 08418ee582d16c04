"""The permissions boundary of every role the main program makes: the outer edge of what a run may ever need.

The deployment role can only make roles that carry it, so that who deploys cannot give away more than the runtime's own
reach. It is not a grant: each role still has its own, narrower statements (`infra.grants`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from bootstrap.boundary_grants import boundary
from infra.documents import as_json
from infra.names import Names
from rotation.policy import Policy


@dataclass(frozen=True, kw_only=True)
class BoundaryArgs:
    """`policies`: resolved; their secrets' folders are within the boundary."""

    names: Names
    policies: Sequence[Policy]


class Boundary(pulumi.ComponentResource):
    """The managed policy, at the ARN that `Names.boundary_arn` computes."""

    def __init__(self, name: str, args: BoundaryArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:bootstrap:Boundary", name, None, opts)
        aws.iam.Policy(
            name,
            name=args.names.bootstrapped("boundary"),
            description="The most that a role of Keyturn may do",
            policy=as_json(boundary(args.names, args.policies)),
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        self.register_outputs({})
