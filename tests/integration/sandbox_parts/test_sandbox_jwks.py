"""The key sets: documents under compare-and-set, what may be published, and which tokens are accepted by it."""

from __future__ import annotations

import base64
import http.client
import json
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa, utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from target_servers import AUTHORITY, serving

from sandbox.targets import jwks
from sandbox.wire import ask, bearer

SET = "/sets/sessions"


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with serving(jwks, tmp_path) as found:
        yield found


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def number(value: int) -> str:
    return encoded(value.to_bytes((value.bit_length() + 7) // 8, "big"))


class Signer:
    """A key pair, its JSON Web Key, and tokens."""

    def __init__(self, kind: str, kid: str) -> None:
        self.kid = kid
        self._key: Any
        if kind == "EdDSA":
            self._key = Ed25519PrivateKey.generate()
            raw = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            self.jwk = {"kid": kid, "kty": "OKP", "crv": "Ed25519", "x": encoded(raw), "alg": kind}
        elif kind == "ES256":
            self._key = ec.generate_private_key(ec.SECP256R1())
            public = self._key.public_key().public_numbers()
            x, y = (encoded(half.to_bytes(32, "big")) for half in (public.x, public.y))
            self.jwk = {"kid": kid, "kty": "EC", "crv": "P-256", "x": x, "y": y, "alg": kind}
        else:
            self._key = rsa.generate_private_key(65_537, 2_048)
            public = self._key.public_key().public_numbers()
            self.jwk = {"kid": kid, "kty": "RSA", "e": number(public.e), "n": number(public.n), "alg": kind}
        self._kind = kind

    def token(self, header: dict[str, object] | None = None, **claims: object) -> str:
        named = {"alg": self._kind, "kid": self.kid, **(header or {})}
        said = {"iss": "sessions", "aud": "sessions-api", "exp": time.time() + 60, **claims}
        signed = ".".join(encoded(json.dumps(part).encode()) for part in (named, said))
        return f"{signed}.{encoded(self._sign(signed.encode()))}"

    def _sign(self, content: bytes) -> bytes:
        if self._kind == "EdDSA":
            return bytes(self._key.sign(content))
        if self._kind == "RS256":
            return bytes(self._key.sign(content, padding.PKCS1v15(), hashes.SHA256()))
        halves = utils.decode_dss_signature(self._key.sign(content, ec.ECDSA(hashes.SHA256())))
        return b"".join(half.to_bytes(32, "big") for half in halves)


SIGNERS = {kind: Signer(kind, kind.lower()) for kind in ("EdDSA", "ES256", "RS256")}


def send(port: int, method: str, body: object = None, **headers: str) -> tuple[int, str, dict[str, Any]]:
    """As the authority: status, ETag and body."""
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        sent = {**bearer(AUTHORITY), **{name.replace("_", "-"): text for name, text in headers.items()}}
        connection.request(method, SET, None if body is None else json.dumps(body), sent)
        answer = connection.getresponse()
        return answer.status, answer.getheader("ETag", ""), json.loads(answer.read())


def publish(port: int, *keys: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    _, etag, _ = send(port, "GET")
    status, _, answer = send(port, "PUT", {"keys": [*keys]}, If_Match=etag)
    return status, answer


def verify(port: int, token: str) -> tuple[int, dict[str, Any]]:
    return ask(port, "POST", f"{SET}/verify", {"token": token})


def test_a_document_is_written_only_where_it_has_not_moved(port: int) -> None:
    ed, es = SIGNERS["EdDSA"].jwk, SIGNERS["ES256"].jwk
    assert send(port, "GET") == (200, '"0"', {"keys": []})
    assert send(port, "PUT", {"keys": [ed]})[::2] == (428, {"error": "no_precondition"})
    assert send(port, "PUT", {"keys": [ed], "more": 1}, If_Match='"0"') == (200, '"1"', {"keys": 1})
    assert send(port, "PUT", {"keys": [es]}, If_Match='"0"')[::2] == (412, {"error": "moved"})
    assert send(port, "GET") == (200, '"1"', {"keys": [ed], "more": 1})
    for _ in range(2):
        publish(port, es)
    assert send(port, "GET")[1] == '"3"', "a document that is as before is not taken for that one"


def test_everybody_sees_the_keys_and_only_the_authority_the_document(port: int) -> None:
    publish(port, SIGNERS["EdDSA"].jwk)
    published = ask(port, "GET", f"{SET}/.well-known/jwks.json")
    assert published == (200, {"keys": [SIGNERS["EdDSA"].jwk]})
    assert ask(port, "GET", SET) == (401, {"error": "not_authority"})
    assert ask(port, "PUT", SET, {"keys": []}, {"If-Match": '"1"'}) == (401, {"error": "not_authority"})


@pytest.mark.parametrize("kind", SIGNERS)
def test_a_token_is_accepted_while_its_key_is_published(port: int, kind: str) -> None:
    signer = SIGNERS[kind]
    assert verify(port, signer.token()) == (401, {"error": "unknown_key"})
    publish(port, signer.jwk)
    assert verify(port, signer.token()) == (200, {"kid": signer.kid})
    assert verify(port, Signer(kind, signer.kid).token()) == (401, {"error": "bad_signature"})
    assert verify(port, signer.token(iss="other")) == (401, {"error": "wrong_issuer"})
    assert verify(port, signer.token(exp=time.time() - 1)) == (401, {"error": "expired"})
    publish(port)
    assert verify(port, signer.token()) == (401, {"error": "unknown_key"})


def test_a_header_cannot_choose_another_algorithm_than_the_keys(port: int) -> None:
    publish(port, *(signer.jwk for signer in SIGNERS.values()))
    for kind, other in (("EdDSA", "ES256"), ("ES256", "RS256"), ("RS256", "HS256"), ("RS256", "none")):
        assert verify(port, SIGNERS[kind].token({"alg": other})) == (401, {"error": "bad_algorithm"})
    short = SIGNERS["ES256"].token().rpartition(".")[0] + "." + encoded(b"x" * 63)
    assert verify(port, short) == (401, {"error": "bad_signature"})


ED, RS = SIGNERS["EdDSA"].jwk, SIGNERS["RS256"].jwk


@pytest.mark.parametrize(
    ("keys", "status", "error"),
    [
        ([{**ED, "d": "AAAA"}], 400, "malformed_key"),
        ([{**RS, "p": "AAAA"}], 400, "malformed_key"),
        ([{"kid": "k", "kty": "oct", "k": "AAAA"}], 400, "malformed_key"),
        ([{**ED, "x": "AAAA"}], 400, "malformed_key"),
        ([{**ED, "x": "%%"}], 400, "malformed_key"),
        ([{**ED, "alg": "RS256"}], 400, "malformed_key"),
        ([{**SIGNERS["ES256"].jwk, "y": "AAAA"}], 400, "malformed_key"),
        ([{**RS, "n": number(2**1023 + 1)}], 400, "malformed_key"),
        ([{name: text for name, text in ED.items() if name != "kid"}], 400, "malformed_document"),
        ([ED, ED], 409, "too_many_keys"),
        ([{**ED, "kid": str(n)} for n in range(17)], 409, "too_many_keys"),
        ("keys", 400, "malformed_document"),
    ],
)
def test_what_no_verifier_could_use_or_nobody_should_see_is_not_published(
    port: int, keys: Any, status: int, error: str
) -> None:
    _, etag, _ = send(port, "GET")
    assert send(port, "PUT", {"keys": keys}, If_Match=etag)[::2] == (status, {"error": error})
    assert send(port, "GET")[2] == {"keys": []}


def test_documents_outlive_a_restart_with_their_revisions(tmp_path: Path) -> None:
    with serving(jwks, tmp_path) as port:
        publish(port, ED)
    with serving(jwks, tmp_path) as port:
        assert send(port, "GET") == (200, '"1"', {"keys": [ED]})
