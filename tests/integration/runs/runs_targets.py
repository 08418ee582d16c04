"""The three real targets as a consumer meets them: shown a credential, each says in its own words what it thinks.

Nothing of `rotation` here: the token of the signing key is made by hand, so that both sides cannot share a mistake.
"""

from __future__ import annotations

import base64
import json
import time
from contextlib import closing
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pg8000.exceptions import DatabaseError

from sandbox.facts import Facts
from sandbox.parts.postgres_roles import connect
from sandbox.wire import ask, bearer

ACCEPTED = "accepted"
# long enough for one answer
TOKEN_SECONDS = 30


def show_postgres(facts: Facts, text: str) -> str:
    """Log in and ask something of the application's own table; `accepted` or the sqlstate."""
    fields = json.loads(text)
    try:
        with closing(connect(facts.postgres_port, fields["username"], fields["password"])) as connection:
            connection.run("SELECT count(*) FROM payments.transfers")
    except DatabaseError as exc:
        return str(exc.args[0]["C"])
    return ACCEPTED


def show_token_service(facts: Facts, text: str) -> str:
    """Ask who the bearer is; `accepted` or status and slug."""
    shown = bearer(json.loads(text)["token"])
    status, answer = ask(_port(facts.token_service_url), "GET", "/accounts/keyturn/whoami", headers=shown)
    return ACCEPTED if status == 200 else f"{status} {answer['error']}"


def show_verifier(facts: Facts, text: str) -> str:
    """Have a token verified that the key signs; `accepted` or status and slug."""
    status, answer = ask(_port(facts.verifier_url), "POST", "/verify", {"token": _token(json.loads(text))})
    return ACCEPTED if status == 200 else f"{status} {answer['error']}"


def _token(fields: dict[str, str]) -> str:
    key = load_pem_private_key(fields["private_key"].encode(), None)
    assert isinstance(key, Ed25519PrivateKey)
    now = int(time.time())
    claims = {"iss": "analytics", "aud": "analytics-api", "iat": now, "exp": now + TOKEN_SECONDS}
    signed = f"{_part({'alg': 'EdDSA', 'kid': fields['kid']})}.{_part(claims)}"
    return f"{signed}.{_base64url(key.sign(signed.encode()))}"


def _part(content: object) -> str:
    return _base64url(json.dumps(content).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _port(url: str) -> int:
    port = urlsplit(url).port
    assert port
    return port
