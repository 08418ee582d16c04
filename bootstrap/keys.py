"""Two KMS keys for Pulumi: one encrypts the bucket of the state, one is the stacks' secrets provider.

Two, because who may read the state need not be able to open what is secret in it. Not here: who may use them, which
stands in the deployment role.
"""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.documents import as_json
from infra.encryption import DELETION_DAYS_PROTECTED, administration
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class PulumiKeysArgs:
    """What the keys need to know."""

    names: Names


class PulumiKeys(pulumi.ComponentResource):
    """The keys with their aliases. Outputs: `state_key_arn`, `secrets_key_arn`."""

    def __init__(self, name: str, args: PulumiKeysArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:bootstrap:PulumiKeys", name, None, opts)
        self._names = args.names
        self.state_key_arn = self._key("state", "Encrypts Pulumi's state").arn
        self.secrets_key_arn = self._key("secrets", "Pulumi's secrets provider").arn
        self.register_outputs({"stateKeyArn": self.state_key_arn, "secretsKeyArn": self.secrets_key_arn})

    def _key(self, what: str, description: str) -> aws.kms.Key:
        key = aws.kms.Key(
            what,
            description=f"{description} ({self._names.settings.stack})",
            enable_key_rotation=True,
            deletion_window_in_days=DELETION_DAYS_PROTECTED,
            policy=as_json([administration(self._names)]),
            # a stack whose state cannot be read is lost, in staging too
            opts=pulumi.ResourceOptions(parent=self, protect=True),
        )
        aws.kms.Alias(
            what, name=alias(self._names, what), target_key_id=key.key_id, opts=pulumi.ResourceOptions(parent=self)
        )
        return key


def alias(names: Names, what: str) -> str:
    """`alias/keyturn-bootstrap-prod-secrets` for `secrets`."""
    return f"alias/{names.bootstrapped(what)}"


def secrets_provider(names: Names) -> str:
    """What `pulumi stack init --secrets-provider` takes."""
    return f"awskms://{alias(names, 'secrets')}?region={names.settings.region}"
