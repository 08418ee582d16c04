"""A policy of the deployed catalogue changed for a while, so that runs that begin meanwhile follow it.

Whoever writes here is the deployment: the policy is sealed as the program seals it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from runs_stack import BUCKET, PREFIX, Stack

from rotation.policy import from_document
from rotation.seal import METADATA, context

Policy = dict[str, Any]


@contextmanager
def altered(stack: Stack, secret: str, alter: Callable[[Policy], None]) -> Iterator[None]:
    """The policy of `secret` as `alter` leaves it; put back as it was."""
    declared = _catalogued(stack, secret)
    rewrite(stack, secret, alter)
    try:
        yield
    finally:
        _catalogue(stack, secret, declared)


@contextmanager
def timed(stack: Stack, secret: str, *, overlap_s: int, warm_up_s: int = 0) -> Iterator[None]:
    """The same for the two lengths of time that a policy has."""
    with altered(stack, secret, lambda policy: policy.update(overlap_s=overlap_s, warm_up_s=warm_up_s)):
        yield


def rewrite(stack: Stack, secret: str, alter: Callable[[Policy], None]) -> None:
    """Leave the policy of `secret` as `alter` does."""
    policy = json.loads(_catalogued(stack, secret))
    alter(policy)
    _catalogue(stack, secret, json.dumps(policy, sort_keys=True, separators=(",", ":")))


def _catalogued(stack: Stack, secret: str) -> str:
    found: Any = stack.aws("s3").get_object(Bucket=BUCKET, Key=f"policies/{secret}.json")
    return str(found["Body"].read().decode())


def _catalogue(stack: Stack, secret: str, document: str) -> None:
    digest, bound = from_document(document).digest().encode(), context("local", secret)
    sealed = stack.aws("kms").encrypt(KeyId=f"alias/{PREFIX}-catalogue", Plaintext=digest, EncryptionContext=bound)
    stack.aws("s3").put_object(
        Bucket=BUCKET,
        Key=f"policies/{secret}.json",
        Body=document.encode(),
        Metadata={METADATA: base64.b64encode(sealed["CiphertextBlob"]).decode()},
    )
