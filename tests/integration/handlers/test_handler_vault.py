"""Vault types together: a function that signs with KMS logs in, and what stands in the way is refused."""

from __future__ import annotations

import json
import time
from base64 import urlsafe_b64encode

import hvac
import pytest
from handler_cases_vault import public_key, read
from handler_world import World
from hvac.exceptions import Forbidden, InvalidRequest

pytestmark = [pytest.mark.sandbox, pytest.mark.openbao]

MOUNT = "vault:index/mount:Mount"
CONFIGURATION = "vault:kv/secretBackendV2:SecretBackendV2"
METHOD = "vault:jwt/authBackend:AuthBackend"
ROLE = "vault:jwt/authBackendRole:AuthBackendRole"


def _part(content: object) -> str:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _signed_by_kms(world: World, key_id: str, subject: str) -> str:
    claims = {"sub": subject, "aud": "keyturn", "exp": int(time.time()) + 60}
    unsigned = f"{_part({'alg': 'RS256', 'typ': 'JWT'})}.{_part(claims)}"
    signature = world.aws("kms").sign(
        KeyId=key_id,
        Message=unsigned.encode(),
        MessageType="RAW",
        SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
    )["Signature"]
    return f"{unsigned}.{_part(signature)}"


def _declared(world: World) -> tuple[str, str, str]:
    """Mount, method and signing key of a stack, all made by handlers."""
    key = world.make("aws:kms/key:Key", keyUsage="SIGN_VERIFY", customerMasterKeySpec="RSA_2048")["keyId"]
    pem = world.invokes["aws:kms/getPublicKey:getPublicKey"]({"keyId": key})["publicKeyPem"]
    mount = world.make(MOUNT, "kv", type="kv-v2")["path"]
    world.make(CONFIGURATION, "kv", mount=mount, casRequired=True)
    rules = f'path "{mount}/data/a" {{\n  capabilities = ["create", "read", "update"]\n}}\n'
    policy = world.make("vault:index/policy:Policy", "rules", policy=rules)["name"]
    method = world.make(METHOD, "jwt", type="jwt", jwtValidationPubkeys=[pem], jwtSupportedAlgs=["RS256"])["path"]
    world.make(
        ROLE,
        backend=method,
        roleName="function",
        roleType="jwt",
        userClaim="sub",
        boundSubject="function",
        boundAudiences=["keyturn"],
        tokenPolicies=[policy],
        tokenNoDefaultPolicy=True,
        tokenTtl=120,
        tokenMaxTtl=120,
    )
    return mount, method, key


def _login(world: World, method: str, token: str) -> hvac.Client:
    client = hvac.Client(url=world.facts.vault_address, token="")
    answer = client.auth.jwt.jwt_login(role="function", jwt=token, path=method)
    assert (answer["auth"]["lease_duration"], answer["auth"]["token_policies"]) == (120, [world.own("rules")])
    return client


def test_a_token_that_kms_signed_logs_in_and_may_do_what_the_policy_says(world: World) -> None:
    mount, method, key = _declared(world)
    client = _login(world, method, _signed_by_kms(world, key, "function"))
    with pytest.raises(InvalidRequest, match="check-and-set parameter required"):
        client.write_data(f"{mount}/data/a", data={"data": {"k": "v"}})
    client.write_data(f"{mount}/data/a", data={"data": {"k": "v"}, "options": {"cas": 0}})
    with pytest.raises(Forbidden):
        client.read(f"{mount}/data/b")
    client.adapter.close()


def test_a_token_of_another_subject_is_refused(world: World) -> None:
    _, method, key = _declared(world)
    with pytest.raises(InvalidRequest):
        _login(world, method, _signed_by_kms(world, key, "somebody"))


def test_adopting_a_mount_leaves_its_secrets(world: World) -> None:
    mount = world.make(MOUNT, type="kv-v2")["path"]
    world.make(CONFIGURATION, mount=mount, casRequired=False)
    world.vault.write_data(f"{mount}/data/a", data={"data": {"k": "kept"}})
    world.make(MOUNT, type="kv-v2", description="described anew")
    assert read(world, f"{mount}/data/a")["data"] == {"k": "kept"}


def test_another_engine_at_the_path_is_refused_and_left_alone(world: World) -> None:
    path = world.own("taken")
    world.vault.write_data(f"sys/mounts/{path}", data={"type": "transit"})
    with pytest.raises(ValueError, match="stands an engine of type transit"):
        world.handler(MOUNT).create(path, {"path": path, "type": "kv-v2"})
    assert read(world, "sys/mounts")[f"{path}/"]["type"] == "transit"


def test_what_lived_in_a_mount_or_method_is_gone_with_it(world: World) -> None:
    mount = world.make(MOUNT, "kv", type="kv-v2")
    configured = world.make(CONFIGURATION, "kv", mount=mount["path"], maxVersions=5)
    world.handler(MOUNT).delete(mount["id"], mount)
    assert world.handler(CONFIGURATION).read(configured["id"], {"mount": mount["path"]}) is None
    world.handler(CONFIGURATION).delete(configured["id"], configured)
    pem = public_key(world, "key")
    method = world.make(METHOD, "jwt", type="jwt", jwtValidationPubkeys=[pem])
    role = world.make(ROLE, backend=method["path"], roleName="r", roleType="jwt", userClaim="sub", boundSubject="s")
    world.handler(METHOD).delete(method["id"], method)
    world.handler(ROLE).delete(role["id"], role)
    assert world.handler(ROLE).read(role["id"], {"backend": method["path"], "roleName": "r"}) is None


def test_no_output_holds_the_administrators_token(world: World) -> None:
    outputs = [world.make(MOUNT, "kv", type="kv-v2")]
    outputs.append(world.make(METHOD, "jwt", type="jwt", jwtValidationPubkeys=[public_key(world, "key")]))
    assert world.credentials.vault_root_token not in repr(outputs)
    assert world.credentials.vault_root_token not in repr(world.handlers)
