"""What makes a bucket fit to keep what others rely on: no public access, one owner, own key, TLS only, versions.

Apart from the buckets themselves, so that the catalogue and the bucket of the stacks' state are guarded alike.
"""

from __future__ import annotations

from typing import Any

import pulumi
import pulumi_aws as aws

from infra.documents import as_json


def declare_guard(
    name: str, bucket: Any, bucket_arn: str, key_arn: Any, parent: pulumi.Resource
) -> aws.s3.BucketVersioning:
    """Guard `bucket`; what is put in should depend on the versioning that is returned."""
    child = pulumi.ResourceOptions(parent=parent)
    shut = dict.fromkeys(
        ("block_public_acls", "block_public_policy", "ignore_public_acls", "restrict_public_buckets"), True
    )
    aws.s3.BucketPublicAccessBlock(name, bucket=bucket, **shut, opts=child)
    aws.s3.BucketOwnershipControls(name, bucket=bucket, rule={"object_ownership": "BucketOwnerEnforced"}, opts=child)
    by_key = {"sse_algorithm": "aws:kms", "kms_master_key_id": key_arn}
    rule = {"apply_server_side_encryption_by_default": by_key, "bucket_key_enabled": True}
    aws.s3.BucketServerSideEncryptionConfiguration(name, bucket=bucket, rules=[rule], opts=child)
    aws.s3.BucketPolicy(name, bucket=bucket, policy=_encrypted_transport(bucket_arn), opts=child)
    enabled = {"status": "Enabled"}
    return aws.s3.BucketVersioning(name, bucket=bucket, versioning_configuration=enabled, opts=child)


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
