"""boto3 clients as every part of the runtime wants them, and the one translation of their exceptions.

Vendor retries are off (`rotation.calls` retries), timeouts are set, the botocore loggers stay at WARNING whatever
LOG_LEVEL says: at DEBUG they print request and response bodies, values included.
"""

from __future__ import annotations

from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from rotation.calls import CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from rotation.errors import Conflict, Denied, KeyturnError, NotFound, Refused, Throttled, Unavailable

_CONFIG = Config(
    connect_timeout=CONNECT_TIMEOUT_S,
    read_timeout=READ_TIMEOUT_S,
    retries={"mode": "standard", "total_max_attempts": 1},
)

_THROTTLED = frozenset(
    {
        "ThrottlingException",
        "Throttling",
        "TooManyRequestsException",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "SlowDown",
        # DynamoDB: the same request, under its token, is still at work
        "TransactionInProgressException",
    }
)
# Why DynamoDB cancels a transaction that nothing is wrong with: another one was at work on one of its rows (every step
# of every run checks the row of the kill switch), or too much came at once. Nothing was written.
_CANCELLED_FOR_NOW = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_CONDITION = "ConditionalCheckFailed"
_DENIED = frozenset(
    {
        "AccessDeniedException",
        "AccessDenied",
        "UnrecognizedClientException",
        "ExpiredTokenException",
        "InvalidClientTokenId",
    }
)
# A HeadObject that finds nothing has no body to say more than its status in.
_MISSING = frozenset({"404", "ResourceNotFoundException", "NoSuchKey", "NoSuchBucket", "ExecutionDoesNotExist"})
_CONFLICT = frozenset({"ResourceExistsException", "ConditionalCheckFailedException", "ExecutionAlreadyExists"})
# The status from which an answer says that the service, not the request, is at fault.
_SERVER_FAULT = 500


def client(service: str, *, read_timeout_s: int = READ_TIMEOUT_S) -> Any:
    """A client of `service`; region, credentials and endpoint come from the function's environment, as AWS sets it."""
    return boto3.client(service, config=_CONFIG.merge(Config(read_timeout=read_timeout_s)))


def client_of(service: str, *, key_id: str, secret: str) -> Any:
    """A client of `service` for somebody else's access key: nothing of the function's own identity is in its calls."""
    return boto3.client(service, config=_CONFIG, aws_access_key_id=key_id, aws_secret_access_key=secret)


def translate(exc: Exception) -> KeyturnError | None:
    """Ours for a vendor exception; None for anything that is a defect of this program. Never quotes a request."""
    if isinstance(exc, ClientError):
        return _of_client_error(exc)
    if isinstance(exc, BotoCoreError):
        return Unavailable(
            "aws_unreachable", f"AWS did not answer ({type(exc).__name__})", "check network and endpoint"
        )
    return None


def _of_client_error(exc: ClientError) -> KeyturnError:
    code = str(exc.response.get("Error", {}).get("Code", "Unknown"))
    metadata = exc.response.get("ResponseMetadata", {})
    said = f"AWS answered {code} to {exc.operation_name}"
    if code in _THROTTLED or _cancelled_for_now(exc):
        return Throttled("aws_throttled", said, retry_after_s=_retry_after(metadata.get("HTTPHeaders", {})))
    if code in _DENIED:
        return Denied("aws_denied", said, "compare the function's role with `keyturn doctor`")
    if code in _MISSING:
        return NotFound("aws_not_found", said)
    if code in _CONFLICT:
        return Conflict("aws_conflict", said)
    if int(metadata.get("HTTPStatusCode", 0)) >= _SERVER_FAULT:
        return Unavailable("aws_unavailable", said, "wait; the state machine retries")
    return Refused("aws_refused", said)


def _cancelled_for_now(exc: ClientError) -> bool:
    """A cancelled transaction that may pass when repeated; a condition that did not hold is an answer instead."""
    reasons = {str(reason.get("Code")) for reason in exc.response.get("CancellationReasons", ())}
    return bool(reasons & _CANCELLED_FOR_NOW) and _CONDITION not in reasons


def _retry_after(headers: dict[str, str]) -> float | None:
    raw = headers.get("retry-after", "")
    return float(raw) if raw.replace(".", "", 1).isdigit() else None
