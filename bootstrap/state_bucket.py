"""The bucket of Pulumi's state: private, encrypted with its own key, every version kept, never deleted by accident.

No rule removes old versions: a state is small, and the one from before a mistake is what is looked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from infra.bucket_guard import declare_guard
from infra.names import Names


@dataclass(frozen=True, kw_only=True)
class StateBucketArgs:
    """`key_arn`: encrypts the objects."""

    names: Names
    key_arn: Any


class StateBucket(pulumi.ComponentResource):
    """The bucket. Output: `bucket`, once its versions are kept."""

    def __init__(self, name: str, args: StateBucketArgs, opts: pulumi.ResourceOptions) -> None:
        super().__init__("keyturn:bootstrap:StateBucket", name, None, opts)
        full = bucket_name(args.names)
        bucket = aws.s3.Bucket(name, bucket=full, opts=pulumi.ResourceOptions(parent=self, protect=True))
        versioned = declare_guard(name, bucket.bucket, bucket_arn(args.names), args.key_arn, self)
        self.bucket = versioned.bucket
        self.register_outputs({"bucket": self.bucket})


def bucket_name(names: Names) -> str:
    """The account makes it unique in the world."""
    return names.bootstrapped(f"state-{names.settings.aws_account}")


def bucket_arn(names: Names) -> str:
    """The bucket, computed."""
    return f"arn:aws:s3:::{bucket_name(names)}"


def backend_url(names: Names) -> str:
    """What `pulumi login` takes."""
    return f"s3://{bucket_name(names)}?region={names.settings.region}"
