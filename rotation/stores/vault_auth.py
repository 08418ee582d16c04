"""Logging in to Vault, and keeping the token while the function stays warm.

The strategy is a protocol, because servers differ (OpenBao has no aws auth plugin): `KmsJwtLogin` proves the
function's identity with a short-lived JWT that a KMS key signs, so that no static credential exists anywhere.
Time is the wall clock's: a frozen function's monotonic clock may stand still while its lease runs out.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from rotation.calls import Caller, Kind
from rotation.errors import Denied, Refused, Unavailable

T = TypeVar("T")
# epoch seconds
Clock = Callable[[], float]

# The assertion is used once, within the call that it was signed for; a minute allows for slow calls.
ASSERTION_LIFETIME_S = 60
# Vault's clock may be behind this function's by so much (its own leeway is longer).
CLOCK_SKEW_S = 10
# The part of a lease after which a new login is made: early enough that no call meets the end of it.
LEASE_PART_USED = 0.9
ISSUER = "keyturn"


@dataclass(frozen=True, kw_only=True)
class Lease:
    """A client token and how long it is valid."""

    token: str = field(repr=False)
    lasts_s: float


class Login(Protocol):
    """One way to get a token."""

    def login(self, client: Any, caller: Caller) -> Lease:
        """Log in through `client`, counted as Kind.LOGIN. Denied when the identity is refused."""
        ...


@dataclass(frozen=True, kw_only=True)
class JwtRole:
    """What the assertion names, as the role of Vault's jwt backend binds it: `sub` is the role, `iss` is `keyturn`.

    key_id: of the KMS key (id, ARN or alias; asymmetric, RSA, SIGN_VERIFY). path: where the backend is mounted.
    """

    name: str
    audience: str
    key_id: str
    path: str = "jwt"


class KmsJwtLogin:
    """JWT authentication with an RS256 key of KMS (RSASSA_PKCS1_V1_5_SHA_256).

    kms, kms_caller: a ready client and how its calls are made, since they have a translation of their own.
    """

    def __init__(self, kms: Any, kms_caller: Caller, role: JwtRole, *, clock: Clock) -> None:
        self._kms = kms
        self._kms_caller = kms_caller
        self._role = role
        self._clock = clock

    def login(self, client: Any, caller: Caller) -> Lease:
        """Sign an assertion (kms:Sign) and exchange it: two calls."""
        assertion, role = self._assertion(), self._role
        try:
            answer = caller.call(
                Kind.LOGIN, lambda: client.auth.jwt.jwt_login(role=role.name, jwt=assertion, path=role.path)
            )
        except Refused as exc:
            # the jwt backend answers 400, not 403, to an assertion that it does not believe
            raise Denied(
                "vault_login_denied",
                f"Vault does not accept the assertion for its role {role.name}",
                "compare key, audience and role with what the program declares; check the clocks",
            ) from exc
        auth = answer["auth"]
        return Lease(token=auth["client_token"], lasts_s=float(auth["lease_duration"]))

    def _assertion(self) -> str:
        now = int(self._clock())
        claims = {
            "iss": ISSUER,
            "sub": self._role.name,
            "aud": self._role.audience,
            "iat": now - CLOCK_SKEW_S,
            "nbf": now - CLOCK_SKEW_S,
            "exp": now + ASSERTION_LIFETIME_S,
        }
        signed = f"{_part({'alg': 'RS256', 'typ': 'JWT', 'kid': self._role.key_id})}.{_part(claims)}"
        digest = hashlib.sha256(signed.encode()).digest()
        answer = self._kms_caller.call(
            Kind.LOGIN,
            lambda: self._kms.sign(
                KeyId=self._role.key_id,
                Message=digest,
                MessageType="DIGEST",
                SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256",
            ),
        )
        return f"{signed}.{_base64(answer['Signature'])}"


@dataclass
class HeldToken:
    """Until when the client's token is used (epoch seconds); outlives a session where the function stays warm."""

    good_until: float = 0.0


class VaultSession:
    """Calls with a token that is valid: logs in at the first call, near the end of the lease, and after one refusal.

    Vault answers 403 alike to a token that has ended and to a missing permission, so a refusal of a token from an
    earlier call is followed by one login and one repetition; a second refusal is the truth.
    `held` belongs to `client`, whose token it speaks of: whoever keeps the one keeps the other.
    """

    def __init__(
        self, client: Any, caller: Caller, login: Login, *, clock: Clock, held: HeldToken | None = None
    ) -> None:
        self._client = client
        self._caller = caller
        self._login = login
        self._clock = clock
        self._held = held or HeldToken()

    def call(self, kind: Kind, function: Callable[[Any], T], *, idempotent: bool = True) -> T:
        """Run `function(client)`, counted as `kind`; raises only `rotation.errors` classes.

        idempotent: False for a write that is sent once; a refusal of the token is no try, since nothing was done.
        """
        fresh = self._clock() >= self._held.good_until
        if fresh:
            self._renew()
        try:
            return self._caller.call(kind, lambda: function(self._client), idempotent=idempotent)
        except Denied:
            if fresh:
                raise
        self._renew()
        return self._caller.call(kind, lambda: function(self._client), idempotent=idempotent)

    def _renew(self) -> None:
        self._held.good_until = 0.0
        self._client.token = ""
        asked_at = self._clock()
        lease = self._login.login(self._client, self._caller)
        if not lease.token:
            raise Unavailable("vault_login_empty", "Vault's login gave no token", "check the role of the jwt backend")
        self._client.token = lease.token
        self._held.good_until = asked_at + lease.lasts_s * LEASE_PART_USED


def _part(claims: Mapping[str, Any]) -> str:
    return _base64(json.dumps(claims, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
