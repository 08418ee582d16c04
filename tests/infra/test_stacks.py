"""Staging is what prod is: the same types and components, from configurations with the same keys in the same order."""

from __future__ import annotations

from collections import Counter

import yaml
from recorded_stacks import Stack

from infra.config import ROOT


def keys(name: str) -> list[str]:
    return list(yaml.safe_load((ROOT / f"Pulumi.{name}.yaml").read_text())["config"])


def test_staging_and_prod_have_the_same_keys_in_the_same_order() -> None:
    assert keys("staging") == keys("prod")
    assert len(keys("prod")) > 20


def test_local_has_those_keys_too_and_then_the_sandboxs() -> None:
    extra = ["keyturn:startsAnyTime", "keyturn:awsEndpoint", "keyturn:googleEndpoint", "keyturn:sandboxFacts"]
    assert keys("local") == keys("prod") + extra


def test_staging_and_prod_declare_the_same_types_as_often(stacks: dict[str, Stack]) -> None:
    staging, prod = (Counter(one.type for one in stacks[name].resources) for name in ("staging", "prod"))
    assert staging == prod


def test_local_declares_the_same_types_but_the_person_to_wake(stacks: dict[str, Stack]) -> None:
    local, prod = ({one.type for one in stacks[name].resources} for name in ("local", "prod"))
    assert prod - local == {"aws:sns/topicSubscription:TopicSubscription"}
    assert local <= prod


def test_urns_are_unique_and_carry_every_parents_type(stack: Stack) -> None:
    urns = [one.urn for one in stack.resources]
    assert len(urns) == len(set(urns))
    (table,) = stack.of("aws:dynamodb/table:Table")
    assert table.urn == f"urn:pulumi:{stack.name}::keyturn::keyturn:infra:Ledger$aws:dynamodb/table:Table::ledger"


def test_every_resource_is_held_by_a_component_and_uses_an_explicit_provider(stack: Stack) -> None:
    for resource in stack.resources:
        if resource.custom and not resource.type.startswith("pulumi:providers:"):
            assert "keyturn:infra:" in resource.parent, resource.urn
            assert resource.provider, resource.urn
            assert "::default" not in resource.provider, resource.urn
