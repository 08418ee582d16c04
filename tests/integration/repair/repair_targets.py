"""The hands of somebody else at the three targets: credentials that Keyturn never made, and one taken away.

The authority's own rights, used past Keyturn. Values are made as the policies' credentials look, so that only the
target can tell which of them works.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from contextlib import closing
from typing import Any, Protocol
from urllib.parse import urlsplit

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pg8000.native import Connection, identifier, literal
from runs_stack import Stack

from rotation.issuers.signing_key import thumbprint
from sandbox.parts.postgres_roles import connect, scram_verifier
from sandbox.wire import ask, bearer

# As long as the ones that are minted.
_BYTES = 24


class Target(Protocol):
    """What somebody else does at one target."""

    def stranger(self, live: str) -> str:
        """A credential like the live one, beside it, that the target has never heard of."""
        ...

    def accept(self, text: str) -> None:
        """The target accepts this credential from now on."""
        ...

    def forget(self, text: str) -> None:
        """The target refuses this credential from now on."""
        ...


def as_authority(stack: Stack) -> Connection:
    """A session of Keyturn's own authority at PostgreSQL."""
    known = stack.credentials
    return connect(stack.facts.postgres_port, known.postgres_admin_user, known.postgres_admin_password)


class Postgres:
    """Roles of the server."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def stranger(self, live: str) -> str:
        fields = json.loads(live)
        other = next(user for user in ("payments_app_a", "payments_app_b") if user != fields["username"])
        return json.dumps({**fields, "username": other, "password": secrets.token_hex(_BYTES)})

    def accept(self, text: str) -> None:
        fields = json.loads(text)
        role, kept = identifier(fields["username"]), literal(scram_verifier(fields["password"]))
        self._run(f"ALTER ROLE {role} LOGIN PASSWORD {kept}")

    def forget(self, text: str) -> None:
        self._run(f"ALTER ROLE {identifier(json.loads(text)['username'])} NOLOGIN PASSWORD NULL")

    def _run(self, statement: str) -> None:
        with closing(as_authority(self._stack)) as session:
            session.run(statement)


class _Places:
    """Places behind HTTP, each with a generation; somebody else uses the one that is there, or the next."""

    def __init__(self, url: str, authority: str, places: str) -> None:
        self._port, self._authority, self._places = urlsplit(url).port or 0, authority, places

    def fill(self, name: str, body: dict[str, str]) -> None:
        self._ask("PUT", f"{self._places}/{name}", {**body, "generation": self._generation(name) + 1})

    def empty(self, name: str) -> None:
        self._ask("DELETE", f"{self._places}/{name}?generation={self._generation(name)}")

    def _generation(self, name: str) -> int:
        return int(self._ask("GET", self._places).get(name, {}).get("generation", 0))

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        status, answer = ask(self._port, method, path, body, bearer(self._authority))
        assert status == 200, (method, path, answer)
        return answer


class TokenService:
    """Slots of the partner's account."""

    def __init__(self, stack: Stack) -> None:
        known = stack.credentials.token_service_authority
        self._slots = _Places(stack.facts.token_service_url, known, "/accounts/keyturn/slots")

    def stranger(self, live: str) -> str:
        fields = json.loads(live)
        slot = next(name for name in ("a", "b") if name != fields["slot"])
        return json.dumps({**fields, "slot": slot, "token": secrets.token_urlsafe(_BYTES)})

    def accept(self, text: str) -> None:
        fields = json.loads(text)
        self._slots.fill(fields["slot"], {"sha256": hashlib.sha256(fields["token"].encode()).hexdigest()})

    def forget(self, text: str) -> None:
        self._slots.empty(json.loads(text)["slot"])


class Verifier:
    """Keys of the verifier."""

    def __init__(self, stack: Stack) -> None:
        self._keys = _Places(stack.facts.verifier_url, stack.credentials.verifier_authority, "/keys")

    def stranger(self, live: str) -> str:
        key = Ed25519PrivateKey.generate()
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain).decode()
        public = key.public_key().public_bytes(pem, serialization.PublicFormat.SubjectPublicKeyInfo).decode()
        fields = {"kid": thumbprint(key), "private_key": private, "public_key": public}
        return json.dumps({**json.loads(live), **fields})

    def accept(self, text: str) -> None:
        fields = json.loads(text)
        self._keys.fill(fields["kid"], {"public_key": fields["public_key"]})

    def forget(self, text: str) -> None:
        self._keys.empty(json.loads(text)["kid"])
