"""A policy of the deployed catalogue changed for a while, so that runs that begin meanwhile follow it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from runs_stack import BUCKET, Stack

Policy = dict[str, Any]


@contextmanager
def altered(stack: Stack, secret: str, alter: Callable[[Policy], None]) -> Iterator[None]:
    """The policy of `secret` as `alter` leaves it; put back as it was."""
    declared = _catalogued(stack, secret)
    policy = json.loads(declared)
    alter(policy)
    _catalogue(stack, secret, json.dumps(policy, sort_keys=True, separators=(",", ":")))
    try:
        yield
    finally:
        _catalogue(stack, secret, declared)


@contextmanager
def timed(stack: Stack, secret: str, *, overlap_s: int, warm_up_s: int = 0) -> Iterator[None]:
    """The same for the two lengths of time that a policy has."""
    with altered(stack, secret, lambda policy: policy.update(overlap_s=overlap_s, warm_up_s=warm_up_s)):
        yield


def _catalogued(stack: Stack, secret: str) -> str:
    found: Any = stack.aws("s3").get_object(Bucket=BUCKET, Key=f"policies/{secret}.json")
    return str(found["Body"].read().decode())


def _catalogue(stack: Stack, secret: str, document: str) -> None:
    stack.aws("s3").put_object(Bucket=BUCKET, Key=f"policies/{secret}.json", Body=document.encode())
