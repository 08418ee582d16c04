"""Key sets, webhook endpoints, and the type without a target, on their models; what each accepts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar

import pytest

from rotation.value import SecretValue
from tests.model import http_targets

SET, ENDPOINT = "sessions", "orders"


class _OverHttp:
    """A target in this process that is asked over HTTP. `named_in`: the field by which `accepted` knows a value."""

    target: http_targets.HttpTarget
    authority = SecretValue.of({"token": http_targets.AUTHORITY})
    named_in: ClassVar[str]

    def connect(self, patch: pytest.MonkeyPatch, passing: Callable[[str, Callable[[], Any]], Any]) -> None:
        self.target.passing = passing
        http_targets.connect(patch, **{self.target.name: self.target})

    def tell_time(self, clock: Callable[[], datetime]) -> None:
        """It dates nothing that is kept."""

    def hang_up(self) -> None:
        """No connection outlives its request."""

    def named(self, value: SecretValue) -> str:
        return value.unsafe_fields()[self.named_in]


class KeySetRig(_OverHttp):
    """A key set that is one document."""

    kind = "key-pair"
    facts: Mapping[str, str] = {
        "url": http_targets.JWKS,
        "set": SET,
        "algorithm": "Ed25519",
        "issuer": SET,
        "audience": f"{SET}-api",
    }
    secret_fields = ("private_key",)
    named_in = "kid"

    def __init__(self) -> None:
        self.target = http_targets.the_jwks()

    def shown(self) -> str:
        return repr(self.target.places.document(SET))

    def accepted(self) -> set[str]:
        return {key["kid"] for key in self.target.places.document(SET)["keys"]}


class WebhookRig(_OverHttp):
    """A partner's endpoint that we send to; as sender it keeps the same list, and only the probe differs."""

    kind = "webhook-signing-key"
    facts: Mapping[str, str] = {"url": http_targets.WEBHOOKS, "endpoint": ENDPOINT, "direction": "send"}
    secret_fields = ("key",)
    named_in = "key"

    def __init__(self) -> None:
        self.target = http_targets.the_webhooks()

    def shown(self) -> str:
        return repr(self.target.places.of(ENDPOINT))

    def accepted(self) -> set[str]:
        return {place.content for place in self.target.places.of(ENDPOINT).values() if place.content}


class NobodyRig(_OverHttp):
    """No target: nothing is accepted, or refused, or changes, and whoever is called refuses the connection."""

    kind = "random-string"
    facts: Mapping[str, str] = {"length": "40"}
    secret_fields = ("value",)
    named_in = "value"

    def connect(self, patch: pytest.MonkeyPatch, passing: Callable[[str, Callable[[], Any]], Any]) -> None:
        http_targets.connect(patch)

    def shown(self) -> str:
        return ""

    def accepted(self) -> set[str]:
        return set()
