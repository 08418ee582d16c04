"""Builds the Google adapter from a function's environment; nothing else of it reads variables.

KEYTURN_GOOGLE_ENDPOINT (`host:port`, plaintext: local only) or else KEYTURN_GOOGLE_IDENTITY, JSON with `audience` and
`service_account`, is required.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from functools import cache

from google.cloud.secretmanager_v1 import SecretManagerServiceClient

from rotation.calls import Breaker, Caller, Meter
from rotation.errors import Refused
from rotation.stores import gcp_client
from rotation.stores.gcp import GcpStore
from rotation.stores.gcp_api import Api


def from_env(environment: Mapping[str, str], meter: Meter, breaker: Breaker) -> GcpStore:
    """A store ready to use; its channel is kept for the life of the process. Refused `configuration` otherwise."""
    caller = Caller("gcp", translate=gcp_client.translate, meter=meter, breaker=breaker, sleep=time.sleep)
    endpoint, identity = environment.get("KEYTURN_GOOGLE_ENDPOINT"), environment.get("KEYTURN_GOOGLE_IDENTITY")
    return GcpStore(Api(_client(endpoint, identity), caller))


@cache
def _client(endpoint: str | None, identity: str | None) -> SecretManagerServiceClient:
    if endpoint:
        return gcp_client.plaintext_client(endpoint)
    try:
        told = json.loads(identity or "")
        return gcp_client.federated_client(told["audience"], told["service_account"])
    except (KeyError, TypeError, ValueError) as exc:
        raise Refused(
            "configuration",
            "KEYTURN_GOOGLE_IDENTITY must be JSON with audience and service_account",
            "deploy the function from the program",
        ) from exc
