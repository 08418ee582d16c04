"""What holds data is encrypted, recoverable, and in prod cannot be deleted by accident."""

from __future__ import annotations

import json

from recorded_stacks import Stack

from policies import ALL
from rotation.policy import from_document

HOLDS_DATA = (
    "aws:dynamodb/table:Table",
    "aws:s3/bucket:Bucket",
    "aws:kms/key:Key",
    "aws:secretsmanager/secret:Secret",
    "gcp:secretmanager/secret:Secret",
    "vault:index/mount:Mount",
)


def test_the_ledger_can_be_restored_to_any_point_in_time(stack: Stack) -> None:
    (table,) = stack.of("aws:dynamodb/table:Table")
    assert table.inputs["pointInTimeRecovery"]["enabled"] is True
    assert table.inputs["serverSideEncryption"]["enabled"] is True
    assert table.inputs["serverSideEncryption"]["kmsKeyArn"]
    assert table.inputs["deletionProtectionEnabled"] is (stack.name == "prod")
    assert "ttl" not in table.inputs


def test_the_ledger_finds_what_is_due_by_an_index_of_declared_attributes(stack: Stack) -> None:
    (table,) = stack.of("aws:dynamodb/table:Table")
    (due,) = table.inputs["globalSecondaryIndexes"]
    keys = {key["keyType"]: key["attributeName"] for key in due["keySchemas"]}
    assert (due["name"], keys) == ("due", {"HASH": "due_shard", "RANGE": "due_at"})
    attributes = {attribute["name"]: attribute["type"] for attribute in table.inputs["attributes"]}
    assert attributes == dict.fromkeys(("pk", "sk", "due_shard", "due_at"), "S")


def test_prod_protects_everything_that_holds_data_and_others_can_be_torn_down(stacks: dict[str, Stack]) -> None:
    for name, stack in stacks.items():
        for type_ in HOLDS_DATA:
            assert {resource.protect for resource in stack.of(type_)} == {name == "prod"}, (name, type_)


def test_a_deleted_secret_of_prod_can_be_restored_for_thirty_days(prod: Stack) -> None:
    assert {one.inputs["recoveryWindowInDays"] for one in prod.of("aws:secretsmanager/secret:Secret")} == {30}
    assert all(one.inputs["deletionProtection"] for one in prod.of("gcp:secretmanager/secret:Secret"))


def test_the_catalogues_bucket_is_private_versioned_and_encrypted(stack: Stack) -> None:
    (shut,) = stack.of("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
    switches = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")
    assert all(shut.inputs[name] is True for name in switches)
    (versioning,) = stack.of("aws:s3/bucketVersioning:BucketVersioning")
    assert versioning.inputs["versioningConfiguration"] == {"status": "Enabled"}
    (encryption,) = stack.of("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")
    assert encryption.inputs["rules"][0]["applyServerSideEncryptionByDefault"]["sseAlgorithm"] == "aws:kms"
    (policy,) = stack.of("aws:s3/bucketPolicy:BucketPolicy")
    (statement,) = json.loads(policy.inputs["policy"])["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {
        "Bool": {"aws:SecureTransport": "false"},
        "NotIpAddress": {"aws:SourceIp": ["127.0.0.0/8"]},
    }


def test_the_catalogue_holds_every_policy_readable_by_people_and_by_the_runtime(stack: Stack) -> None:
    objects = {one.inputs["key"]: one for one in stack.of("aws:s3/bucketObjectv2:BucketObjectv2")}
    names = [policy.name for policy in ALL]
    for name in names:
        content = objects[f"policies/{name}.json"].inputs["content"]
        assert from_document(content).name == name
        assert content.count("\n") > 10
    zips = {f"functions/{kind}.zip" for kind in ("aws", "vault", "gcp", "control")}
    assert set(objects) == zips | {f"policies/{name}.json" for name in names} | {"index.txt", "places.txt"}
    indexed = objects["index.txt"].inputs["content"].splitlines()
    declared = [from_document(objects[f"policies/{name}.json"].inputs["content"]) for name in names]
    assert sorted(indexed) == sorted(f"{policy.name} {policy.digest()}" for policy in declared)


def test_objects_are_put_after_versioning_is_on(stack: Stack) -> None:
    (versioning,) = stack.of("aws:s3/bucketVersioning:BucketVersioning")
    for one in stack.of("aws:s3/bucketObjectv2:BucketObjectv2"):
        assert versioning.urn in one.depends_on


def test_the_signing_key_is_asymmetric_and_the_data_key_rotates(stack: Stack) -> None:
    signing = stack.one("aws:kms/key:Key", "signing").inputs
    assert (signing["keyUsage"], signing["customerMasterKeySpec"]) == ("SIGN_VERIFY", "RSA_2048")
    assert signing["enableKeyRotation"] is False
    assert stack.one("aws:kms/key:Key", "data").inputs["enableKeyRotation"] is True
