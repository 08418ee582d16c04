"""Cases of what keeps things: KMS, DynamoDB, S3, Secrets Manager."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pulumi
from handler_cases import Case, case
from handler_world import World, action_of, document

from sandbox.handlers.aws_calls import unlisted


@case("aws:kms/key:Key")
def key(world: World, _: Path) -> Case:
    kms = world.aws("kms")

    def seen(id_: str) -> Any:
        described = kms.describe_key(KeyId=id_)["KeyMetadata"]["Description"]
        return described, kms.get_key_rotation_status(KeyId=id_)["KeyRotationEnabled"]

    return Case(
        before={"description": "one", "enableKeyRotation": False, "deletionWindowInDays": 7},
        after={"description": "two", "enableKeyRotation": True, "deletionWindowInDays": 7},
        seen=seen,
        was=("one", False),
        becomes=("two", True),
    )


@case("aws:kms/alias:Alias")
def alias(world: World, _: Path) -> Case:
    first, second = world.key("first")["keyId"], world.key("second")["keyId"]
    name = f"alias/{world.own('alias')}"
    return Case(
        before={"name": name, "targetKeyId": first},
        after={"name": name, "targetKeyId": second},
        seen=lambda id_: world.aws("kms").describe_key(KeyId=id_)["KeyMetadata"]["KeyId"],
        was=first,
        becomes=second,
    )


def table_inputs(**more: Any) -> dict[str, Any]:
    """A table of text keys, with the index `due` in the list form of its keys."""
    keys = [
        {"attributeName": "due_shard", "keyType": "HASH"},
        {"attributeName": "due_at", "keyType": "RANGE"},
    ]
    return {
        "billingMode": "PAY_PER_REQUEST",
        "hashKey": "pk",
        "rangeKey": "sk",
        "attributes": [{"name": name, "type": "S"} for name in ("pk", "sk", "due_shard", "due_at")],
        "globalSecondaryIndexes": [{"name": "due", "keySchemas": keys, "projectionType": "ALL"}],
        **more,
    }


@case("aws:dynamodb/table:Table")
def table(world: World, _: Path) -> Case:
    dynamo = world.aws("dynamodb")

    def seen(id_: str) -> Any:
        described = dynamo.describe_table(TableName=id_)["Table"]
        backups = dynamo.describe_continuous_backups(TableName=id_)["ContinuousBackupsDescription"]
        return (
            [index["IndexName"] for index in described["GlobalSecondaryIndexes"]],
            backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"],
            unlisted(dynamo.list_tags_of_resource(ResourceArn=described["TableArn"])["Tags"]),
        )

    other = {"name": "late", "hashKey": "due_shard", "rangeKey": "due_at", "projectionType": "KEYS_ONLY"}
    return Case(
        before=table_inputs(pointInTimeRecovery={"enabled": True}, tags={"stays": "1", "goes": "2"}),
        after=table_inputs(globalSecondaryIndexes=[other], tags={"stays": "3"}),
        seen=seen,
        was=(["due"], "ENABLED", {"stays": "1", "goes": "2"}),
        becomes=(["late"], "DISABLED", {"stays": "3"}),
    )


@case("aws:s3/bucket:Bucket")
def bucket(world: World, _: Path) -> Case:
    def seen(id_: str) -> Any:
        return unlisted(world.aws("s3").get_bucket_tagging(Bucket=id_)["TagSet"])

    return Case(before={"tags": {"a": "1"}}, after={"tags": {"b": "2"}}, seen=seen, was={"a": "1"}, becomes={"b": "2"})


@case("aws:s3/bucketObjectv2:BucketObjectv2")
def object_(world: World, folder: Path) -> Case:
    name, file = world.bucket(), folder / "source"
    file.write_bytes(b"from a file\0")

    def seen(id_: str) -> Any:
        found = world.aws("s3").get_object(Bucket=name, Key=id_.removeprefix(f"{name}/"))
        return found["Body"].read(), found["ContentType"]

    return Case(
        before={"bucket": name, "key": "a/b.json", "content": "text", "contentType": "application/json"},
        after={
            "bucket": name,
            "key": "a/b.json",
            "source": pulumi.FileAsset(str(file)),
            "contentType": "application/zip",
        },
        seen=seen,
        was=(b"text", "application/json"),
        becomes=(b"from a file\0", "application/zip"),
    )


@case("aws:s3/bucketVersioning:BucketVersioning")
def versioning(world: World, _: Path) -> Case:
    name = world.bucket()
    return Case(
        before={"bucket": name, "versioningConfiguration": {"status": "Suspended"}},
        after={"bucket": name, "versioningConfiguration": {"status": "Enabled"}},
        seen=lambda id_: world.aws("s3").get_bucket_versioning(Bucket=id_)["Status"],
        was="Suspended",
        becomes="Enabled",
    )


@case("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")
def encryption(world: World, _: Path) -> Case:
    name, key_ = world.bucket(), world.key()["arn"]

    def seen(id_: str) -> Any:
        rules = world.aws("s3").get_bucket_encryption(Bucket=id_)["ServerSideEncryptionConfiguration"]["Rules"]
        return rules[0]["ApplyServerSideEncryptionByDefault"]

    by_key = {"sseAlgorithm": "aws:kms", "kmsMasterKeyId": key_}
    return Case(
        before={"bucket": name, "rules": [{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}]},
        after={"bucket": name, "rules": [{"applyServerSideEncryptionByDefault": by_key, "bucketKeyEnabled": True}]},
        seen=seen,
        was={"SSEAlgorithm": "AES256"},
        becomes={"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key_},
    )


@case("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
def block(world: World, _: Path) -> Case:
    name = world.bucket()

    def seen(id_: str) -> Any:
        found = world.aws("s3").get_public_access_block(Bucket=id_)["PublicAccessBlockConfiguration"]
        return sorted(key for key, value in found.items() if value)

    return Case(
        before={"bucket": name, "blockPublicAcls": True},
        after={"bucket": name, "blockPublicPolicy": True, "restrictPublicBuckets": True},
        seen=seen,
        was=["BlockPublicAcls"],
        becomes=["BlockPublicPolicy", "RestrictPublicBuckets"],
    )


@case("aws:s3/bucketOwnershipControls:BucketOwnershipControls")
def ownership(world: World, _: Path) -> Case:
    name = world.bucket()

    def seen(id_: str) -> Any:
        return world.aws("s3").get_bucket_ownership_controls(Bucket=id_)["OwnershipControls"]["Rules"]

    return Case(
        before={"bucket": name, "rule": {"objectOwnership": "BucketOwnerPreferred"}},
        after={"bucket": name, "rule": {"objectOwnership": "BucketOwnerEnforced"}},
        seen=seen,
        was=[{"ObjectOwnership": "BucketOwnerPreferred"}],
        becomes=[{"ObjectOwnership": "BucketOwnerEnforced"}],
    )


@case("aws:s3/bucketPolicy:BucketPolicy")
def bucket_policy(world: World, _: Path) -> Case:
    name = world.bucket()
    arn = f"arn:aws:s3:::{name}/*"
    return Case(
        before={"bucket": name, "policy": document("s3:GetObject", Resource=arn)},
        after={"bucket": name, "policy": document("s3:PutObject", Resource=arn)},
        seen=lambda id_: action_of(world.aws("s3").get_bucket_policy(Bucket=id_)["Policy"]),
        was="s3:GetObject",
        becomes="s3:PutObject",
    )


@case("aws:secretsmanager/secret:Secret")
def secret(world: World, _: Path) -> Case:
    def seen(id_: str) -> Any:
        found = world.aws("secretsmanager").describe_secret(SecretId=id_)
        return found["Description"], unlisted(found.get("Tags", [])), found.get("VersionIdsToStages", {})

    return Case(
        before={"description": "one", "recoveryWindowInDays": 0, "tags": {"a": "1"}},
        after={"description": "two", "recoveryWindowInDays": 0, "tags": {"b": "2"}},
        seen=seen,
        was=("one", {"a": "1"}, {}),
        becomes=("two", {"b": "2"}, {}),
    )


@case("aws:secretsmanager/secretPolicy:SecretPolicy")
def secret_policy(world: World, _: Path) -> Case:
    arn = world.secret()
    return Case(
        before={"secretArn": arn, "policy": document("secretsmanager:GetSecretValue"), "blockPublicPolicy": True},
        after={"secretArn": arn, "policy": document("secretsmanager:DescribeSecret"), "blockPublicPolicy": True},
        seen=lambda id_: action_of(world.aws("secretsmanager").get_resource_policy(SecretId=id_)["ResourcePolicy"]),
        was="secretsmanager:GetSecretValue",
        becomes="secretsmanager:DescribeSecret",
    )
