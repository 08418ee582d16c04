"""KMS: keys, aliases, and the public half of a signing key.

A key has no name, so a repeated `create` finds the key of the first attempt by a tag that carries the logical name.
Only a key of the wished kind that is not about to be deleted is adopted, so that a replacement makes a second key
beside the old one, as in the real account. Key material is deliberately nobody's business here.
"""

from __future__ import annotations

import base64
import textwrap
from typing import Any

from sandbox.handlers import aws_calls as aws
from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert

LOGICAL_NAME_TAG = "keyturn:logical"
# KMS's own default for the delay of a deletion, its longest
_DELETION_DAYS = 30
_SYMMETRIC = "SYMMETRIC_DEFAULT"
_PEM_COLUMNS = 64
_LEAVING = frozenset({"PendingDeletion", "PendingReplicaDeletion"})


class Key(Upsert):
    """`aws:kms/key:Key`; the id is the key id."""

    serves = frozenset(
        {
            "description",
            "keyUsage",
            "customerMasterKeySpec",
            "enableKeyRotation",
            "deletionWindowInDays",
            "policy",
            "tags",
        }
    )
    replace_on = frozenset({"keyUsage", "customerMasterKeySpec"})
    computed = frozenset({"arn", "keyId"})

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def create(self, name: str, inputs: Properties, /) -> tuple[str, Properties]:
        """Make a key that carries its logical name, or adopt the one that does."""
        wished = self.wished(inputs)
        id_ = self._find(name, wished) or self._make(name, wished)
        return id_, self.update(id_, {}, wished)

    def update(self, id_: str, _old_outputs: Properties, inputs: Properties, /) -> Properties:
        """Description, policy, rotation and tags; everything else makes another key."""
        wished = self.wished(inputs)
        kms = self._clients.of("kms")
        kms.update_key_description(KeyId=id_, Description=wished.get("description", ""))
        if "policy" in wished:
            kms.put_key_policy(KeyId=id_, PolicyName="default", Policy=wished["policy"])
        if wished.get("customerMasterKeySpec", _SYMMETRIC) == _SYMMETRIC:
            (kms.enable_key_rotation if wished.get("enableKeyRotation") else kms.disable_key_rotation)(KeyId=id_)
        self._tag(id_, wished.get("tags", {}))
        return self._now(id_, wished)

    def put(self, _wished: Properties, /) -> str:
        """Not reached: which key is meant is known from the logical name or the id only."""
        raise TypeError("a key is made by its logical name")

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """What describes the key; a key that waits for its deletion is gone."""
        kms = self._clients.of("kms")
        key = self._alive(id_)
        if key is None:
            return None
        policy = kms.get_key_policy(KeyId=id_, PolicyName="default")["Policy"]
        symmetric = key["KeySpec"] == _SYMMETRIC
        tags = self._tags(id_)
        tags.pop(LOGICAL_NAME_TAG, None)
        return {
            "arn": key["Arn"],
            "keyId": key["KeyId"],
            "description": key.get("Description", ""),
            "keyUsage": key["KeyUsage"],
            "customerMasterKeySpec": key["KeySpec"],
            "isEnabled": key["Enabled"],
            "enableKeyRotation": symmetric and kms.get_key_rotation_status(KeyId=id_)["KeyRotationEnabled"],
            "policy": aws.document(policy, wished.get("policy")),
            "tags": tags,
        }

    def remove(self, id_: str, outputs: Properties, /) -> None:
        """Schedule the deletion, which is all that KMS allows; the shorter the window, the sooner it is final."""
        if self._alive(id_) is not None:
            days = int(outputs.get("deletionWindowInDays") or _DELETION_DAYS)
            self._clients.of("kms").schedule_key_deletion(KeyId=id_, PendingWindowInDays=days)

    def _make(self, name: str, wished: Properties) -> str:
        policy = {"Policy": wished["policy"]} if "policy" in wished else {}
        answer = self._clients.of("kms").create_key(
            Description=wished.get("description", ""),
            KeyUsage=wished.get("keyUsage", "ENCRYPT_DECRYPT"),
            KeySpec=wished.get("customerMasterKeySpec", _SYMMETRIC),
            # at birth: a crash right after must leave a key that can be found
            Tags=aws.listed({LOGICAL_NAME_TAG: name}, "TagKey", "TagValue"),
            **policy,
        )
        return str(answer["KeyMetadata"]["KeyId"])

    def _find(self, name: str, wished: Properties) -> str:
        kind = (wished.get("customerMasterKeySpec", _SYMMETRIC), wished.get("keyUsage", "ENCRYPT_DECRYPT"))
        for page in self._clients.of("kms").get_paginator("list_keys").paginate():
            for listed in page["Keys"]:
                key = self._alive(listed["KeyId"])
                if key is None or (key["KeySpec"], key["KeyUsage"]) != kind:
                    continue
                if self._tags(key["KeyId"]).get(LOGICAL_NAME_TAG) == name:
                    return str(key["KeyId"])
        return ""

    def _alive(self, id_: str) -> dict[str, Any] | None:
        answer = aws.found(self._clients.of("kms").describe_key, KeyId=id_)
        key: dict[str, Any] | None = answer and answer["KeyMetadata"]
        return None if key is None or key["KeyState"] in _LEAVING else key

    def _tags(self, id_: str) -> dict[str, str]:
        return aws.unlisted(self._clients.of("kms").list_resource_tags(KeyId=id_)["Tags"], "TagKey", "TagValue")

    def _tag(self, id_: str, wished: dict[str, str]) -> None:
        kms, live = self._clients.of("kms"), self._tags(id_)
        live.pop(LOGICAL_NAME_TAG, None)
        aws.settle(
            wished,
            live,
            lambda tags: kms.tag_resource(KeyId=id_, Tags=aws.listed(tags, "TagKey", "TagValue")),
            lambda keys: kms.untag_resource(KeyId=id_, TagKeys=keys),
        )


