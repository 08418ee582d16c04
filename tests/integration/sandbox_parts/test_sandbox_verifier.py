"""The verifier: several keys at once, who may set them, which tokens are accepted and why others are not."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from target_servers import AUTHORITY, Answer, serving

from sandbox.targets import verifier
from sandbox.wire import ask, bearer


@pytest.fixture
def keys(tmp_path: Path) -> Iterator[int]:
    with serving(verifier, tmp_path) as port:
        yield port


def key_pair() -> tuple[Ed25519PrivateKey, str]:
    key = Ed25519PrivateKey.generate()
    return key, base64.b64encode(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)).decode()


def put_key(port: int, kid: str, public: object, generation: int) -> Answer:
    return ask(port, "PUT", f"/keys/{kid}", {"public_key": public, "generation": generation}, bearer(AUTHORITY))


def signed(key: Ed25519PrivateKey, kid: str, **claims: object) -> str:
    def part(content: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()

    good = {"iss": "analytics", "aud": "analytics-api", "exp": time.time() + 60}
    text = f"{part({'alg': 'EdDSA', 'kid': kid})}.{part({**good, **claims})}"
    return f"{text}.{base64.urlsafe_b64encode(key.sign(text.encode())).rstrip(b'=').decode()}"


def verify(port: int, token: str) -> Answer:
    return ask(port, "POST", "/verify", {"token": token})


def test_tokens_of_both_keys_are_accepted_until_one_is_removed(keys: int) -> None:
    (old, old_public), (new, new_public) = key_pair(), key_pair()
    assert put_key(keys, "k1", old_public, 1) == (200, {"kid": "k1", "generation": 1})
    assert verify(keys, signed(new, "k2")) == (401, {"error": "unknown_key"})
    put_key(keys, "k2", new_public, 2)
    assert verify(keys, signed(old, "k1")) == (200, {"kid": "k1"})
    assert verify(keys, signed(new, "k2")) == (200, {"kid": "k2"})
    ask(keys, "DELETE", "/keys/k1?generation=3", headers=bearer(AUTHORITY))
    assert verify(keys, signed(old, "k1")) == (401, {"error": "unknown_key"})
    assert verify(keys, signed(new, "k2"))[0] == 200


def test_a_token_that_is_over_or_of_another_key_is_refused_for_its_reason(keys: int) -> None:
    key, public = key_pair()
    put_key(keys, "k1", public, 1)
    assert verify(keys, signed(key, "k1", exp=time.time() - 1)) == (401, {"error": "expired"})
    assert verify(keys, signed(key_pair()[0], "k1")) == (401, {"error": "bad_signature"})
    assert verify(keys, "no token") == (400, {"error": "malformed_token"})
    assert ask(keys, "POST", "/verify", {}) == (400, {"error": "malformed_token"})


def test_a_late_call_for_a_key_is_refused_and_a_repeated_one_is_not(keys: int) -> None:
    public, other = key_pair()[1], key_pair()[1]
    put_key(keys, "k1", public, 5)
    assert put_key(keys, "k1", public, 5)[0] == 200
    assert put_key(keys, "k1", public, 4) == (409, {"error": "stale_generation"})
    assert put_key(keys, "k1", other, 5) == (409, {"error": "generation_used"})
    late = ask(keys, "DELETE", "/keys/k1?generation=4", headers=bearer(AUTHORITY))
    assert late == (409, {"error": "stale_generation"})


def test_a_key_is_the_same_in_pem_base64_and_base64url(keys: int) -> None:
    key, public = key_pair()
    pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    put_key(keys, "k1", public, 1)
    assert put_key(keys, "k1", pem, 1)[0] == 200
    assert put_key(keys, "k1", public.replace("+", "-").replace("/", "_").rstrip("="), 1)[0] == 200


RSA_LIKE = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEA\n-----END PUBLIC KEY-----\n"


@pytest.mark.parametrize("public", [None, 1, "", "AAAA", "%%%", "é", RSA_LIKE, "-----BEGIN PUBLIC KEY-----"])
def test_a_malformed_public_key_is_refused(keys: int, public: object) -> None:
    assert put_key(keys, "k1", public, 1) == (400, {"error": "malformed_public_key"})


def test_everybody_sees_the_accepted_keys_and_only_the_authority_the_generations(keys: int) -> None:
    _, public = key_pair()
    put_key(keys, "k1", public, 1)
    ask(keys, "DELETE", "/keys/k0?generation=1", headers=bearer(AUTHORITY))
    status, found = ask(keys, "GET", "/.well-known/jwks.json")
    x = public.replace("+", "-").replace("/", "_").rstrip("=")
    assert status == 200
    assert found == {"keys": [{"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "use": "sig", "kid": "k1", "x": x}]}
    _, ids = ask(keys, "GET", "/keys", headers=bearer(AUTHORITY))
    assert {kid: entry["generation"] for kid, entry in ids.items()} == {"k1": 1, "k0": 1}
    assert ids["k0"]["fingerprint"] == "" != ids["k1"]["fingerprint"]
    assert ask(keys, "GET", "/keys") == (401, {"error": "not_authority"})
