"""The consumer library: a secret that stays current in a running service, without a restart.

Importable alone, on the standard library (and `cryptography` where events are heard): SDKs of stores, drivers and
queues are imported by the one module that adapts them. Guide: docs/client.md.
"""

from __future__ import annotations

from keyturn.client.acknowledge import Acknowledger
from keyturn.client.aio import AsyncSecretCache
from keyturn.client.cache import SecretCache
from keyturn.client.errors import ClientError, Missing, Unavailable, Unheard
from keyturn.client.value import Held, Value

__all__ = [
    "Acknowledger",
    "AsyncSecretCache",
    "ClientError",
    "Held",
    "Missing",
    "SecretCache",
    "Unavailable",
    "Unheard",
    "Value",
]
