"""How the vault function logs in: with a short JWT that KMS signs, whose public half Vault holds. No static credential.

The role binds subject and audience, and gives a token that lives as long as one phase. Not here: what the token may do
(`vault_store`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_vault as vault

from infra.names import Names

PATH = "jwt"
# What the function's assertions name as `iss` (`rotation.stores.vault_auth`).
ISSUER = "keyturn"
# A phase ends within a minute; two leave room for a retried call, then the token is worth nothing.
_TOKEN_LIFE_S = 120


@dataclass(frozen=True, kw_only=True)
class VaultLoginArgs:
    """`public_key_pem`: of the signing key. `function_policy`: the Vault policy the token gets."""

    names: Names
    public_key_pem: Any
    function_policy: Any


class VaultLogin(pulumi.ComponentResource):
    """The authentication method and the function's role. Output: `role`."""

    def __init__(self, name: str, args: VaultLoginArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:VaultLogin", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        method = vault.jwt.AuthBackend(
            PATH,
            path=PATH,
            type="jwt",
            description="Functions whose tokens are signed by KMS",
            bound_issuer=ISSUER,
            jwt_validation_pubkeys=[args.public_key_pem],
            jwt_supported_algs=["RS256"],
            opts=child,
        )
        role = role_name(args.names)
        self.role = vault.jwt.AuthBackendRole(
            role,
            backend=method.path,
            role_name=role,
            role_type="jwt",
            user_claim="sub",
            bound_subject=role,
            bound_audiences=[audience(args.names)],
            token_policies=[args.function_policy],
            token_no_default_policy=True,
            token_ttl=_TOKEN_LIFE_S,
            token_max_ttl=_TOKEN_LIFE_S,
            opts=child,
        ).role_name
        self.register_outputs({"role": self.role})


def role_name(names: Names) -> str:
    """The role, and the subject its tokens carry."""
    return names.of("vault")


def audience(names: Names) -> str:
    """Whom the function's tokens are for: this stack's Vault and no other."""
    return names.of("vault-login")
