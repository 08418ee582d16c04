"""The three targets as administrator and consumer see them; nothing of `rotation`, which is what is tested."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from http import HTTPStatus
from typing import Protocol
from urllib.parse import quote, urlsplit

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from pg8000.exceptions import DatabaseError
from pg8000.native import Connection, identifier

from sandbox.facts import Credentials, Facts
from sandbox.parts.postgres_roles import APPLICATION, connect
from sandbox.targets.token_service import FINGERPRINT_CHARACTERS
from sandbox.wire import ask, bearer

# Long enough for one answer.
_TOKEN_SECONDS = 30


class Target(Protocol):
    """One target. `text`: a credential's value as its store has it."""

    def accepts(self, text: str) -> bool:
        """Shown as a consumer shows it."""
        ...

    def place_of(self, text: str) -> str:
        """What the credential is known by at the target."""
        ...

    def places(self) -> set[str]:
        """Everything that is accepted, whoever has it."""
        ...

    def keep(self, live: str, generation: int) -> None:
        """Accept nothing but `live`, as an administrator says it by hand, under a generation that nobody had."""
        ...

    def spoil(self, live: str) -> None:
        """Make the target refuse what is not `live`, from now on, where no proxy can answer in its place."""
        ...

    def heal(self, *, valid: bool) -> None:
        """Take that back; `valid`: what was spoilt is to be accepted again."""
        ...


class Postgres:
    """Login roles of the application's group."""

    def __init__(self, facts: Facts, known: Credentials) -> None:
        self._port, self._known, self._spoilt = facts.postgres_port, known, ""

    def accepts(self, text: str) -> bool:
        """A login, and a question of the application's own table."""
        fields = json.loads(text)
        try:
            with closing(connect(self._port, fields["username"], fields["password"])) as session:
                session.run("SELECT count(*) FROM payments.transfers")
        except DatabaseError:
            return False
        return True

    def place_of(self, text: str) -> str:
        """The user."""
        return str(json.loads(text)["username"])

    def places(self) -> set[str]:
        """Users who may log in."""
        with closing(self._administrator()) as session:
            return {str(name) for name, can in self._users(session) if can}

    def keep(self, live: str, generation: int) -> None:
        """The other user may not log in."""
        del generation
        self.spoil(live)
        self._spoilt = ""

    def spoil(self, live: str) -> None:
        """The other user may not log in, whatever the password."""
        with closing(self._administrator()) as session:
            self._spoilt = next((name for name, _ in self._users(session) if name != self.place_of(live)), "")
            if self._spoilt:
                session.run(f"ALTER ROLE {identifier(self._spoilt)} NOLOGIN")

    def heal(self, *, valid: bool) -> None:
        """A candidate that was withdrawn stays shut."""
        if self._spoilt and valid:
            with closing(self._administrator()) as session:
                session.run(f"ALTER ROLE {identifier(self._spoilt)} LOGIN")
        self._spoilt = ""

    def _users(self, session: Connection) -> list[tuple[str, bool]]:
        asked = "SELECT rolname, rolcanlogin FROM pg_roles WHERE rolname LIKE :users"
        rows = session.run(asked, users=f"{APPLICATION}_%")
        return [(str(name), bool(can)) for name, can in rows or ()]

    def _administrator(self) -> Connection:
        return connect(self._port, self._known.postgres_admin_user, self._known.postgres_admin_password)


class _OverHttp:
    def __init__(self, url: str, authority: str) -> None:
        self._port, self._authority = int(urlsplit(url).port or 0), authority

    def _empty(self, paths: Iterable[str], generation: int) -> None:
        for path in paths:
            ask(self._port, "DELETE", f"{path}?generation={generation}", headers=bearer(self._authority))

    def spoil(self, live: str) -> None:
        """A proxy answers."""

    def heal(self, *, valid: bool) -> None:
        """Nothing was done."""

    def _filled(self, path: str) -> dict[str, str]:
        """Fingerprints by place."""
        _, found = ask(self._port, "GET", path, headers=bearer(self._authority))
        return {name: place["fingerprint"] for name, place in found.items() if place["fingerprint"]}


class TokenService(_OverHttp):
    """Slots of one account."""

    def __init__(self, facts: Facts, known: Credentials) -> None:
        super().__init__(facts.token_service_url, known.token_service_authority)

    def accepts(self, text: str) -> bool:
        """Asks who the bearer is."""
        shown = bearer(json.loads(text)["token"])
        return ask(self._port, "GET", "/accounts/keyturn/whoami", headers=shown)[0] == HTTPStatus.OK

    def place_of(self, text: str) -> str:
        """The token's hash, cut as the service shows it."""
        return hashlib.sha256(json.loads(text)["token"].encode()).hexdigest()[:FINGERPRINT_CHARACTERS]

    def keep(self, live: str, generation: int) -> None:
        """The other slots are emptied."""
        mine = self.place_of(live)
        slots = self._filled("/accounts/keyturn/slots")
        self._empty((f"/accounts/keyturn/slots/{s}" for s, shown in slots.items() if shown != mine), generation)

    def places(self) -> set[str]:
        """Hashes of all slots."""
        return set(self._filled("/accounts/keyturn/slots").values())


class Verifier(_OverHttp):
    """Public keys."""

    def __init__(self, facts: Facts, known: Credentials) -> None:
        super().__init__(facts.verifier_url, known.verifier_authority)

    def accepts(self, text: str) -> bool:
        """Has a token verified that the key signs."""
        return ask(self._port, "POST", "/verify", {"token": _token(json.loads(text))})[0] == HTTPStatus.OK

    def place_of(self, text: str) -> str:
        """The key's id."""
        return quote(json.loads(text)["kid"])

    def keep(self, live: str, generation: int) -> None:
        """The other keys are removed."""
        self._empty((f"/keys/{kid}" for kid in self.places() - {self.place_of(live)}), generation)

    def places(self) -> set[str]:
        """All key ids."""
        return set(map(quote, self._filled("/keys")))


TARGETS: dict[str, Callable[[Facts, Credentials], Target]] = {"aws": Postgres, "vault": TokenService, "gcp": Verifier}


def _token(fields: dict[str, str]) -> str:
    key = load_pem_private_key(fields["private_key"].encode(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError("the verifier takes Ed25519")
    now = int(time.time())
    claims = {"iss": "analytics", "aud": "analytics-api", "iat": now, "exp": now + _TOKEN_SECONDS}
    signed = f"{_part({'alg': 'EdDSA', 'kid': fields['kid']})}.{_part(claims)}"
    return f"{signed}.{_base64url(key.sign(signed.encode()))}"


def _part(content: object) -> str:
    return _base64url(json.dumps(content).encode())


def _base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()
