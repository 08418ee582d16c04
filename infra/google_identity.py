"""How the gcp function becomes a Google service account: workload identity federation from its AWS role. No key exists.

Only a session of that one role of that one account is accepted. Not here: what the service account may do
(`google_secrets`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass

import pulumi
import pulumi_gcp as gcp

from infra.names import Names

# Every session of an assumed role carries the role's name in its ARN, between these.
_ROLE_OF_SESSION = "assertion.arn.extract('assumed-role/{role}/')"


@dataclass(frozen=True, kw_only=True)
class GoogleIdentityArgs:
    """What the identity needs to know."""

    names: Names


class GoogleIdentity(pulumi.ComponentResource):
    """Pool, provider and service account. Output: `member`, as IAM policies write the account."""

    def __init__(self, name: str, args: GoogleIdentityArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:GoogleIdentity", name, None, opts)
        self._names = args.names
        project = args.names.settings.google_project
        account_id = args.names.of("gcp")
        account = gcp.serviceaccount.Account(
            account_id,
            project=project,
            account_id=account_id,
            display_name=f"Keyturn's gcp function ({args.names.settings.stack})",
            opts=pulumi.ResourceOptions(parent=self),
        )
        pool = self._pool(project)
        gcp.serviceaccount.IAMMember(
            account_id,
            service_account_id=account.name,
            role="roles/iam.workloadIdentityUser",
            member=f"principalSet:{_pool_path(args.names)}/attribute.aws_role/{args.names.of('gcp')}",
            opts=pulumi.ResourceOptions(parent=self, depends_on=[pool]),
        )
        self.member = pulumi.Output.concat("serviceAccount:", account.email)
        self.register_outputs({"member": self.member})

    def _pool(self, project: str) -> gcp.iam.WorkloadIdentityPool:
        child = pulumi.ResourceOptions(parent=self)
        name = self._names.of("pool")
        pool = gcp.iam.WorkloadIdentityPool(
            name, project=project, workload_identity_pool_id=name, display_name="Keyturn", opts=child
        )
        gcp.iam.WorkloadIdentityPoolProvider(
            "aws",
            project=project,
            workload_identity_pool_id=pool.workload_identity_pool_id,
            workload_identity_pool_provider_id="aws",
            aws={"account_id": self._names.settings.aws_account},
            attribute_mapping={"google.subject": "assertion.arn", "attribute.aws_role": _ROLE_OF_SESSION},
            attribute_condition=f"attribute.aws_role == '{self._names.of('gcp')}'",
            opts=child,
        )
        return pool


def _pool_path(names: Names) -> str:
    number = names.settings.google_project_number
    return f"//iam.googleapis.com/projects/{number}/locations/global/workloadIdentityPools/{names.of('pool')}"


def identity(names: Names) -> str:
    """What the function needs to become the service account, as JSON: audience and address. Nothing secret."""
    email = f"{names.of('gcp')}@{names.settings.google_project}.iam.gserviceaccount.com"
    return json.dumps({"audience": f"{_pool_path(names)}/providers/aws", "service_account": email}, sort_keys=True)
