"""The issuer contract on the HTTP targets without a socket, which the crash points are counted on."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import test_issuer_bearer_token
import test_issuer_key_pair
import test_issuer_signing_key
import test_issuer_webhook
from http_bench import HttpBench, spoilt

from rotation.issuers.bearer_token import BearerToken
from rotation.issuers.key_pair import KeyPair
from rotation.issuers.signing_key import SigningKey
from rotation.issuers.webhook_signing_key import NO_MATCH, RECEIVE, SEND, WebhookSigningKey
from tests.model import http_targets

_numbers = itertools.count(1)


@dataclass
class ModelBench(HttpBench):
    """Issuers of one class for one target in this process."""

    target: Any = None

    def log(self) -> str:
        text: str = self.target.log.getvalue()
        return text


def _partner(url: str, log: Path) -> Any:
    return SimpleNamespace(url=url, authority=http_targets.AUTHORITY, log=log)


class TestBearerTokenOnTheModel(test_issuer_bearer_token.TestBearerToken):
    """The token service."""

    @pytest.fixture
    def bench(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModelBench:
        # where the served one keeps it
        snapshot = tmp_path / "run" / "token_service" / "state.json"
        snapshot.parent.mkdir(parents=True)
        target = http_targets.the_token_service(snapshot)
        http_targets.connect(monkeypatch, token_service=target)
        facts = {"account": f"account-{next(_numbers)}"}
        partner = _partner(http_targets.TOKEN_SERVICE, tmp_path / "logs" / "token_service.log")
        return ModelBench(partner, BearerToken, facts, ("token",), "401", target=target)


class TestSigningKeyOnTheModel(test_issuer_signing_key.TestSigningKey):
    """The verifier."""

    @pytest.fixture
    def bench(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModelBench:
        target = http_targets.the_verifier()
        http_targets.connect(monkeypatch, verifier=target)
        return ModelBench(
            _partner(http_targets.VERIFIER, tmp_path / "logs" / "verifier.log"),
            SigningKey,
            test_issuer_signing_key.FACTS,
            ("private_key",),
            "unknown_key",
            spoilt,
            target=target,
        )


class TestKeyPairOnTheModel(test_issuer_key_pair.TestKeyPair):
    """The key sets."""

    @pytest.fixture
    def bench(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModelBench:
        target = http_targets.the_jwks()
        http_targets.connect(monkeypatch, jwks=target)
        return ModelBench(
            _partner(http_targets.JWKS, tmp_path / "logs" / "jwks.log"),
            KeyPair,
            test_issuer_key_pair.facts(),
            ("private_key",),
            "unknown_key",
            spoilt,
            target=target,
        )


def _webhook_bench(patch: pytest.MonkeyPatch, log: Path, direction: str) -> ModelBench:
    target = http_targets.the_webhooks()
    http_targets.connect(patch, webhooks=target)
    facts = test_issuer_webhook.facts(direction)
    return ModelBench(_partner(http_targets.WEBHOOKS, log), WebhookSigningKey, facts, ("key",), NO_MATCH, target=target)


class TestWeSendOnTheModel(test_issuer_webhook.TestWeSend):
    """The webhook endpoints, which receive."""

    @pytest.fixture
    def bench(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModelBench:
        return _webhook_bench(monkeypatch, tmp_path, SEND)


class TestWeReceiveOnTheModel(test_issuer_webhook.TestWeReceive):
    """The webhook endpoints, which send."""

    @pytest.fixture
    def bench(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModelBench:
        return _webhook_bench(monkeypatch, tmp_path, RECEIVE)
