"""Reaching a running server from another process: the real client over plaintext, and its switches.

For tests, the command and the resource handlers of the sandbox. The runtime has a client of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import grpc
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceGrpcTransport
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct

from sandbox.google.control import CONTROL_SERVICE

# The server is on loopback; longer means that it is not there.
_TIMEOUT_S = 5.0


def plaintext_client(endpoint: str) -> SecretManagerServiceClient:
    """The real client library on `endpoint` (`127.0.0.1:PORT`), without TLS or credentials. Close its transport."""
    channel = grpc.insecure_channel(endpoint)
    return SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=channel))


def set_switches(endpoint: str, **settings: Any) -> dict[str, Any]:
    """Set switches as `Control.set` names them; returns the present ones. grpc.RpcError for an unknown one."""
    return _ask(endpoint, "Set", settings)


def calls(endpoint: str, *, clear: bool = False) -> list[dict[str, str]]:
    """The calls the server has answered, in order: method, resource, code."""
    found: list[dict[str, str]] = _ask(endpoint, "Calls", {"clear": clear})["calls"]
    return found


def timed_calls(endpoint: str) -> list[dict[str, Any]]:
    """The same with `at`, the moment of each on the server's clock (epoch seconds)."""
    found: list[dict[str, Any]] = _ask(endpoint, "Calls", {"timed": True})["calls"]
    return found


def _ask(endpoint: str, method: str, settings: Mapping[str, Any]) -> dict[str, Any]:
    request = Struct()
    request.update(settings)
    with grpc.insecure_channel(endpoint) as channel:
        call = channel.unary_unary(
            f"/{CONTROL_SERVICE}/{method}",
            request_serializer=Struct.SerializeToString,
            response_deserializer=Struct.FromString,
        )
        return MessageToDict(call(request, timeout=_TIMEOUT_S))
