"""The catalogue: a private, versioned, encrypted bucket with one readable object per policy, and the functions' zips.

A run reads its policy here and nowhere else, so that who may start a run cannot change what it does. Written with line
breaks, so that a preview shows a policy's change line by line.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.artefacts import stored
from infra.documents import as_json
from infra.names import FUNCTIONS, Names
from rotation.catalogue import object_key
from rotation.policy import Policy

_SPACES = 2


@dataclass(frozen=True, kw_only=True)
class CatalogueArgs:
    """`policies`: resolved. `data_key_arn`: encrypts the objects."""

    names: Names
    policies: Sequence[Policy]
    data_key_arn: Any


class Catalogue(pulumi.ComponentResource):
    """The bucket with its objects. Output: `bucket`."""

    def __init__(self, name: str, args: CatalogueArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:infra:Catalogue", name, None, opts)
        settings = args.names.settings
        self.bucket = aws.s3.Bucket(
            name,
            bucket=args.names.bucket,
            force_destroy=settings.local,
            opts=pulumi.ResourceOptions(parent=self, protect=settings.protects),
        )
        versioned = self._guard(name, args)
        # an object put before versioning is on would have no version
        child = pulumi.ResourceOptions(parent=self, depends_on=[versioned])
        for policy in args.policies:
            self._object(object_key(policy.name), child, content=readable(policy), content_type="application/json")
        for kind in FUNCTIONS:
            self._object(f"functions/{kind}.zip", child, source=stored(kind), content_type="application/zip")
        self.register_outputs({"bucket": self.bucket.bucket})

    def _guard(self, name: str, args: CatalogueArgs) -> aws.s3.BucketVersioning:
        child = pulumi.ResourceOptions(parent=self)
        bucket = self.bucket.bucket
        shut = dict.fromkeys(
            ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"), True
        )
        aws.s3.BucketPublicAccessBlock(name, bucket=bucket, **shut, opts=child)
        aws.s3.BucketOwnershipControls(
            name, bucket=bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=child
        )
        by_key = {"sse_algorithm": "aws:kms", "kms_master_key_id": args.data_key_arn}
        rule = {"apply_server_side_encryption_by_default": by_key, "bucket_key_enabled": True}
        aws.s3.BucketServerSideEncryptionConfiguration(name, bucket=bucket, rules=[rule], opts=child)
        aws.s3.BucketPolicy(name, bucket=bucket, policy=_encrypted_transport(args.names.bucket_arn), opts=child)
        enabled = {"status": "Enabled"}
        return aws.s3.BucketVersioning(name, bucket=bucket, versioning_configuration=enabled, opts=child)

    def _object(self, key: str, opts: pulumi.ResourceOptions, **inputs: Any) -> None:
        aws.s3.BucketObjectv2(key, bucket=self.bucket.bucket, key=key, opts=opts, **inputs)


def readable(policy: Policy) -> str:
    """The policy's document, one field a line; `rotation.policy.from_document` reads it alike."""
    return json.dumps(json.loads(policy.document()), indent=_SPACES, sort_keys=True) + "\n"


def _encrypted_transport(bucket_arn: str) -> pulumi.Output[str]:
    return as_json(
        [
            {
                "Sid": "OnlyOverTls",
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [bucket_arn, f"{bucket_arn}/*"],
                # plain http that never leaves the machine is the emulator's; no address of AWS is on loopback
                "Condition": {
                    "Bool": {"aws:SecureTransport": "false"},
                    "NotIpAddress": {"aws:SourceIp": ["127.0.0.0/8"]},
                },
            }
        ]
    )
