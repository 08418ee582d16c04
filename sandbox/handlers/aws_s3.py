"""S3 buckets and objects. What is set *on* a bucket is in `aws_s3_settings.py`.

An object's bytes are the file's. Deleting an object, or a bucket that the program may empty, removes every version and
marker, as the real provider does. Deliberately not here: access control lists, which the ownership setting turns off.
"""

from __future__ import annotations

from typing import Any

from sandbox.handlers import assets
from sandbox.handlers import aws_calls as aws
from sandbox.handlers.contract import Properties
from sandbox.handlers.upsert import Upsert

# where S3 takes no location, and answers a repeated creation with success
_CLASSIC_REGION = "us-east-1"
_OURS_ALREADY = frozenset({"BucketAlreadyOwnedByYou"})


class Bucket(Upsert):
    """`aws:s3/bucket:Bucket`; the id is the name."""

    serves = frozenset({"bucket", "forceDestroy", "tags"})
    replace_on = frozenset({"bucket"})
    computed = frozenset({"arn", "bucketDomainName", "region"})
    named_by = "bucket"

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """Make the bucket if it is not there; then its tags, which S3 replaces as a whole."""
        s3, name = self._clients.of("s3"), str(wished["bucket"])
        region = s3.meta.region_name
        place = {} if region == _CLASSIC_REGION else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        aws.made(_OURS_ALREADY, s3.create_bucket, Bucket=name, **place)
        tags = wished.get("tags", {})
        if tags != self._tags(name):
            s3.delete_bucket_tagging(Bucket=name)
            if tags:
                s3.put_bucket_tagging(Bucket=name, Tagging={"TagSet": aws.listed(tags)})
        return name

    def look(self, id_: str, _wished: Properties, /) -> Properties | None:
        """Names and addresses."""
        s3 = self._clients.of("s3")
        if aws.found(s3.head_bucket, Bucket=id_) is None:
            return None
        return {
            "arn": f"arn:aws:s3:::{id_}",
            "bucket": id_,
            "bucketDomainName": f"{id_}.s3.amazonaws.com",
            "region": s3.meta.region_name,
            "tags": self._tags(id_),
        }

    def remove(self, id_: str, outputs: Properties, /) -> None:
        """Delete the bucket; with `forceDestroy` all objects before it, without it S3 refuses while there are any."""
        s3 = self._clients.of("s3")
        if aws.found(s3.head_bucket, Bucket=id_) is None:
            return
        if outputs.get("forceDestroy"):
            _empty(s3, id_)
        aws.found(s3.delete_bucket, Bucket=id_)

    def _tags(self, name: str) -> dict[str, str]:
        answer = aws.found(self._clients.of("s3").get_bucket_tagging, Bucket=name)
        return aws.unlisted(answer["TagSet"]) if answer else {}


class BucketObject(Upsert):
    """`aws:s3/bucketObjectv2:BucketObjectv2`; the id is `bucket/key`."""

    serves = frozenset({"bucket", "key", "content", "source", "contentType", "metadata"})
    replace_on = frozenset({"bucket", "key"})
    computed = frozenset({"arn", "etag", "versionId"})
    named_by = "key"

    def __init__(self, clients: aws.AwsClients) -> None:
        self._clients = clients

    def put(self, wished: Properties, /) -> str:
        """Write the object: on a versioned bucket a new version."""
        body = assets.content(wished["source"]) if "source" in wished else wished.get("content", "").encode()
        kind = {"ContentType": wished["contentType"]} if "contentType" in wished else {}
        said = wished.get("metadata", {})
        self._clients.of("s3").put_object(Bucket=wished["bucket"], Key=wished["key"], Body=body, Metadata=said, **kind)
        return f"{wished['bucket']}/{wished['key']}"

    def look(self, id_: str, _wished: Properties, /) -> Properties | None:
        """Etag and version of the newest version; None behind a delete marker."""
        bucket, _, key = id_.partition("/")
        answer = aws.found(self._clients.of("s3").head_object, Bucket=bucket, Key=key)
        return answer and {
            "arn": f"arn:aws:s3:::{id_}",
            "bucket": bucket,
            "key": key,
            "contentType": answer["ContentType"],
            **({"metadata": answer["Metadata"]} if answer.get("Metadata") else {}),
            "etag": answer["ETag"].strip('"'),
            "versionId": answer.get("VersionId", ""),
        }

    def remove(self, id_: str, _outputs: Properties, /) -> None:
        """Delete every version of the object."""
        bucket, _, key = id_.partition("/")
        s3 = self._clients.of("s3")
        if aws.found(s3.head_bucket, Bucket=bucket) is not None:
            _empty(s3, bucket, key)


def _empty(s3: Any, bucket: str, key: str = "") -> None:
    """Delete all versions and markers, of one key or of all."""
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=key):
        there = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        doomed = [
            {"Key": version["Key"], "VersionId": version["VersionId"]}
            for version in there
            if key in ("", version["Key"])
        ]
        if doomed:
            s3.delete_objects(Bucket=bucket, Delete={"Objects": doomed, "Quiet": True})
