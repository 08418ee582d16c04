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
from infra.bucket_guard import declare_guard
from infra.names import FUNCTIONS, Names
from rotation.catalogue import INDEX, PLACES, object_key, places
from rotation.policy import Policy
from rotation.seal import METADATA, context

_SPACES = 2


@dataclass(frozen=True, kw_only=True)
class CatalogueArgs:
    """`policies`: resolved. `data_key_arn` encrypts the objects; with `seal_key_arn` only a deployment does."""

    names: Names
    policies: Sequence[Policy]
    data_key_arn: Any
    seal_key_arn: Any


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
        versioned = declare_guard(name, self.bucket.bucket, args.names.bucket_arn, args.data_key_arn, self)
        # an object put before versioning is on would have no version
        child = pulumi.ResourceOptions(parent=self, depends_on=[versioned])
        for policy in args.policies:
            body = {"content": readable(policy), "content_type": "application/json"}
            self._object(object_key(policy.name), child, metadata={METADATA: self._seal(args, policy)}, **body)
        self._object(INDEX, child, content=index(args.policies), content_type="text/plain")
        self._object(PLACES, child, content=places(args.policies), content_type="text/plain")
        for kind in FUNCTIONS:
            self._object(f"functions/{kind}.zip", child, source=stored(kind), content_type="application/zip")
        self.register_outputs({"bucket": self.bucket.bucket})

    def _seal(self, args: CatalogueArgs, policy: Policy) -> pulumi.Output[str]:
        """The policy's digest under the seal key: a function refuses a policy that anybody else wrote."""
        bound = context(args.names.settings.stack, policy.name)
        sealed = aws.kms.Ciphertext(
            f"seal-{policy.name}",
            key_id=args.seal_key_arn,
            plaintext=policy.digest(),
            context=bound,
            opts=pulumi.ResourceOptions(parent=self),
        )
        # nobody has to hide a seal, nor the object that carries it
        return pulumi.Output.unsecret(sealed.ciphertext_blob)

    def _object(self, key: str, opts: pulumi.ResourceOptions, **inputs: Any) -> None:
        aws.s3.BucketObjectv2(key, bucket=self.bucket.bucket, key=key, opts=opts, **inputs)


def readable(policy: Policy) -> str:
    """The policy's document, one field a line; `rotation.policy.from_document` reads it alike."""
    return json.dumps(json.loads(policy.document()), indent=_SPACES, sort_keys=True) + "\n"


def index(policies: Sequence[Policy]) -> str:
    """One line per policy, name and digest: by it the sweep finds out what is new, changed or gone."""
    return "".join(f"{policy.name} {policy.digest()}\n" for policy in sorted(policies, key=lambda one: one.name))
