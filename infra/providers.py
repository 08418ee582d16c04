"""One provider per cloud, explicit: nothing falls back to whatever account a shell happens to be logged in to.

No credential here in staging and prod: providers take theirs from the environment of the one who applies (federated).
On `local` the AWS keys are the literal `test` that the emulator expects.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_gcp as gcp
import pulumi_github as github
import pulumi_vault as vault

from infra.config import PROJECT, Settings

# Endpoint names as the SDK's ProviderEndpointArgs spells them; those the program needs.
_SERVICES = (
    "apigatewayv2",
    "cloudwatch",
    "cloudwatchlogs",
    "codedeploy",
    "dynamodb",
    "eventbridge",
    "iam",
    "kms",
    "lambda_",
    "s3",
    "scheduler",
    "secretsmanager",
    "sfn",
    "sns",
    "sqs",
    "sts",
)
_EMULATOR_KEY = "test"


@dataclass(frozen=True, kw_only=True)
class Providers:
    """The providers every component is given."""

    aws: aws.Provider
    vault: vault.Provider
    gcp: gcp.Provider
    github: github.Provider

    def options(self) -> pulumi.ResourceOptions:
        """Options of a component: its children inherit the providers."""
        return pulumi.ResourceOptions(providers=[self.aws, self.vault, self.gcp, self.github])


def declare_providers(settings: Settings) -> Providers:
    """One provider per cloud for this stack."""
    return Providers(
        aws=_emulated(settings) if settings.local else account_provider(settings),
        # a child token would outlive an interrupted apply
        vault=vault.Provider("vault", address=settings.vault_address, skip_child_token=True),
        gcp=gcp.Provider("gcp", project=settings.google_project, default_labels=_tags(settings)),
        github=github.Provider("github", owner=settings.github_owner),
    )


def _tags(settings: Settings, project: str = PROJECT) -> dict[str, str]:
    return {"project": project, "stack": settings.stack, "owner": "platform"}


def account_provider(settings: Settings, project: str = PROJECT) -> aws.Provider:
    """The one account of a real stack; `project` is the tag by which permissions tell whose a key is."""
    return aws.Provider(
        "aws",
        region=settings.region,
        # the wrong profile in a shell is refused before it can do harm
        allowed_account_ids=[settings.aws_account],
        default_tags=aws.ProviderDefaultTagsArgs(tags=_tags(settings, project)),
    )


def _emulated(settings: Settings) -> aws.Provider:
    return aws.Provider(
        "aws",
        region=settings.region,
        access_key=_EMULATOR_KEY,
        secret_key=_EMULATOR_KEY,
        skip_credentials_validation=True,
        skip_metadata_api_check=True,
        skip_region_validation=True,
        skip_requesting_account_id=True,
        s3_use_path_style=True,
        endpoints=[aws.ProviderEndpointArgs(**dict.fromkeys(_SERVICES, settings.aws_endpoint))],
        default_tags=aws.ProviderDefaultTagsArgs(tags=_tags(settings)),
    )
