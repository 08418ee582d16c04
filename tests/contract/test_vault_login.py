"""Logging in to a real OpenBao with a JWT that a key service signs: when it happens, how often, and what is refused."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from store_bench import FaultyCaller, value
from store_servers import running
from vault_bench import MOUNT, VaultBench

from rotation import aws_client
from rotation.calls import Kind
from rotation.contract import SecretRef
from rotation.errors import Denied
from rotation.stores import vault_client
from rotation.stores.vault import VaultStore
from rotation.stores.vault_auth import JwtRole, KmsJwtLogin, Lease, VaultSession
from sandbox.parts.contract import Started
from sandbox.parts.openbao import Openbao

pytestmark = pytest.mark.openbao

ROLE, AUDIENCE, LEASE_S = "keyturn-test-vault", "keyturn-test-vault-login", 120
SIGNING = padding.PKCS1v15()


class Kms:
    """The one call of KMS that a login makes, with a key in memory."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)

    @property
    def public_pem(self) -> str:
        kind = serialization.PublicFormat.SubjectPublicKeyInfo
        return self.key.public_key().public_bytes(serialization.Encoding.PEM, kind).decode()

    def sign(self, **asked: Any) -> dict[str, bytes]:
        assert (asked["MessageType"], asked["SigningAlgorithm"]) == ("DIGEST", "RSASSA_PKCS1_V1_5_SHA_256")
        return {"Signature": self.key.sign(asked["Message"], SIGNING, Prehashed(hashes.SHA256()))}


class Clock:
    """The clock by which a session judges its lease: it stands still but for what a test adds."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
def kms() -> Kms:
    return Kms()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, kms: Kms) -> Iterator[Started]:
    with running(Openbao(), tmp_path_factory.mktemp("openbao")) as started:
        admin = VaultBench(started.facts["vault_address"], started.credentials["vault_root_token"]).admin
        admin.sys.enable_secrets_engine("kv", path=MOUNT, options={"version": "2"})
        admin.sys.create_or_update_policy("function", f'path "{MOUNT}/data/*" {{ capabilities = ["read"] }}')
        admin.sys.enable_auth_method("jwt", path="jwt")
        admin.auth.jwt.configure(path="jwt", jwt_validation_pubkeys=[kms.public_pem], jwt_supported_algs=["RS256"])
        admin.auth.jwt.create_role(
            path="jwt",
            name=ROLE,
            role_type="jwt",
            user_claim="sub",
            bound_subject=ROLE,
            bound_audiences=[AUDIENCE],
            allowed_redirect_uris=[],
            token_policies=["function"],
            token_ttl=LEASE_S,
        )
        yield started


@pytest.fixture
def bench(server: Started) -> VaultBench:
    return VaultBench(server.facts["vault_address"], server.credentials["vault_root_token"])


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time())


class Function:
    """A warm function: one client, one session, one store."""

    def __init__(
        self, bench: VaultBench, kms: Kms, clock: Clock, audience: str = AUDIENCE, signed_s_ago: int = 0
    ) -> None:
        self.caller = bench.caller
        kms_caller = FaultyCaller("kms", aws_client.translate)
        kms_caller.meter = self.caller.meter
        self.client = vault_client.client(bench.address)
        role = JwtRole(name=ROLE, audience=audience, key_id="alias/vault-login")
        login = KmsJwtLogin(kms, kms_caller, role, clock=lambda: time.time() - signed_s_ago)
        self.store = VaultStore(VaultSession(self.client, self.caller, login, clock=clock))

    @property
    def logins(self) -> float:
        """Logins so far: each is a signature and an exchange."""
        return self.caller.meter.totals().get(Kind.LOGIN.value, 0) / 2


@pytest.fixture
def function(bench: VaultBench, kms: Kms, clock: Clock) -> Function:
    return Function(bench, kms, clock)


@pytest.fixture
def ref(bench: VaultBench) -> SecretRef:
    made = bench.new_secret()
    bench.somebody_writes(made, value("old"))
    return made


def test_a_signed_assertion_gives_the_right_to_read_what_the_role_may(function: Function, ref: SecretRef) -> None:
    version, _ = function.store.read_live(ref)
    assert version.id == "1"


def test_a_warm_function_logs_in_once(function: Function, ref: SecretRef) -> None:
    for _ in range(3):
        function.store.read_live(ref)
    assert (function.logins, function.caller.meter.totals()["read"]) == (1, 3)


def test_a_new_token_is_fetched_before_the_lease_ends(function: Function, ref: SecretRef, clock: Clock) -> None:
    function.store.read_live(ref)
    clock.now += LEASE_S * 0.95
    function.store.read_live(ref)
    assert function.logins == 2


def test_a_token_that_was_revoked_is_replaced_once(function: Function, ref: SecretRef, bench: VaultBench) -> None:
    function.store.read_live(ref)
    bench.admin.auth.token.revoke(function.client.token)
    function.store.read_live(ref)
    assert function.logins == 2


def test_a_missing_right_is_denied_at_once_with_a_fresh_token(function: Function, bench: VaultBench) -> None:
    before = function.caller.meter.totals().get("read", 0)
    with pytest.raises(Denied) as refusal:
        function.store.read_live(bench.absent)
    assert refusal.value.reason == "vault_denied"
    assert (function.logins, function.caller.meter.totals()["read"] - before) == (1, 1)


def test_an_assertion_for_another_vault_is_denied(bench: VaultBench, kms: Kms, clock: Clock, ref: SecretRef) -> None:
    stranger = Function(bench, kms, clock, audience="another-vault")
    with pytest.raises(Denied):
        stranger.store.read_live(ref)


def test_an_assertion_of_another_key_is_denied(bench: VaultBench, clock: Clock, ref: SecretRef) -> None:
    with pytest.raises(Denied):
        Function(bench, Kms(), clock).store.read_live(ref)


def test_an_assertion_is_worthless_after_a_minute(bench: VaultBench, kms: Kms, clock: Clock, ref: SecretRef) -> None:
    with pytest.raises(Denied) as refusal:
        Function(bench, kms, clock, signed_s_ago=3600).store.read_live(ref)
    assert refusal.value.reason == "vault_login_denied"


def test_the_assertion_names_key_role_and_audience_and_lives_a_minute(kms: Kms, clock: Clock) -> None:
    role = JwtRole(name=ROLE, audience=AUDIENCE, key_id="alias/vault-login")
    assertion = KmsJwtLogin(kms, FaultyCaller("kms", aws_client.translate), role, clock=clock)._assertion()
    header, claims = (json.loads(base64.urlsafe_b64decode(part + "==")) for part in assertion.split(".")[:2])
    assert header == {"alg": "RS256", "typ": "JWT", "kid": "alias/vault-login"}
    assert (claims["sub"], claims["aud"], claims["exp"] - int(clock())) == (ROLE, AUDIENCE, 60)


def test_a_token_is_not_shown() -> None:
    assert "s.token" not in repr(Lease(token="s.token", lasts_s=1.0))
