"""Keys, secrets, buckets and tables: adoption without a name, deletion as declared, and nothing that holds a value."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from handler_cases_stores import table_inputs
from handler_world import World

pytestmark = pytest.mark.sandbox

KEY = "aws:kms/key:Key"
CIPHERTEXT = "aws:kms/ciphertext:Ciphertext"
SECRET = "aws:secretsmanager/secret:Secret"
BUCKET = "aws:s3/bucket:Bucket"
OBJECT = "aws:s3/bucketObjectv2:BucketObjectv2"
TABLE = "aws:dynamodb/table:Table"


def test_a_key_of_another_kind_is_made_beside_the_one_it_replaces(world: World) -> None:
    plain, _ = world.handler(KEY).create(world.own("key"), {})
    signing = {"keyUsage": "SIGN_VERIFY", "customerMasterKeySpec": "RSA_2048"}
    second, _ = world.handler(KEY).create(world.own("key"), signing)
    assert second != plain
    assert world.handler(KEY).read(plain, {}) is not None


def test_a_key_that_waits_for_its_deletion_is_gone_and_is_not_adopted(world: World) -> None:
    first, outputs = world.handler(KEY).create(world.own("key"), {"deletionWindowInDays": 7})
    world.handler(KEY).delete(first, outputs)
    found = world.aws("kms").describe_key(KeyId=first)["KeyMetadata"]
    assert found["KeyState"] == "PendingDeletion"
    assert world.handler(KEY).create(world.own("key"), {})[0] != first


def test_the_tag_that_names_a_key_is_no_output_and_outlives_a_change_of_tags(world: World) -> None:
    id_, outputs = world.handler(KEY).create(world.own("key"), {"tags": {"owner": "a"}})
    updated = world.handler(KEY).update(id_, outputs, {"tags": {"owner": "b"}})
    assert updated["tags"] == {"owner": "b"}
    assert world.handler(KEY).create(world.own("key"), {"tags": {"owner": "b"}})[0] == id_


def test_the_invoke_gives_the_public_half_as_pem_that_verifies_a_signature(world: World) -> None:
    key = world.make(KEY, keyUsage="SIGN_VERIFY", customerMasterKeySpec="RSA_2048")
    answer = world.invokes["aws:kms/getPublicKey:getPublicKey"]({"keyId": key["keyId"]})
    signed = world.aws("kms").sign(
        KeyId=key["keyId"], Message=b"said", MessageType="RAW", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256"
    )
    public = load_pem_public_key(answer["publicKeyPem"].encode())
    assert isinstance(public, rsa.RSAPublicKey)
    public.verify(signed["Signature"], b"said", padding.PKCS1v15(), hashes.SHA256())
    assert answer["arn"] == key["arn"]


def test_a_ciphertext_is_read_back_only_under_its_own_key_text_and_context(world: World) -> None:
    key, other = world.key("sealing"), world.key("another")
    handler = world.handler(CIPHERTEXT)
    inputs = {"keyId": key["arn"], "plaintext": "digest", "context": {"stack": "local"}}
    id_, outputs = handler.create(world.own("seal"), inputs)
    assert outputs["ciphertextBlob"] == id_
    assert "digest" not in id_
    assert handler.read(id_, inputs) == outputs
    for changed in ({"plaintext": "forged"}, {"context": {"stack": "prod"}}, {"keyId": other["arn"]}):
        assert handler.read(id_, {**inputs, **changed}) is None
    with pytest.raises(ValueError, match="does not serve inventedHere"):
        handler.create(world.own("seal"), {"inventedHere": 1})


def _put_value(world: World, id_: str, value: str) -> None:
    world.aws("secretsmanager").put_secret_value(SecretId=id_, SecretString=value)


def test_a_new_shell_has_nothing_to_read(world: World) -> None:
    id_, _ = world.handler(SECRET).create(world.own("s"), {})
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        world.aws("secretsmanager").get_secret_value(SecretId=id_)


def test_a_shell_whose_creation_was_interrupted_is_finished_and_empty(world: World) -> None:
    unfinished = [{"Key": "keyturn:unfinished", "Value": ""}]
    made = world.aws("secretsmanager").create_secret(Name=world.own("s"), Tags=unfinished)
    _, outputs = world.handler(SECRET).create(world.own("s"), {})
    assert outputs["tags"] == {}
    assert not world.aws("secretsmanager").describe_secret(SecretId=made["ARN"]).get("VersionIdsToStages")


def test_changing_or_adopting_a_shell_leaves_its_value_and_outputs_never_hold_it(world: World) -> None:
    id_, outputs = world.handler(SECRET).create(world.own("s"), {"description": "one"})
    _put_value(world, id_, "marker-value")
    updated = world.handler(SECRET).update(id_, outputs, {"description": "two"})
    _, adopted = world.handler(SECRET).create(world.own("s"), {"description": "two"})
    assert world.aws("secretsmanager").get_secret_value(SecretId=id_)["SecretString"] == "marker-value"
    assert "marker-value" not in repr([updated, adopted, world.handler(SECRET).read(id_, {})])


def test_a_secret_is_deleted_within_its_declared_window_and_restored_when_declared_again(world: World) -> None:
    inputs = {"recoveryWindowInDays": 7}
    id_, outputs = world.handler(SECRET).create(world.own("s"), inputs)
    _put_value(world, id_, "kept")
    world.handler(SECRET).delete(id_, outputs)
    assert world.aws("secretsmanager").describe_secret(SecretId=id_)["DeletedDate"]
    assert world.handler(SECRET).read(id_, inputs) is None
    assert world.handler(SECRET).create(world.own("s"), inputs)[0] == id_
    assert world.aws("secretsmanager").get_secret_value(SecretId=id_)["SecretString"] == "kept"


def test_a_window_of_zero_days_deletes_a_secret_at_once(world: World) -> None:
    id_, outputs = world.handler(SECRET).create(world.own("s"), {"recoveryWindowInDays": 0})
    world.handler(SECRET).delete(id_, outputs)
    with pytest.raises(ClientError, match="ResourceNotFoundException"):
        world.aws("secretsmanager").describe_secret(SecretId=id_)


def _versioned(world: World, **inputs: object) -> str:
    name = world.handler(BUCKET).create(world.own("bucket"), dict(inputs))[0]
    world.aws("s3").put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    return name


def test_an_object_on_a_versioned_bucket_says_which_version_it_is(world: World) -> None:
    name = _versioned(world)
    inputs = {"bucket": name, "key": "policy.json", "content": "one"}
    id_, first = world.handler(OBJECT).create("policy.json", inputs)
    second = world.handler(OBJECT).update(id_, first, {**inputs, "content": "two"})
    s3 = world.aws("s3")
    bodies = [
        s3.get_object(Bucket=name, Key="policy.json", VersionId=version["versionId"])["Body"].read()
        for version in (first, second)
    ]
    assert bodies == [b"one", b"two"]


def test_deleting_an_object_leaves_no_version_and_no_other_object(world: World) -> None:
    name = _versioned(world)
    made = [world.make(OBJECT, bucket=name, key=key, content=key) for key in ("a", "a", "ab")]
    world.handler(OBJECT).delete(made[0]["id"], made[0])
    left = world.aws("s3").list_object_versions(Bucket=name)
    assert [version["Key"] for version in left["Versions"]] == ["ab"]
    assert not left.get("DeleteMarkers")


def test_a_bucket_with_objects_is_deleted_only_when_the_program_forces_it(world: World) -> None:
    name = _versioned(world, forceDestroy=False)
    world.make(OBJECT, bucket=name, key="kept", content="x")
    with pytest.raises(ClientError, match="BucketNotEmpty"):
        world.handler(BUCKET).delete(name, {"bucket": name, "forceDestroy": False})
    world.handler(BUCKET).delete(name, {"bucket": name, "forceDestroy": True})
    assert world.handler(BUCKET).read(name, {}) is None


def test_a_protected_table_is_not_deleted_until_the_program_lifts_it(world: World) -> None:
    id_, outputs = world.handler(TABLE).create(world.own("t"), table_inputs(deletionProtectionEnabled=True))
    with pytest.raises(ClientError, match="ValidationException"):
        world.handler(TABLE).delete(id_, outputs)
    lifted = world.handler(TABLE).update(id_, outputs, table_inputs(deletionProtectionEnabled=False))
    world.handler(TABLE).delete(id_, lifted)
    assert world.handler(TABLE).read(id_, table_inputs()) is None


def test_a_table_with_another_key_is_left_for_the_replacement_that_follows(world: World) -> None:
    id_, _ = world.handler(TABLE).create(world.own("t"), table_inputs(tags={"a": "1"}))
    wished = table_inputs(hashKey="sk", rangeKey="pk", tags={"b": "2"})
    again, outputs = world.handler(TABLE).create(world.own("t"), wished)
    assert (again, outputs["hashKey"], outputs["tags"]) == (id_, "pk", {"a": "1"})
    world.handler(TABLE).delete(id_, outputs)
    assert world.handler(TABLE).create(world.own("t"), wished)[1]["hashKey"] == "sk"


def test_a_table_keeps_its_rows_through_an_update(world: World) -> None:
    id_, outputs = world.handler(TABLE).create(world.own("t"), table_inputs())
    row = {"pk": {"S": "a"}, "sk": {"S": "b"}}
    world.aws("dynamodb").put_item(TableName=id_, Item=row)
    encrypted = {"enabled": True, "kmsKeyArn": world.key()["arn"]}
    world.handler(TABLE).update(id_, outputs, table_inputs(serverSideEncryption=encrypted, tags={"a": "1"}))
    assert world.aws("dynamodb").get_item(TableName=id_, Key=row)["Item"] == row
    described = world.aws("dynamodb").describe_table(TableName=id_)["Table"]["SSEDescription"]
    assert described["KMSMasterKeyArn"] == encrypted["kmsKeyArn"]
