"""Which class serves a credential type; its module is imported only when asked for, so a function pays for its own."""

from __future__ import annotations

import importlib
from typing import Any

from rotation.errors import Refused

_CLASSES = {
    "aws-iam-access-key": ("rotation.issuers.aws_iam_access_key", "AwsIamAccessKey"),
    "bearer-token": ("rotation.issuers.bearer_token", "BearerToken"),
    "key-pair": ("rotation.issuers.key_pair", "KeyPair"),
    "postgres-alternating": ("rotation.issuers.postgres_alternating", "PostgresAlternating"),
    "postgres-single": ("rotation.issuers.postgres_single", "PostgresSingle"),
    "random-string": ("rotation.issuers.random_string", "RandomString"),
    "redis-acl": ("rotation.issuers.redis_acl", "RedisAcl"),
    "reminder": ("rotation.issuers.reminder", "Reminder"),
    "signing-key": ("rotation.issuers.signing_key", "SigningKey"),
    "vault-static-role": ("rotation.issuers.vault_static_role", "VaultStaticRole"),
    "webhook-signing-key": ("rotation.issuers.webhook_signing_key", "WebhookSigningKey"),
}


def issuer_class(kind: str) -> Any:
    """The class of `kind`: a `CredentialIssuer` made from (facts, authority, caller), with `translate` for its Caller.

    Refused `unknown_credential` names the known kinds.
    """
    if kind not in _CLASSES:
        raise Refused(
            "unknown_credential",
            f"no issuer makes credentials of the kind `{kind}`",
            f"write one of {', '.join(known_kinds())} in the policy",
        )
    module, name = _CLASSES[kind]
    return getattr(importlib.import_module(module), name)


def known_kinds() -> tuple[str, ...]:
    """Every kind, sorted."""
    return tuple(sorted(_CLASSES))
