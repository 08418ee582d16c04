"""A policy is a frozen value; its document is canonical, and reads back as what it was."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import FrozenInstanceError, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rotation.contract import SecretRef
from rotation.errors import Refused
from rotation.policy import Fact, Policy, Target, from_document

POLICY = Policy(
    name="payments/postgres",
    store="aws",
    path="payments/postgres",
    credential="postgres-alternating",
    target=Target(facts={"host": Fact("postgresHost"), "database": "payments"}, authority="keyturn/authority"),
    cadence="rate(30 days)",
    warm_up_s=60,
    overlap_s=3_600,
    owner="payments",
    runbook="docs/runbooks/rotation.md",
    readers=(Fact("paymentsReader"), "arn:fixed"),
)
FACTS = {"postgresHost": "db.example", "paymentsReader": "arn:reader", "unused": "x"}
RESOLVED = POLICY.resolve(FACTS)

texts = st.text(st.characters(exclude_categories=["Cs"]))
policies = st.builds(
    Policy,
    name=texts,
    store=texts,
    path=texts,
    credential=texts,
    target=st.builds(Target, facts=st.dictionaries(texts, texts), authority=texts),
    cadence=texts,
    warm_up_s=st.integers(),
    overlap_s=st.integers(),
    owner=texts,
    runbook=texts,
    readers=st.lists(texts).map(tuple),
)


def test_facts_are_put_in_and_the_rest_stays() -> None:
    assert RESOLVED.target_facts == {"host": "db.example", "database": "payments"}
    assert RESOLVED.readers == ("arn:reader", "arn:fixed")
    assert replace(RESOLVED, target=POLICY.target, readers=POLICY.readers) == POLICY
    assert replace(POLICY, path=Fact("unused")).resolve(FACTS).ref == SecretRef(store="aws", path="x")


def test_a_fact_that_the_stack_does_not_have_is_refused_with_policy_fact_and_remedy() -> None:
    with pytest.raises(Refused) as caught:
        POLICY.resolve({"postgresHost": "db.example"})
    assert caught.value.reason == "unknown_fact"
    assert "payments/postgres" in caught.value.message
    assert "`keyturn:paymentsReader`" in caught.value.remedy


@pytest.mark.parametrize("ask", [lambda p: p.ref, lambda p: p.target_facts])
def test_a_policy_that_was_not_resolved_gives_no_place(ask: Callable[[Policy], object]) -> None:
    with pytest.raises(Refused, match="unresolved_fact"):
        ask(replace(POLICY, path=Fact("postgresHost")))


def test_a_policy_cannot_be_changed_by_whoever_holds_it() -> None:
    with pytest.raises(FrozenInstanceError):
        RESOLVED.owner = "me"  # type: ignore[misc]


def test_the_authority_lies_in_the_same_store() -> None:
    assert RESOLVED.authority_ref == SecretRef(store="aws", path="keyturn/authority")


@given(policies)
def test_a_document_reads_back_as_the_same_policy_with_the_same_digest(policy: Policy) -> None:
    again = from_document(policy.document())
    assert again == policy
    assert again.digest() == policy.digest()


@given(policies, policies)
def test_the_digest_tells_policies_apart(one: Policy, other: Policy) -> None:
    assert (one == other) is (one.digest() == other.digest())


def test_the_order_in_which_facts_were_written_does_not_change_the_digest() -> None:
    turned = replace(RESOLVED, target=replace(RESOLVED.target, facts=dict(reversed(RESOLVED.target_facts.items()))))
    assert turned.digest() == RESOLVED.digest()


def without(name: str) -> str:
    document = json.loads(RESOLVED.document())
    del document[name]
    return json.dumps(document)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "null",
        '"x"',
        "{}",
        RESOLVED.document().replace('"format":1', '"format":2'),
        RESOLVED.document().replace('"owner":', '"boss":'),
        RESOLVED.document().replace('"facts":', '"fax":'),
        *map(without, ("format", "name", "target", "overlap_s")),
        RESOLVED.document()[:-1],
    ],
)
def test_a_document_that_cannot_be_read_is_refused_with_what_to_do_and_without_its_text(text: str) -> None:
    with pytest.raises(Refused) as caught:
        from_document(text)
    assert caught.value.reason == "bad_policy_document"
    assert "apply the stack again" in caught.value.remedy
    assert "keyturn/authority" not in str(caught.value)
