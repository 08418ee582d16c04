"""Only a token that is signed with the key its id names, by the one algorithm, and that is current, is accepted."""

from __future__ import annotations

import base64
import json

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from sandbox.targets.signed_token import Malformed, Rejected, verify

KEY = Ed25519PrivateKey.generate()
RAW = KEY.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
EXPECTED = {"iss": "analytics", "aud": "reader"}
NOW = 1_000.0
CLAIMS = {"iss": "analytics", "aud": "reader", "exp": 1_001}


def part(content: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(content).encode()).rstrip(b"=").decode()


def token(header: object = None, claims: object = None, key: Ed25519PrivateKey = KEY) -> str:
    signed = f"{part(header or {'alg': 'EdDSA', 'kid': 'k1'})}.{part(claims or CLAIMS)}"
    return f"{signed}.{base64.urlsafe_b64encode(key.sign(signed.encode())).rstrip(b'=').decode()}"


def check(shown: str, now: float = NOW) -> dict[str, object]:
    return verify(shown, {"k1": RAW}.get, EXPECTED, now)


def test_a_good_token_gives_its_key_id_and_claims() -> None:
    assert check(token()) == {"kid": "k1", "claims": CLAIMS}


def test_one_of_several_audiences_is_enough() -> None:
    assert check(token(claims={**CLAIMS, "aud": ["other", "reader"]}))["kid"] == "k1"


@pytest.mark.parametrize(
    ("shown", "reason"),
    [
        (token({"alg": "EdDSA", "kid": "k2"}), "unknown_key"),
        (token({"alg": "EdDSA"}), "unknown_key"),
        (token({"alg": "EdDSA", "kid": ["k1"]}), "unknown_key"),
        (token({"alg": "none", "kid": "k1"}), "bad_algorithm"),
        (token({"alg": "HS256", "kid": "k1"}), "bad_algorithm"),
        (token({"alg": "EdDSA", "kid": "k1", "crit": ["b64"]}), "bad_algorithm"),
        (token(key=Ed25519PrivateKey.generate()), "bad_signature"),
        (token().rpartition(".")[0] + ".", "bad_signature"),
        (token(claims={**CLAIMS, "iss": "somebody"}), "wrong_issuer"),
        (token(claims={**CLAIMS, "aud": "other"}), "wrong_audience"),
        (token(claims={**CLAIMS, "exp": NOW}), "expired"),
        (token(claims={**CLAIMS, "exp": True}), "expired"),
        (token(claims={"iss": "analytics", "aud": "reader"}), "expired"),
    ],
)
def test_a_token_that_is_not_to_be_accepted_is_rejected_for_its_reason(shown: str, reason: str) -> None:
    with pytest.raises(Rejected) as rejected:
        check(shown)
    assert rejected.value.reason == reason


def test_claims_that_were_changed_after_signing_are_rejected_before_they_are_believed() -> None:
    header, _, signature = token().split(".")
    with pytest.raises(Rejected) as rejected:
        check(f"{header}.{part({**CLAIMS, 'exp': 9_999_999})}.{signature}")
    assert rejected.value.reason == "bad_signature"


@given(st.text() | st.text(alphabet="abcXYZ019-_.=", max_size=60))
def test_whatever_is_no_token_is_malformed_or_rejected_and_nothing_else(shown: str) -> None:
    with pytest.raises((Malformed, Rejected)):
        check(shown)
