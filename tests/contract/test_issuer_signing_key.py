"""The issuer contract on the sandbox's verifier, and what a key pair promises."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from http_bench import HttpBench, Partner, running, spoilt
from issuer_bench import FIRST, accepted
from issuer_suite import IssuerContract

from rotation.contract import CredentialIssuer, Verdict
from rotation.errors import Refused
from rotation.issuers.signing_key import SigningKey
from rotation.value import SecretValue
from sandbox.parts.targets import Verifier

FACTS = {"issuer": "analytics", "audience": "analytics-api"}


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    with running(Verifier(), tmp_path_factory.mktemp("verifier")) as started:
        yield started


class TestSigningKey(IssuerContract):
    """A verifier that any number of keys may be added to."""

    @pytest.fixture
    def bench(self, partner: Partner) -> HttpBench:
        return HttpBench(partner, SigningKey, FACTS, ("private_key",), "unknown_key", spoilt)

    def test_the_key_id_belongs_to_the_key(self, issuer: CredentialIssuer) -> None:
        one, two = issuer.mint(None), issuer.mint(None)
        assert one.public["kid"] != two.public["kid"]
        mixed = SecretValue.of({**one.value.unsafe_fields(), "kid": two.public["kid"]})
        assert issuer.probe(mixed).code == "malformed_value"
        with pytest.raises(Refused, match="malformed_value"):
            issuer.apply(mixed, FIRST)

    def test_any_number_of_keys_is_accepted_at_once(self, issuer: CredentialIssuer) -> None:
        values = [issuer.mint(None).value for _ in range(4)]
        for value in values:
            issuer.apply(value, FIRST)
        assert all(accepted(issuer.probe(value)) for value in values)

    @pytest.mark.parametrize("wrong", [{"issuer": "somebody"}, {"audience": "elsewhere"}])
    def test_a_token_refused_for_another_reason_than_its_key_proves_nothing(
        self, bench: HttpBench, old: SecretValue, wrong: dict[str, str]
    ) -> None:
        shown = bench.make(**wrong).issuer.probe(old)
        assert (shown.verdict, shown.code) == (Verdict.UNPROVEN, "401")

    def test_a_token_is_of_no_use_after_a_minute(self, bench: HttpBench, old: SecretValue) -> None:
        issuer: Any = bench.make().issuer
        assert accepted(issuer.probe(old))
        clock = issuer._clock
        issuer._clock = lambda: clock() - 61
        assert issuer.probe(old).verdict is Verdict.UNPROVEN
