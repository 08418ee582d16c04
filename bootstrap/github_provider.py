"""The account's OpenID Connect provider for GitHub Actions: one an account, whatever the number of stacks in it.

No thumbprint: AWS checks GitHub's certificate against its own list of authorities (IAM user guide).
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.github_trust import AUDIENCE, ISSUER


@dataclass(frozen=True, kw_only=True)
class GithubProviderArgs:
    """`declared`: False when the account has the provider already."""

    declared: bool


class GithubProvider(pulumi.ComponentResource):
    """The provider; roles name it by its computed ARN."""

    def __init__(self, name: str, args: GithubProviderArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:bootstrap:GithubProvider", name, None, opts)
        if args.declared:
            aws.iam.OpenIdConnectProvider(
                name,
                url=f"https://{ISSUER}",
                client_id_lists=[AUDIENCE],
                # the other stack of the account may log in through it
                opts=pulumi.ResourceOptions(parent=self, protect=True),
            )
        self.register_outputs({})
