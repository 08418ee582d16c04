"""Cases of the types that OpenBao serves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from handler_cases import Case, case
from handler_world import World


def read(world: World, path: str) -> Any:
    """The data at an API path."""
    return world.vault.read(path)["data"]


def public_key(world: World, name: str) -> str:
    """The PEM of a new signing key."""
    made = world.make("aws:kms/key:Key", name, keyUsage="SIGN_VERIFY", customerMasterKeySpec="RSA_2048")
    return str(world.invokes["aws:kms/getPublicKey:getPublicKey"]({"keyId": made["keyId"]})["publicKeyPem"])


@case("vault:index/mount:Mount")
def mount(world: World, _: Path) -> Case:
    path = world.own("mount")

    def seen(id_: str) -> Any:
        found = read(world, "sys/mounts")[f"{id_}/"]
        return found["type"], found["options"]["version"], found["description"]

    return Case(
        before={"path": path, "type": "kv-v2", "description": "one"},
        after={"path": path, "type": "kv-v2", "description": "two"},
        seen=seen,
        was=("kv", "2", "one"),
        becomes=("kv", "2", "two"),
    )


@case("vault:kv/secretBackendV2:SecretBackendV2")
def configuration(world: World, _: Path) -> Case:
    path = world.make("vault:index/mount:Mount", type="kv-v2")["path"]

    def seen(id_: str) -> Any:
        found = read(world, id_)
        return found["cas_required"], found["max_versions"]

    return Case(
        before={"mount": path, "casRequired": True, "maxVersions": 10},
        after={"mount": path, "casRequired": False, "maxVersions": 5},
        seen=seen,
        was=(True, 10),
        becomes=(False, 5),
    )


@case("vault:index/policy:Policy")
def policy(world: World, _: Path) -> Case:
    def rules(capability: str) -> str:
        return f'path "keyturn/data/a" {{\n  capabilities = ["{capability}"]\n}}\n'

    return Case(
        before={"policy": rules("read")},
        after={"policy": rules("deny")},
        seen=lambda id_: read(world, f"sys/policies/acl/{id_}")["policy"],
        was=rules("read"),
        becomes=rules("deny"),
    )


@case("vault:jwt/authBackend:AuthBackend")
def method(world: World, _: Path) -> Case:
    path = world.own("jwt")
    first, second = public_key(world, "first"), public_key(world, "second")

    def seen(id_: str) -> Any:
        found = read(world, f"auth/{id_}/config")
        return [key.strip() for key in found["jwt_validation_pubkeys"]], found["jwt_supported_algs"]

    inputs = {"path": path, "type": "jwt", "jwtSupportedAlgs": ["RS256"]}
    return Case(
        before={**inputs, "jwtValidationPubkeys": [first]},
        after={**inputs, "jwtValidationPubkeys": [second], "description": "two"},
        seen=seen,
        was=([first.strip()], ["RS256"]),
        becomes=([second.strip()], ["RS256"]),
    )


@case("vault:jwt/authBackendRole:AuthBackendRole")
def role(world: World, _: Path) -> Case:
    pem = public_key(world, "key")
    path = world.make("vault:jwt/authBackend:AuthBackend", "jwt", type="jwt", jwtValidationPubkeys=[pem])["path"]
    inputs = {
        "backend": path,
        "roleName": "functions",
        "roleType": "jwt",
        "userClaim": "sub",
        "boundAudiences": ["keyturn"],
        "tokenPolicies": ["first"],
    }

    def seen(id_: str) -> Any:
        found = read(world, id_)
        return found["token_policies"], found["token_ttl"], found["bound_subject"]

    return Case(
        before={**inputs, "tokenTtl": 120, "boundSubject": "function"},
        after={**inputs, "tokenPolicies": ["second"], "tokenTtl": 60},
        seen=seen,
        was=(["first"], 120, "function"),
        becomes=(["second"], 60, ""),
    )
