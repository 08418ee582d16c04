"""The issuer contract on the sandbox's webhook endpoints, in both directions, and what a list of two keys promises."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from http_bench import HttpBench, Partner, running
from issuer_bench import FIRST, RETIRE, SECOND, THIRD, accepted
from issuer_suite import IssuerContract

from rotation.contract import CredentialIssuer, Verdict
from rotation.errors import Conflict, Refused
from rotation.issuers import webhook_signature as webhooks
from rotation.issuers.http import Answer, JsonClient
from rotation.issuers.webhook_signing_key import NO_MATCH, RECEIVE, SEND, WebhookSigningKey
from rotation.value import SecretValue
from sandbox.parts.targets import Webhooks

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    with running(Webhooks(), tmp_path_factory.mktemp("webhooks")) as started:
        yield started


def facts(direction: str) -> dict[str, str]:
    """Of a fresh endpoint."""
    return {"endpoint": f"endpoint-{next(_numbers)}", "direction": direction}


def bench_of(partner: Partner, direction: str) -> HttpBench:
    return HttpBench(partner, WebhookSigningKey, facts(direction), ("key",), NO_MATCH)


def put(bench: HttpBench, value: SecretValue, generation: int, **more: Any) -> Answer:
    """Put a key into the endpoint's list, as somebody else than Keyturn would."""
    client, name = JsonClient("webhook-signing-key", bench.partner.url), f"theirs-{next(_numbers)}"
    body = {"key": value.unsafe_fields()["key"], "generation": generation, **more}
    return client.ask("PUT", f"/endpoints/{bench.facts['endpoint']}/keys/{name}", body, bench.partner.authority)


class TestWeSend(IssuerContract):
    """The partner receives: it verifies with every key of its list."""

    @pytest.fixture
    def bench(self, partner: Partner) -> HttpBench:
        return bench_of(partner, SEND)

    def test_a_second_rotation_inside_the_window_is_a_conflict_unless_somebody_forces_it(
        self, bench: HttpBench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        third = issuer.mint(new).value
        with pytest.raises(Conflict) as caught:
            issuer.apply(third, SECOND)
        assert caught.value.reason == "target_rotation_open"
        assert accepted(issuer.probe(old))
        assert accepted(issuer.probe(new))
        refused = put(bench, third, SECOND.epoch)
        assert (refused.status, refused.error) == (409, "rotation_open")
        assert put(bench, third, SECOND.epoch, force=True).status == 200
        shown = {name: issuer.probe(value).verdict for name, value in (("old", old), ("new", new), ("third", third))}
        assert shown == {"old": Verdict.REFUSED, "new": Verdict.ACCEPTED, "third": Verdict.ACCEPTED}

    def test_the_window_is_free_again_when_the_old_key_is_revoked(
        self, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        issuer.revoke(old, RETIRE)
        third = issuer.mint(new).value
        issuer.apply(third, SECOND)
        assert accepted(issuer.probe(third))

    def test_forcing_does_not_push_out_what_a_newer_run_put(
        self, bench: HttpBench, issuer: CredentialIssuer, old: SecretValue, new: SecretValue
    ) -> None:
        issuer.revoke(old, RETIRE)
        issuer.restore(old, SECOND)
        issuer.withdraw(new, RETIRE)
        issuer.apply(issuer.mint(None).value, THIRD)
        late = put(bench, issuer.mint(None).value, FIRST.epoch, force=True)
        assert (late.status, late.error) == (409, "stale_generation")

    def test_a_probe_that_is_refused_for_its_time_proves_nothing(self, bench: HttpBench, old: SecretValue) -> None:
        issuer: Any = bench.make().issuer
        clock = issuer._clock
        issuer._clock = lambda: clock() - webhooks.TOLERANCE_S - 1
        assert issuer.probe(old).verdict is Verdict.UNPROVEN

    def test_every_probe_is_an_event_of_its_own(self, issuer: CredentialIssuer, old: SecretValue) -> None:
        assert [accepted(issuer.probe(old)) for _ in range(3)] == [True] * 3


class TestWeReceive(IssuerContract):
    """The partner sends: it signs with every key of its list."""

    @pytest.fixture
    def bench(self, partner: Partner) -> HttpBench:
        return bench_of(partner, RECEIVE)

    def test_an_older_answer_does_not_pass_for_the_one_that_was_asked_for(
        self, bench: HttpBench, old: SecretValue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        issuer: Any = bench.make().issuer
        kept = issuer._api.show("POST", f"{issuer._endpoint}/test", {"challenge": "00"})
        monkeypatch.setattr(issuer._api, "show", lambda *_: kept)
        assert issuer.probe(old).verdict is Verdict.UNPROVEN

    def test_a_partner_without_any_key_is_no_proof_of_anything_but_that_it_does_not_use_this_one(
        self, issuer: CredentialIssuer
    ) -> None:
        shown = issuer.probe(issuer.mint(None).value)
        assert (shown.verdict, shown.code) == (Verdict.REFUSED, NO_MATCH)


@pytest.mark.parametrize("direction", [SEND, RECEIVE])
class TestEitherWay:
    """What does not depend on the direction."""

    @pytest.fixture
    def bench(self, partner: Partner, direction: str) -> HttpBench:
        return bench_of(partner, direction)

    @pytest.mark.parametrize("size", [24, 32, 64])
    def test_a_key_is_whsec_and_as_many_random_bytes_as_the_policy_says(self, bench: HttpBench, size: int) -> None:
        issuer = bench.make(bytes=str(size)).issuer
        one, two = issuer.mint(None), issuer.mint(None)
        text = one.value.unsafe_fields()["key"]
        assert text.startswith("whsec_")
        assert len(webhooks.decode_key(text)) == size
        assert one.public["key_id"] != two.public["key_id"]
        issuer.apply(one.value, FIRST)
        assert accepted(issuer.probe(one.value))

    @pytest.mark.parametrize(
        "wrong", [{"direction": "both"}, {"bytes": "23"}, {"bytes": "65"}, {"bytes": "x"}, {"account": "a"}]
    )
    def test_facts_that_cannot_be_are_refused(self, bench: HttpBench, wrong: dict[str, str]) -> None:
        with pytest.raises(Refused, match="bad_facts"):
            bench.make(**wrong)

    @pytest.mark.parametrize("key", ["whsec_", "whsec_AAAA", "d2hzZWM=", "whsec_" + "A" * 400, "whpk_" + "A" * 44])
    def test_what_is_no_webhook_key_is_refused_before_anybody_is_asked(self, bench: HttpBench, key: str) -> None:
        made, value = bench.make(), SecretValue.of({"key": key})
        assert made.issuer.probe(value).code == "malformed_value"
        with pytest.raises(Refused, match="malformed_value"):
            made.issuer.apply(value, FIRST)
        assert made.meter.totals() == {}

    def test_a_full_list_of_keys_that_nobody_retires_is_a_conflict(self, bench: HttpBench) -> None:
        issuer = bench.make().issuer
        for _ in range(2):
            put(bench, issuer.mint(None).value, 0)
        with pytest.raises(Conflict, match="target_rotation_open"):
            issuer.apply(issuer.mint(None).value, FIRST)
