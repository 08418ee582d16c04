"""How a role trusts a job of GitHub Actions: the provider's computed ARN, one repository, one environment.

An account has one provider for GitHub whatever the number of stacks in it, so that `bootstrap/` declares it, and
roles name it by its ARN. Not here: what such a role may do.
"""

from __future__ import annotations

from infra.documents import Statement
from infra.names import Names

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
# A canary shift takes five minutes; an hour is the least a role's session limit can be.
SESSION_S = 3_600


def provider_arn(names: Names) -> str:
    """The account's OpenID Connect provider for GitHub; its ARN follows from the address."""
    return f"arn:aws:iam::{names.settings.aws_account}:oidc-provider/{ISSUER}"


def github_trust(names: Names) -> Statement:
    """A job that passed the reviewers of the environment named like the stack."""
    settings = names.settings
    subject = f"repo:{settings.github_owner}/{settings.github_repository}:environment:{settings.stack}"
    return {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": provider_arn(names)},
        "Condition": {"StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subject}},
    }
