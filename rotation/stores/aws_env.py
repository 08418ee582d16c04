"""Builds the AWS adapter from a function's environment: region and credentials are the function's own."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from rotation import aws_client
from rotation.calls import Breaker, Meter
from rotation.environment import caller
from rotation.stores.aws import AwsStore


@cache
def _client() -> Any:
    return aws_client.client("secretsmanager")


def from_env(environment: Mapping[str, str], meter: Meter, breaker: Breaker) -> AwsStore:
    """A store ready to use; the client is kept for the life of the process."""
    del environment  # boto3 reads region and endpoint itself
    return AwsStore(_client(), caller("secretsmanager", meter, breaker))
