"""A boto3 client of the embedded cloud's administrator."""

from __future__ import annotations

from typing import Any

import boto3

from sandbox.facts import Facts


def administrator(facts: Facts, service: str) -> Any:
    """For `service` as boto3 names it; the emulator knows the administrator by a fixed pair."""
    return boto3.client(
        service,
        endpoint_url=facts.aws_endpoint,
        region_name=facts.aws_region,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - the emulator's own
    )
