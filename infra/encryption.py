"""Three KMS keys: one encrypts what the stack keeps, one signs the login of the vault function, one seals policies.

The signing key is asymmetric, so that Vault holds only its public half. Not here: who may use the keys, which stands in
each function's role.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.documents import Statement, as_json
from infra.names import Names
from infra.wildcards import KEY_ADMINISTRATION, KEY_FOR_ALARMS, KEY_FOR_LOGS, KEY_FOR_READERS

# The longest and the shortest delay KMS offers between a deletion and the end of the key.
DELETION_DAYS_PROTECTED = 30
_DELETION_DAYS = 7


@dataclass(frozen=True, kw_only=True)
class EncryptionArgs:
    """`readers`: ARNs of the roles that read secrets of AWS Secrets Manager."""

    names: Names
    readers: Sequence[str]


class Encryption(pulumi.ComponentResource):
    """The stack's keys. Outputs: `{data,signing,seal}_key_arn`, `signing_key_id`, `public_key_pem`."""

    def __init__(self, name: str, args: EncryptionArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:Encryption", name, None, opts)
        data = self._key("data", args, "Encrypts what Keyturn keeps", policy=_data_policy(args))
        signing = self._key(
            "signing",
            args,
            "Signs the vault function's login",
            key_usage="SIGN_VERIFY",
            customer_master_key_spec="RSA_2048",
            policy=as_json([administration(args.names)]),
        )
        only_admin = as_json([administration(args.names)])
        seal = self._key("catalogue", args, "Seals the policies that were deployed", policy=only_admin)
        self.data_key_arn = data.arn
        self.seal_key_arn = seal.arn
        self.signing_key_arn = signing.arn
        self.signing_key_id = signing.key_id
        public = aws.kms.get_public_key_output(key_id=signing.key_id, opts=pulumi.InvokeOutputOptions(parent=self))
        self.public_key_pem = public.public_key_pem
        self.register_outputs({"dataKeyArn": self.data_key_arn, "signingKeyId": self.signing_key_id})

    def _key(self, what: str, args: EncryptionArgs, description: str, **inputs: Any) -> aws.kms.Key:
        settings = args.names.settings
        key = aws.kms.Key(
            what,
            description=f"{description} ({settings.stack})",
            # an asymmetric key does not rotate by itself
            enable_key_rotation="key_usage" not in inputs,
            deletion_window_in_days=DELETION_DAYS_PROTECTED if settings.protects else _DELETION_DAYS,
            opts=pulumi.ResourceOptions(parent=self, protect=settings.protects),
            **inputs,
        )
        alias = f"alias/{args.names.of(what)}"
        aws.kms.Alias(what, name=alias, target_key_id=key.key_id, opts=pulumi.ResourceOptions(parent=self))
        return key


def administration(names: Names) -> Statement:
    """The account keeps managing a key, through the roles it gives that to."""
    root = f"arn:aws:iam::{names.settings.aws_account}:root"
    return KEY_ADMINISTRATION.allow(Principal={"AWS": root})


def _data_policy(args: EncryptionArgs) -> pulumi.Output[str]:
    names, settings = args.names, args.names.settings
    groups = {"ArnLike": {"kms:EncryptionContext:aws:logs:arn": f"{names.arn('logs', 'log-group')}:*"}}
    account = {"StringEquals": {"aws:SourceAccount": settings.aws_account}}
    logs = f"logs.{settings.region}.amazonaws.com"
    statements = [
        administration(names),
        KEY_FOR_LOGS.allow(Principal={"Service": logs}, Condition=groups),
        KEY_FOR_ALARMS.allow(Principal={"Service": "cloudwatch.amazonaws.com"}, Condition=account),
    ]
    return as_json(statements + ([_reading(args)] if args.readers else []))


def _reading(args: EncryptionArgs) -> Statement:
    settings = args.names.settings
    condition = {
        "ArnEquals": {"aws:PrincipalArn": list(args.readers)},
        "StringEquals": {"kms:ViaService": f"secretsmanager.{settings.region}.amazonaws.com"},
    }
    # the account with a condition: AWS refuses a policy that names a role before it exists
    root = f"arn:aws:iam::{settings.aws_account}:root"
    return KEY_FOR_READERS.allow(Principal={"AWS": root}, Condition=condition)
