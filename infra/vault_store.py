"""Vault's part: a KV v2 engine, one access policy for the function and one per credential for its readers.

KV v2 has no shell without a value, so nothing stands at a secret's path until the first rotation. A reader's policy
names the live path only. Not here: how the function logs in (`vault_login`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_vault as vault

from infra.authorities import named
from infra.names import Names
from rotation.policy import Policy

MOUNT = "keyturn"
# KV v2 keeps ten versions unless told otherwise; said here, because it is the horizon of a rollback.
_VERSIONS_KEPT = 10


@dataclass(frozen=True, kw_only=True)
class VaultStoreArgs:
    """`policies`: resolved, those of the store `vault`. `more_authorities`: paths beside the policies' own."""

    names: Names
    policies: Sequence[Policy]
    more_authorities: Sequence[str] = ()


class VaultStore(pulumi.ComponentResource):
    """Engine and access policies. Output: `function_policy`, the name of the function's policy."""

    def __init__(self, name: str, args: VaultStoreArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:VaultStore", name, None, opts)
        protect = args.names.settings.protects
        engine = vault.Mount(
            MOUNT,
            path=MOUNT,
            type="kv-v2",
            description="Credentials that Keyturn rotates",
            opts=pulumi.ResourceOptions(parent=self, protect=protect),
        )
        child = pulumi.ResourceOptions(parent=self)
        # every write of the runtime is check-and-set: whoever forgets it is refused
        vault.kv.SecretBackendV2(MOUNT, mount=engine.path, cas_required=True, max_versions=_VERSIONS_KEPT, opts=child)
        function = args.names.of("function")
        self.function_policy = vault.Policy(
            function, name=function, policy=function_rules(args.policies, args.more_authorities), opts=child
        ).name
        for policy in args.policies:
            reader = args.names.of(f"reader-{_below(policy.ref.path).replace('/', '-')}")
            vault.Policy(reader, name=reader, policy=reader_rules(policy), opts=child)
        self.register_outputs({"functionPolicy": self.function_policy})


def function_rules(policies: Sequence[Policy], more_authorities: Sequence[str] = ()) -> str:
    """HCL of what the vault function may do."""
    rules = []
    for policy in policies:
        live = _below(policy.ref.path)
        for path in (live, f"pending/{live}"):
            rules += [
                _rule(f"{MOUNT}/data/{path}", "create", "read", "update"),
                _rule(f"{MOUNT}/metadata/{path}", "read"),
                _rule(f"{MOUNT}/destroy/{path}", "update"),
            ]
    for authority in map(_below, named(policies, more_authorities)):
        rules.append(_rule(f"{MOUNT}/data/{authority}", "read"))
    return "\n".join(rules)


def reader_rules(policy: Policy) -> str:
    """HCL of what a consumer may do: read the live path. Pending is denied, which no other policy can undo."""
    live = _below(policy.ref.path)
    return "\n".join([_rule(f"{MOUNT}/data/{live}", "read"), _rule(f"{MOUNT}/data/pending/*", "deny")])


def _below(path: str) -> str:
    return path.removeprefix(f"{MOUNT}/")


def _rule(path: str, *capabilities: str) -> str:
    quoted = ", ".join(f'"{capability}"' for capability in capabilities)
    return f'path "{path}" {{\n  capabilities = [{quoted}]\n}}\n'
