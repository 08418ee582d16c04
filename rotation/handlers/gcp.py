"""The function of Google Secret Manager: the machines' phases."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from rotation.handlers import quick_start
from rotation.handlers.store_phases import StoreFunction
from rotation.stores.gcp import GcpStore
from rotation.stores.gcp_env import from_env


@cache
def _function() -> StoreFunction[GcpStore]:
    return StoreFunction(from_env)


def handle(event: Mapping[str, Any], context: Any) -> Any:
    """Lambda's entry point."""
    return _function().handle(event, context.aws_request_id)


quick_start.done()
