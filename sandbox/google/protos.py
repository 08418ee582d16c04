"""The client library's own message types, as raw protobuf classes, so that the wire is the real one by construction.

proto-plus hands out the class behind each wrapper with `.pb()`; raw messages are what `CopyFrom`, `HasField` and
field masks work on. proto-plus is untyped, hence the named `Any` aliases: they say which message a function takes.
"""

from __future__ import annotations

from typing import Any, TypeAlias

from google.cloud.secretmanager_v1.types import resources, service
from google.protobuf.timestamp_pb2 import Timestamp

SecretMessage: TypeAlias = Any
VersionMessage: TypeAlias = Any
PolicyMessage: TypeAlias = Any
Request: TypeAlias = Any
Response: TypeAlias = Any

Secret: Any = resources.Secret.pb()
SecretVersion: Any = resources.SecretVersion.pb()
ListSecretsResponse: Any = service.ListSecretsResponse.pb()
ListSecretVersionsResponse: Any = service.ListSecretVersionsResponse.pb()
AccessSecretVersionResponse: Any = service.AccessSecretVersionResponse.pb()

ENABLED = int(resources.SecretVersion.State.ENABLED)
DISABLED = int(resources.SecretVersion.State.DISABLED)
DESTROYED = int(resources.SecretVersion.State.DESTROYED)

_MICROS = 1_000_000


def state_name(version: VersionMessage) -> str:
    """`ENABLED`, `DISABLED` or `DESTROYED`."""
    return str(resources.SecretVersion.State(version.state).name)


def timestamp(epoch_s: float) -> Timestamp:
    """Seconds since the epoch as the service's timestamp, to the microsecond."""
    stamp = Timestamp()
    stamp.FromMicroseconds(round(epoch_s * _MICROS))
    return stamp
