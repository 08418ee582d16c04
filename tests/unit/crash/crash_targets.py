"""Real credential types on their models: every exchange with the target is a crash point; what it accepts.

A target can be told to be unwell: then it is asked as ever, and what it says is replaced.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

import pytest

from rotation.contract import Probe, Verdict
from rotation.value import SecretValue
from sandbox.targets.verifier import KEYS
from tests.model import http_targets
from tests.unit.crash.crash_iam import IamRig
from tests.unit.crash.crash_keys import KeySetRig, NobodyRig, WebhookRig
from tests.unit.crash.crash_postgres import PostgresRig, SingleRig, StaticRoleRig
from tests.unit.crash.crash_redis import RedisRig

# how an exchange with a target is passed on, by its name
Passing = Callable[[str, Callable[[], Any]], Any]

ACCOUNT = "account"


class TargetRig(Protocol):
    """One target. `kind`: the issuer's; `secret_fields`: of a value, which must be recorded nowhere."""

    kind: str
    facts: Mapping[str, str]
    authority: SecretValue
    secret_fields: tuple[str, ...]

    def connect(self, patch: pytest.MonkeyPatch, passing: Passing) -> None:
        """From here on the issuer finds this target, each exchange through `passing`."""
        ...

    def accepted(self) -> set[str]:
        """Which credentials it accepts, by what `named` makes of them."""
        ...

    def tell_time(self, clock: Callable[[], datetime]) -> None:
        """By which clock it dates things, if it does."""
        ...

    def hang_up(self) -> None:
        """The process at the other end is gone, and its connections with it."""
        ...

    def shown(self) -> str:
        """Everything that could change."""
        ...

    def named(self, value: SecretValue) -> str:
        """What a credential is called in `accepted`; no other one is called so."""
        ...


class TokenRig:
    """A partner with two slots."""

    kind = "bearer-token"
    facts: Mapping[str, str] = {"url": http_targets.TOKEN_SERVICE, "account": ACCOUNT, "slots": "a b"}
    authority = SecretValue.of({"token": http_targets.AUTHORITY})
    secret_fields = ("token",)

    def __init__(self) -> None:
        self.target = http_targets.the_token_service()

    def connect(self, patch: pytest.MonkeyPatch, passing: Passing) -> None:
        self.target.passing = passing
        http_targets.connect(patch, token_service=self.target)

    def tell_time(self, clock: Callable[[], datetime]) -> None:
        """It dates nothing."""

    def shown(self) -> str:
        return repr(self.target.places.of(ACCOUNT))

    def hang_up(self) -> None:
        """No connection outlives its request."""

    def accepted(self) -> set[str]:
        return {place.content for place in self.target.places.of(ACCOUNT).values() if place.content}

    def named(self, value: SecretValue) -> str:
        return hashlib.sha256(value.unsafe_fields()["token"].encode()).hexdigest()


class KeyRig:
    """A verifier of signed tokens."""

    kind = "signing-key"
    facts: Mapping[str, str] = {"url": http_targets.VERIFIER, "issuer": "analytics", "audience": "analytics-api"}
    authority = SecretValue.of({"token": http_targets.AUTHORITY})
    secret_fields = ("private_key",)

    def __init__(self) -> None:
        self.target = http_targets.the_verifier()

    def connect(self, patch: pytest.MonkeyPatch, passing: Passing) -> None:
        self.target.passing = passing
        http_targets.connect(patch, verifier=self.target)

    def tell_time(self, clock: Callable[[], datetime]) -> None:
        """It dates nothing."""

    def shown(self) -> str:
        return repr(self.target.places.of(KEYS))

    def hang_up(self) -> None:
        """No connection outlives its request."""

    def accepted(self) -> set[str]:
        return {kid for kid, place in self.target.places.of(KEYS).items() if place.content}

    def named(self, value: SecretValue) -> str:
        return value.unsafe_fields()["kid"]


_RIGS: tuple[type[TargetRig], ...] = (
    PostgresRig,
    SingleRig,
    TokenRig,
    KeyRig,
    IamRig,
    KeySetRig,
    WebhookRig,
    NobodyRig,
    RedisRig,
    StaticRoleRig,
)
TARGETS: dict[str, type[TargetRig]] = {rig.kind: rig for rig in _RIGS}


@dataclass
class Unwell:
    """An issuer whose target says something else than it did: `probe` or `check` is refused."""

    inner: Any
    refuses: str = ""

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.inner, name)
        if name != self.refuses:
            return found

        def asked(*arguments: Any) -> Probe:
            found(*arguments)
            return Probe(verdict=Verdict.REFUSED, code="unwell")

        return asked
