"""The whole program of stack `local` through the local engine: made, left alone, removed without a rest, made again."""

from __future__ import annotations

from collections import Counter

import pytest
from checkout_copy import Place
from cloud_inventory import inventory

from infra.stack_file import stack_config
from sandbox.aws_client import administrator
from sandbox.engine import Result, apply, destroy
from sandbox.handlers.registry import handlers, invokes

pytestmark = [pytest.mark.sandbox, pytest.mark.openbao, pytest.mark.postgres]


def applied(place: Place) -> Result:
    return apply(
        program=place.root,
        project="keyturn",
        stack="local",
        state=place.layout.engine / "whole.json",
        config=stack_config("local", place.root),
        handlers=handlers(place.facts, place.credentials),
        invokes=invokes(place.facts, place.credentials),
    )


def test_the_local_stack_is_made_left_alone_and_removed_without_a_rest(place: Place) -> None:
    empty = inventory(place.facts, place.credentials)
    first = applied(place)
    assert set(first.ops.values()) == {"create"}
    full = inventory(place.facts, place.credentials)
    assert [kind for kind, names in full.items() if names == empty[kind]] == []

    assert Counter(applied(place).ops.values()) == {"same": len(first.ops)}
    # nothing is sealed but the keys that the provider is given, and digests, which Pulumi takes for secrets, wherever
    # they stand: in the seals and in the catalogue's index
    sealed = {(r.type, r.inputs.get("key", "")) for r in first.resources if "[secret]" in repr(r)}
    digests = {("aws:kms/ciphertext:Ciphertext", ""), ("aws:s3/bucketObjectv2:BucketObjectv2", "index.txt")}
    assert sealed == {("pulumi:providers:aws", ""), *digests}

    made = handlers(place.facts, place.credentials)
    removed = destroy("keyturn", "local", place.layout.engine / "whole.json", made)
    assert Counter(removed.ops.values()) == {"delete": len(first.ops)}
    assert inventory(place.facts, place.credentials) == empty

    assert Counter(applied(place).ops.values()) == {"create": len(first.ops)}
    again = inventory(place.facts, place.credentials)
    # a key's name is new each time
    assert again | {"keys": full["keys"]} == full


def test_resources_of_the_sandbox_carry_the_providers_default_tags(place: Place) -> None:
    applied(place)
    secrets = administrator(place.facts, "secretsmanager")
    tags = {tag["Key"]: tag["Value"] for tag in secrets.describe_secret(SecretId="payments/postgres")["Tags"]}
    secrets.close()
    assert {key: tags[key] for key in ("project", "stack", "owner")} == {
        "project": "keyturn",
        "stack": "local",
        "owner": "platform",
    }
