"""How the server says no: one exception with the service's gRPC code, its wording, and rich error details.

The details (`ErrorInfo`, `RetryInfo`) travel as the service's own do, in `grpc-status-details-bin`, so that the client
library parses them (AIP-193). Messages name resources, never a payload.
"""

from __future__ import annotations

from typing import Any

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2  # type: ignore[import-untyped]
from grpc_status import rpc_status  # type: ignore[import-untyped]

SERVICE = "secretmanager.googleapis.com"
_MILLIS_PER_SECOND = 1000


class Refusal(Exception):
    """A call that ends with a gRPC status instead of an answer."""

    def __init__(self, code: grpc.StatusCode, message: str, *details: Message) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details

    def status(self) -> Any:
        """The status as `ServicerContext.abort_with_status` takes it, details packed."""
        packed = []
        for detail in self.details:
            box = AnyMessage()
            box.Pack(detail)
            packed.append(box)
        number = code_pb2.Code.Value(self.code.name)
        return rpc_status.to_status(status_pb2.Status(code=number, message=self.message, details=packed))


def not_found(message: str) -> Refusal:
    """NOT_FOUND: the secret, version or alias is not there."""
    return Refusal(grpc.StatusCode.NOT_FOUND, message)


def invalid(message: str) -> Refusal:
    """INVALID_ARGUMENT: wrong whatever the state is."""
    return Refusal(grpc.StatusCode.INVALID_ARGUMENT, message)


def precondition(message: str) -> Refusal:
    """FAILED_PRECONDITION: wrong in the present state (version state, etag)."""
    return Refusal(grpc.StatusCode.FAILED_PRECONDITION, message)


def unimplemented(message: str) -> Refusal:
    """UNIMPLEMENTED: the real service can do this, the sandbox says that it cannot rather than pretending."""
    return Refusal(grpc.StatusCode.UNIMPLEMENTED, f"{message} is not in the sandbox; see sandbox/google/ASSUMPTIONS.md")


def denied(permission: str, resource: str) -> Refusal:
    """PERMISSION_DENIED with `ErrorInfo`; the wording is an assumption (ASSUMPTIONS.md)."""
    return Refusal(
        grpc.StatusCode.PERMISSION_DENIED,
        f"Permission '{permission}' denied for resource '{resource}' (or it may not exist).",
        error_details_pb2.ErrorInfo(
            reason="IAM_PERMISSION_DENIED",
            domain="iam.googleapis.com",
            metadata={"permission": permission, "resource": resource},
        ),
    )


def exhausted(metric: str, limit: str, retry_after_s: float) -> Refusal:
    """RESOURCE_EXHAUSTED with `RetryInfo`; wording as in googleapis/repo-automation-bots#4469."""
    delay = Duration()
    delay.FromMilliseconds(round(retry_after_s * _MILLIS_PER_SECOND))
    return Refusal(
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        f"Quota exceeded for quota metric '{metric}' and limit '{limit}' of service '{SERVICE}'.",
        error_details_pb2.ErrorInfo(
            reason="RATE_LIMIT_EXCEEDED", domain="googleapis.com", metadata={"service": SERVICE}
        ),
        error_details_pb2.RetryInfo(retry_delay=delay),
    )
