"""The issuer contract on the sandbox's token service, and what two slots promise."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from http_bench import HttpBench, Partner, running
from issuer_bench import FIRST, RETIRE, SECOND, accepted
from issuer_suite import IssuerContract

from rotation.contract import CredentialIssuer, Verdict
from rotation.errors import Denied, Fenced, Refused
from rotation.issuers.bearer_token import BearerToken
from rotation.value import SecretValue
from sandbox.parts.targets import TokenService

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    with running(TokenService(), tmp_path_factory.mktemp("token-service")) as started:
        yield started


class TestBearerToken(IssuerContract):
    """A token service with two slots per account."""

    @pytest.fixture
    def bench(self, partner: Partner) -> HttpBench:
        return HttpBench(partner, BearerToken, {"account": f"account-{next(_numbers)}"}, ("token",), "401")

    def test_the_slot_that_is_not_current_is_minted(self, issuer: CredentialIssuer) -> None:
        first = issuer.mint(None)
        second = issuer.mint(first.value)
        third = issuer.mint(second.value)
        assert [m.public["slot"] for m in (first, second, third)] == ["a", "b", "a"]

    def test_a_late_revoke_cannot_empty_the_slot_that_the_next_run_filled(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        next_value = issuer.mint(new).value
        issuer.apply(next_value, SECOND)
        with pytest.raises(Fenced):
            issuer.revoke(old, RETIRE)
        assert accepted(issuer.probe(next_value))

    def test_a_late_withdraw_learns_that_the_next_run_filled_the_slot(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        next_value = issuer.mint(new).value
        issuer.apply(next_value, SECOND)
        with pytest.raises(Fenced):
            issuer.withdraw(old, RETIRE)
        assert accepted(issuer.probe(next_value))

    def test_a_token_is_sent_only_to_the_address_of_the_policy(self, bench: HttpBench, old: SecretValue) -> None:
        elsewhere = SecretValue.of({**old.unsafe_fields(), "url": "http://127.0.0.1:1"})
        made = bench.make()
        shown = made.issuer.probe(elsewhere)
        assert (shown.verdict, shown.code) == (Verdict.UNPROVEN, "target_mismatch")
        with pytest.raises(Refused, match="target_mismatch"):
            made.issuer.apply(elsewhere, FIRST)
        assert made.meter.totals() == {}

    def test_the_token_of_another_slot_is_not_taken_for_this_one(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        mixed = SecretValue.of({**new.unsafe_fields(), "slot": old.unsafe_fields()["slot"]})
        assert issuer.probe(mixed).code == "other_slot"

    def test_a_wrong_authority_is_denied_and_not_asked_twice(self, bench: HttpBench, old: SecretValue) -> None:
        bench.partner = Partner(bench.partner.url, "wrong-authority", bench.partner.log)
        made = bench.make()
        with pytest.raises(Denied, match="target_denied"):
            made.issuer.apply(made.issuer.mint(old).value, FIRST)
        assert made.meter.totals() == {"authority": 1}

    def test_the_partner_never_sees_the_token_when_it_is_applied(self, bench: HttpBench, new: SecretValue) -> None:
        state = bench.partner.log.parent.parent / "run" / "token_service" / "state.json"
        assert bench.facts["account"] in state.read_text()
        assert new.unsafe_fields()["token"] not in state.read_text()
