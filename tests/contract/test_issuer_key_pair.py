"""The issuer contract on the sandbox's key sets, and what a published key pair promises."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from http_bench import HttpBench, Partner, running, spoilt
from issuer_bench import FIRST, RETIRE, SECOND, accepted
from issuer_suite import IssuerContract

from rotation.contract import CredentialIssuer, Fence, Verdict
from rotation.errors import Conflict, Refused
from rotation.issuers import key_pair_document as documents
from rotation.issuers import key_pair_keys as keys
from rotation.issuers.http import JsonClient
from rotation.issuers.key_pair import KeyPair
from rotation.value import SecretValue
from sandbox.parts.targets import Jwks

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def partner(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Partner]:
    with running(Jwks(), tmp_path_factory.mktemp("jwks")) as started:
        yield started


def facts(algorithm: str = "Ed25519") -> dict[str, str]:
    """Of a fresh key set."""
    name = f"set-{next(_numbers)}"
    return {"set": name, "algorithm": algorithm, "issuer": name, "audience": f"{name}-api"}


class Sets:
    """The key set of a bench, as verifiers and as its other publishers see it."""

    def __init__(self, bench: HttpBench) -> None:
        self._client = JsonClient("key-pair", bench.partner.url)
        self._path, self._authority = f"/sets/{bench.facts['set']}", bench.partner.authority

    def published(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self._client.ask("GET", f"{self._path}/.well-known/jwks.json").body["keys"]
        return found

    def kids(self) -> list[str]:
        return [key["kid"] for key in self.published()]

    def document(self) -> tuple[dict[str, Any], str]:
        answer = self._client.ask("GET", self._path, bearer=self._authority)
        return dict(answer.body), answer.etag

    def write(self, change: Callable[[dict[str, Any]], None]) -> int:
        document, etag = self.document()
        change(document)
        return self._client.ask("PUT", self._path, document, self._authority, {"If-Match": etag}).status


class TestKeyPair(IssuerContract):
    """A key set that is one document behind compare-and-set."""

    @pytest.fixture
    def bench(self, partner: Partner) -> HttpBench:
        return HttpBench(partner, KeyPair, facts(), ("private_key",), "unknown_key", spoilt)

    @pytest.fixture
    def sets(self, bench: HttpBench) -> Sets:
        return Sets(bench)

    def test_the_published_set_is_current_and_in_an_overlap_the_one_before(
        self, issuer: CredentialIssuer, sets: Sets
    ) -> None:
        one, two = issuer.mint(None), issuer.mint(None)
        shown = [sets.kids()]
        for effect in (
            lambda: issuer.apply(one.value, Fence(run_id="first-value", epoch=0)),
            lambda: issuer.apply(two.value, FIRST),
            lambda: issuer.revoke(one.value, RETIRE),
        ):
            effect()
            shown.append(sets.kids())
        first, second = one.public["kid"], two.public["kid"]
        assert shown == [[], [first], [first, second], [second]]

    def test_nothing_private_is_published(self, sets: Sets, old: SecretValue) -> None:
        (key,) = sets.published()
        assert set(key) == {"kty", "crv", "x", "kid", "alg", "use"}
        assert old.unsafe_fields()["private_key"] not in json.dumps(sets.document()[0])

    @pytest.mark.parametrize("algorithm", ["Ed25519", "EC-P256", "RSA-3072"])
    def test_tokens_of_each_algorithm_are_verified_by_what_is_published(self, bench: HttpBench, algorithm: str) -> None:
        issuer = bench.make(algorithm=algorithm).issuer
        one, two = issuer.mint(None).value, issuer.mint(None).value
        issuer.apply(one, FIRST)
        assert accepted(issuer.probe(one))
        assert issuer.probe(two).code == "unknown_key"
        text = one.unsafe_fields()
        assert text["private_key"].startswith("-----BEGIN PRIVATE KEY-----")
        assert keys.algorithm_of(keys.from_pem(text["private_key"])) == algorithm
        assert text["alg"] == keys.JWS[algorithm]

    def test_a_policy_may_change_the_algorithm_between_two_keys(self, bench: HttpBench, old: SecretValue) -> None:
        other = bench.make(algorithm="EC-P256").issuer
        new = other.mint(old).value
        other.apply(new, FIRST)
        assert accepted(other.probe(old))
        assert accepted(other.probe(new))

    def test_the_key_id_belongs_to_the_key(self, issuer: CredentialIssuer) -> None:
        one, two = issuer.mint(None), issuer.mint(None)
        mixed = SecretValue.of({**one.value.unsafe_fields(), "kid": two.public["kid"]})
        assert issuer.probe(mixed).code == "malformed_value"
        with pytest.raises(Refused, match="malformed_value"):
            issuer.apply(mixed, FIRST)

    def test_what_other_publishers_wrote_stays(
        self, bench: HttpBench, issuer: CredentialIssuer, sets: Sets, old: SecretValue
    ) -> None:
        foreign = {**keys.public_members(keys.generate("EC-P256")), "kid": "theirs", "note": "x"}
        assert sets.write(lambda document: document.update(keys=[*document["keys"], foreign], theirs={"a": 1})) == 200
        new = issuer.mint(old).value
        issuer.apply(new, FIRST)
        issuer.revoke(old, RETIRE)
        assert foreign in sets.published()
        assert sets.kids() == ["theirs", new.unsafe_fields()["kid"]]
        assert sets.document()[0]["theirs"] == {"a": 1}

    def test_a_change_in_between_is_not_overwritten(
        self, bench: HttpBench, sets: Sets, old: SecretValue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        issuer: Any = bench.make().issuer
        replace, rivals = issuer._api.replace, [1]

        def late(*given: Any) -> bool:
            if rivals:
                sets.write(lambda document: document.update(rival=rivals.pop()))
            written: bool = replace(*given)
            return written

        monkeypatch.setattr(issuer._api, "replace", late)
        new = issuer.mint(old).value
        issuer.apply(new, FIRST)
        assert sets.document()[0]["rival"] == 1
        assert accepted(issuer.probe(new))

    def test_who_loses_every_turn_gets_a_conflict_and_has_changed_nothing(
        self, bench: HttpBench, sets: Sets, old: SecretValue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        made = bench.make()
        issuer: Any = made.issuer
        monkeypatch.setattr(issuer._api, "replace", lambda *_: False)
        before = sets.document()
        with pytest.raises(Conflict) as caught:
            issuer.apply(issuer.mint(None).value, FIRST)
        assert caught.value.reason == "document_busy"
        assert made.meter.totals() == {"authority": documents.TURNS}
        assert sets.document() == before

    def test_a_verifier_and_a_set_that_contradict_each_other_prove_nothing(
        self, bench: HttpBench, old: SecretValue, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        issuer: Any = bench.make().issuer
        show = issuer._api.show

        def stale(method: str, path: str, *given: Any) -> Any:
            return show(method, path if method == "POST" else "/sets/nobodys/.well-known/jwks.json", *given)

        monkeypatch.setattr(issuer._api, "show", stale)
        shown = issuer.probe(old)
        assert (shown.verdict, shown.code) == (Verdict.UNPROVEN, "set_differs")

    def test_removed_keys_are_remembered_for_late_calls_and_not_for_ever(
        self, issuer: CredentialIssuer, sets: Sets, old: SecretValue
    ) -> None:
        for epoch in range(documents.REMEMBERED + 4):
            issuer.withdraw(issuer.mint(None).value, Fence(run_id=f"run-{epoch}", epoch=epoch + 1))
        generations = sets.document()[0]["generations"]
        assert len(generations) == documents.REMEMBERED + 1
        assert old.unsafe_fields()["kid"] in generations
        assert max(generations.values()) == documents.REMEMBERED + 4

    @pytest.mark.parametrize("wrong", [{"issuer": "somebody"}, {"audience": "elsewhere"}])
    def test_a_token_refused_for_another_reason_than_its_key_proves_nothing(
        self, bench: HttpBench, old: SecretValue, wrong: dict[str, str]
    ) -> None:
        shown = bench.make(**wrong).issuer.probe(old)
        assert (shown.verdict, shown.code) == (Verdict.UNPROVEN, "401")

    def test_a_set_that_is_full_says_so_as_a_conflict(self, issuer: CredentialIssuer, sets: Sets) -> None:
        def fill(document: dict[str, Any]) -> None:
            made = [keys.public_members(keys.generate("Ed25519")) for _ in range(16)]
            document["keys"] = [{**key, "kid": str(number)} for number, key in enumerate(made)]

        assert sets.write(fill) == 200
        with pytest.raises(Conflict, match="target_conflict"):
            issuer.apply(issuer.mint(None).value, SECOND)


def test_an_algorithm_that_nobody_knows_is_refused(partner: Partner) -> None:
    bench = HttpBench(partner, KeyPair, facts("RSA-1024"), (), "")
    with pytest.raises(Refused, match="bad_facts"):
        bench.make()


def test_the_thumbprint_is_that_of_the_standards_examples() -> None:
    # RFC 7638, section 3.1 and RFC 8037, appendix A.3
    modulus = (
        "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhM"
        "stn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5h"
        "ajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
    )
    rsa = keys.thumbprint({"e": "AQAB", "kty": "RSA", "n": modulus})
    assert keys.base64url(rsa) == "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"
    okp = keys.thumbprint({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})
    assert keys.base64url(okp) == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_an_rsa_key_of_4096_bits_is_one() -> None:
    assert keys.algorithm_of(keys.generate("RSA-4096")) == "RSA-4096"
