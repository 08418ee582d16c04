"""What is set on an S3 bucket: versioning, encryption, public access block, ownership, policy. One call each.

All of them have the bucket's name as their id, replace when it changes, and are gone with the bucket.
"""

from __future__ import annotations

from abc import abstractmethod
from typing import Any

from sandbox.handlers import aws_calls as aws
from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert

_ACRONYMS = {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}
_BLOCKS = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


class Setting(Upsert):
    """Any of them: a type says how it is set, read and unset."""

    replace_on = frozenset({"bucket"})

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """Set it as a whole."""
        self.set(self._clients.of("s3"), wished)
        return str(wished["bucket"])

    def look(self, id_: str, wished: Properties, /) -> Properties | None:
        """As it is set now."""
        live = aws.found(self.get, self._clients.of("s3"), id_, wished)
        return None if live is None else {"bucket": id_, **live}

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Unset it; a bucket that is gone took it along."""
        aws.found(self.unset, self._clients.of("s3"), id_)

    @abstractmethod
    def set(self, s3: Any, wished: Properties, /) -> None:
        """The call that sets."""

    @abstractmethod
    def get(self, s3: Any, bucket: str, wished: Properties, /) -> Properties | None:
        """The call that reads, its answer as outputs."""

    @abstractmethod
    def unset(self, s3: Any, bucket: str, /) -> None:
        """The call that unsets."""


class Versioning(Setting):
    """`aws:s3/bucketVersioning:BucketVersioning`. Once on it can only be suspended, which is what removal does."""

    serves = frozenset({"bucket", "versioningConfiguration"})

    def set(self, s3: Any, wished: Properties, /) -> None:
        """Enabled or Suspended."""
        configuration = aws.pascal(wished["versioningConfiguration"])
        s3.put_bucket_versioning(Bucket=wished["bucket"], VersioningConfiguration=configuration)

    def get(self, s3: Any, bucket: str, _wished: Properties, /) -> Properties | None:
        """A bucket without a status never had it."""
        status = s3.get_bucket_versioning(Bucket=bucket).get("Status")
        return {"versioningConfiguration": {"status": status}} if status else None

    def unset(self, s3: Any, bucket: str, /) -> None:
        """Suspend."""
        if s3.get_bucket_versioning(Bucket=bucket).get("Status") == "Enabled":
            s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Suspended"})


class Encryption(Setting):
    """`aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration`."""

    serves = frozenset({"bucket", "rules"})

    def set(self, s3: Any, wished: Properties, /) -> None:
        """All rules."""
        rules = {"Rules": aws.pascal(wished["rules"], _ACRONYMS)}
        s3.put_bucket_encryption(Bucket=wished["bucket"], ServerSideEncryptionConfiguration=rules)

    def get(self, s3: Any, bucket: str, _wished: Properties, /) -> Properties | None:
        """All rules."""
        rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
        return {"rules": aws.camel(rules, _ACRONYMS)}

    def unset(self, s3: Any, bucket: str, /) -> None:
        """Back to what S3 does by itself."""
        s3.delete_bucket_encryption(Bucket=bucket)


class PublicAccessBlock(Setting):
    """`aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock`."""

    serves = frozenset({"bucket", *_BLOCKS})

    def set(self, s3: Any, wished: Properties, /) -> None:
        """All four; what the program does not say is off."""
        block = aws.pascal({key: bool(wished.get(key)) for key in _BLOCKS})
        s3.put_public_access_block(Bucket=wished["bucket"], PublicAccessBlockConfiguration=block)

    def get(self, s3: Any, bucket: str, _wished: Properties, /) -> Properties | None:
        """All four."""
        live: Properties = aws.camel(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"])
        return live

    def unset(self, s3: Any, bucket: str, /) -> None:
        """None of the four."""
        s3.delete_public_access_block(Bucket=bucket)


class OwnershipControls(Setting):
    """`aws:s3/bucketOwnershipControls:BucketOwnershipControls`."""

    serves = frozenset({"bucket", "rule"})

    def set(self, s3: Any, wished: Properties, /) -> None:
        """The one rule there is."""
        rules = {"Rules": [aws.pascal(wished["rule"])]}
        s3.put_bucket_ownership_controls(Bucket=wished["bucket"], OwnershipControls=rules)

    def get(self, s3: Any, bucket: str, _wished: Properties, /) -> Properties | None:
        """The one rule there is."""
        rules = s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"]["Rules"]
        return {"rule": aws.camel(rules[0])}

    def unset(self, s3: Any, bucket: str, /) -> None:
        """Back to S3's default."""
        s3.delete_bucket_ownership_controls(Bucket=bucket)


class Policy(Setting):
    """`aws:s3/bucketPolicy:BucketPolicy`."""

    serves = frozenset({"bucket", "policy"})

    def set(self, s3: Any, wished: Properties, /) -> None:
        """The whole document."""
        s3.put_bucket_policy(Bucket=wished["bucket"], Policy=wished["policy"])

    def get(self, s3: Any, bucket: str, wished: Properties, /) -> Properties | None:
        """The whole document."""
        live = s3.get_bucket_policy(Bucket=bucket)["Policy"]
        return {"policy": aws.document(live, wished.get("policy"))}

    def unset(self, s3: Any, bucket: str, /) -> None:
        """No policy."""
        s3.delete_bucket_policy(Bucket=bucket)