class Alias(Upsert):
    """`aws:kms/alias:Alias`; the id is the name with its prefix."""

    serves = frozenset({"name", "targetKeyId"})
    replace_on = frozenset({"name"})
    computed = frozenset({"arn", "targetKeyArn"})

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """Point the alias at the key, wherever it points now."""
        kms = self._clients.of("kms")
        named = {"AliasName": wished["name"], "TargetKeyId": wished["targetKeyId"]}
        if aws.made({"AlreadyExistsException"}, kms.create_alias, **named) is None:
            kms.update_alias(**named)
        return str(wished["name"])

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """The key that the alias names now."""
        answer = aws.found(self._clients.of("kms").describe_key, KeyId=id_)
        if answer is None:
            return None
        key = answer["KeyMetadata"]
        # the program may have named the key by its ARN
        same = wished.get("targetKeyId") in (key["KeyId"], key["Arn"])
        return {
            "arn": f"{key['Arn'].rpartition(':')[0]}:{id_}",
            "targetKeyArn": key["Arn"],
            "targetKeyId": wished["targetKeyId"] if same else key["KeyId"],
        }

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Remove the alias; the key stays."""
        aws.found(self._clients.of("kms").delete_alias, AliasName=id_)


def public_key(clients: aws.AwsClients, inputs: Properties) -> Properties:
    """`aws:kms/getPublicKey:getPublicKey`: the public half of the key `keyId`, DER in base64 and PEM."""
    answer = clients.of("kms").get_public_key(KeyId=inputs["keyId"])
    der = base64.b64encode(answer["PublicKey"]).decode()
    pem = "\n".join(["-----BEGIN PUBLIC KEY-----", *textwrap.wrap(der, _PEM_COLUMNS), "-----END PUBLIC KEY-----", ""])
    return {
        "id": answer["KeyId"],
        "keyId": inputs["keyId"],
        "arn": answer["KeyId"],
        "customerMasterKeySpec": answer["KeySpec"],
        "keyUsage": answer["KeyUsage"],
        "publicKey": der,
        "publicKeyPem": pem,
        "signingAlgorithms": answer.get("SigningAlgorithms", []),
        "encryptionAlgorithms": answer.get("EncryptionAlgorithms", []),
    }
