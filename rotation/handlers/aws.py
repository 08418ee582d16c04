"""The function of AWS Secrets Manager: the machines' phases, and AWS's own four-step RotateSecret contract."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from rotation.handlers import quick_start
from rotation.handlers.native import NativeRotation, is_native
from rotation.handlers.store_phases import StoreFunction
from rotation.stores.aws import AwsStore
from rotation.stores.aws_env import from_env


@cache
def _function() -> StoreFunction[AwsStore]:
    return StoreFunction(from_env)


@cache
def _native() -> NativeRotation:
    return NativeRotation(_function(), _function().catalogue)


def handle(event: Mapping[str, Any], context: Any) -> Any:
    """Lambda's entry point."""
    if is_native(event):
        return _native().handle(event, context.aws_request_id)
    return _function().handle(event, context.aws_request_id)


quick_start.done()
