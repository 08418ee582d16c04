"""The sandbox's Google server without its wire: the same calls, switches and journal, behind the client's method names.

So the model cannot differ from the server that the integration tests use: no etag on an add, aliases by etag, version
states, checksums, lag. What it pretends: no gRPC, no deadline, no identity. Requests are the dictionaries that the
client library takes; answers are its own types, errors its own exceptions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn

import grpc
from google.api_core import exceptions
from google.cloud.secretmanager_v1.types import resources, service

from sandbox.google.methods import SERVICE_NAME
from sandbox.google.server import GoogleServer

# method of the client, RPC, request, answer
_CALLS: tuple[tuple[str, str, Any, Any], ...] = (
    ("create_secret", "CreateSecret", service.CreateSecretRequest, resources.Secret),
    ("get_secret", "GetSecret", service.GetSecretRequest, resources.Secret),
    ("update_secret", "UpdateSecret", service.UpdateSecretRequest, resources.Secret),
    ("add_secret_version", "AddSecretVersion", service.AddSecretVersionRequest, resources.SecretVersion),
    ("get_secret_version", "GetSecretVersion", service.GetSecretVersionRequest, resources.SecretVersion),
    (
        "access_secret_version",
        "AccessSecretVersion",
        service.AccessSecretVersionRequest,
        service.AccessSecretVersionResponse,
    ),
    ("enable_secret_version", "EnableSecretVersion", service.EnableSecretVersionRequest, resources.SecretVersion),
    ("disable_secret_version", "DisableSecretVersion", service.DisableSecretVersionRequest, resources.SecretVersion),
    ("destroy_secret_version", "DestroySecretVersion", service.DestroySecretVersionRequest, resources.SecretVersion),
)
_LIST = service.ListSecretVersionsRequest
_ANSWER_TO_LIST = service.ListSecretVersionsResponse


@dataclass(frozen=True)
class _Details:
    """What gRPC tells a handler of the call."""

    method: str
    invocation_metadata: tuple[()] = ()


class _Refused(Exception):
    """The status that the server aborted the call with."""

    def __init__(self, status: Any) -> None:
        super().__init__(status.details)
        self.status = status


class _Call(grpc.RpcError, grpc.Call):  # type: ignore[misc]  # the answer to a call, as a channel raises it
    def __init__(self, status: Any) -> None:
        self.status = status

    def code(self) -> grpc.StatusCode:
        return self.status.code

    def details(self) -> str:
        return str(self.status.details)

    def trailing_metadata(self) -> Any:
        return self.status.trailing_metadata


class _Context:
    """The part of a servicer's context that the server uses."""

    def invocation_metadata(self) -> tuple[()]:
        return ()

    def abort_with_status(self, status: Any) -> NoReturn:
        raise _Refused(status)


class GoogleClient:
    """Looks like a `SecretManagerServiceClient` of `server`, which need not listen anywhere."""

    def __init__(self, server: GoogleServer) -> None:
        self._handler = server._front.handler()  # the wire is what is left out
        self._calls = {
            name: partial(self._ask, self._method(rpc), request.pb(), answer) for name, rpc, request, answer in _CALLS
        }
        self._list = self._method("ListSecretVersions")

    def __getattr__(self, name: str) -> Any:
        if name not in self._calls:
            raise AttributeError(name)
        return self._calls[name]

    def list_secret_versions(self, request: Mapping[str, Any], **_: Any) -> Any:
        """One page is all: the versions, newest first."""
        return self._ask(self._list, _LIST.pb(), _ANSWER_TO_LIST, request).versions

    def _method(self, rpc: str) -> Any:
        found = self._handler.service(_Details(f"/{SERVICE_NAME}/{rpc}"))
        if found is None:
            raise LookupError(rpc)
        return found

    @staticmethod
    def _ask(method: Any, kind: Any, answer: Any, request: Mapping[str, Any], **_: Any) -> Any:
        try:
            encoded: bytes = method.unary_unary(kind(**request), _Context())
        except _Refused as exc:
            error: Exception = exceptions.from_grpc_error(_Call(exc.status))  # type: ignore[no-untyped-call]
            raise error from None
        return answer.deserialize(encoded)
