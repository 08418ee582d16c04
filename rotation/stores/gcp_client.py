"""The Secret Manager client as the runtime wants it, and the one translation of its exceptions.

Each call is given a deadline and `retry=None`, and gRPC's own retries are off: `rotation.calls` retries. What the
service says in an error is never quoted: only its code is.
"""

from __future__ import annotations

from typing import Any

import grpc
from google.api_core import exceptions
from google.auth import aws
from google.auth import exceptions as auth_exceptions
from google.cloud.secretmanager_v1 import SecretManagerServiceClient
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import SecretManagerServiceGrpcTransport
from google.rpc import error_details_pb2  # type: ignore[import-untyped]  # no stubs exist

from rotation.errors import Conflict, Denied, KeyturnError, NotFound, Refused, Throttled, Unavailable
from rotation.stores.gcp_api import DESTROYED

_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_OPTIONS = (("grpc.enable_retries", 0),)
# a local server is on this machine, whatever proxy the environment names
_NO_PROXY = ("grpc.enable_http_proxy", 0)
# How the service says that a version will not come back (seen by its users: external-secrets/external-secrets#4042,
# google-github-actions/get-secretmanager-secrets#268); a disabled one is said alike, with its own state.
_IN_DESTROYED_STATE = "in DESTROYED state"
_TABLE: tuple[tuple[tuple[type[Exception], ...], type[KeyturnError], str, str], ...] = (
    # an etag that is not the stored one, or a version that is not enabled: the adapter knows which it asked for
    ((exceptions.FailedPrecondition, exceptions.Aborted), Conflict, "gcp_precondition", ""),
    ((exceptions.NotFound,), NotFound, "gcp_not_found", "check that the secret is declared"),
    (
        (exceptions.Forbidden, exceptions.Unauthorized),
        Denied,
        "gcp_denied",
        "compare the service account's roles with what the program declares",
    ),
    (
        (exceptions.ServerError, exceptions.Cancelled, exceptions.RetryError),
        Unavailable,
        "gcp_unavailable",
        "wait; the state machine retries",
    ),
)


def plaintext_client(endpoint: str) -> SecretManagerServiceClient:
    """A client of a local server at `host:port`, without TLS or identity."""
    channel = grpc.insecure_channel(endpoint, options=(*_OPTIONS, _NO_PROXY))
    return SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=channel))


def federated_client(audience: str, service_account: str) -> SecretManagerServiceClient:
    """A client with the function's AWS role as identity (workload identity federation): no key exists anywhere.

    audience: `//iam.googleapis.com/projects/N/locations/global/workloadIdentityPools/P/providers/Q`.
    service_account: e-mail of the account to act as.
    """
    info = {
        "type": "external_account",
        "audience": audience,
        "subject_token_type": "urn:ietf:params:aws:token-type:aws4_request",
        "token_url": "https://sts.googleapis.com/v1/token",
        "service_account_impersonation_url": (
            f"https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/{service_account}:generateAccessToken"
        ),
        "credential_source": {
            "environment_id": "aws1",
            "regional_cred_verification_url": (
                "https://sts.{region}.amazonaws.com?Action=GetCallerIdentity&Version=2011-06-15"
            ),
        },
    }
    # not google.auth's loader of any kind of credentials, which calls several services at once to learn the project
    credentials = aws.Credentials.from_info(info, scopes=_SCOPES)  # type: ignore[no-untyped-call]
    channel = SecretManagerServiceGrpcTransport.create_channel(credentials=credentials, options=_OPTIONS)
    return SecretManagerServiceClient(transport=SecretManagerServiceGrpcTransport(channel=channel))


def translate(exc: Exception) -> KeyturnError | None:
    """Ours for an exception of the client library; None for anything that is a defect of this program."""
    if isinstance(exc, auth_exceptions.TransportError):
        return Unavailable("gcp_unreachable", "Google's token service did not answer", "check the network")
    if isinstance(exc, auth_exceptions.GoogleAuthError):
        return Denied("gcp_denied", f"no identity for Google ({type(exc).__name__})", "check the workload identity")
    return _of_api_error(exc) if isinstance(exc, exceptions.GoogleAPIError) else None


def _of_api_error(exc: Any) -> KeyturnError:
    said = f"Google answered {type(exc).__name__}"
    if isinstance(exc, exceptions.TooManyRequests):
        return Throttled("gcp_throttled", said, retry_after_s=_retry_after(exc))
    if isinstance(exc, exceptions.FailedPrecondition) and _IN_DESTROYED_STATE in str(exc.message):
        return Conflict(DESTROYED, said)
    for classes, ours, reason, remedy in _TABLE:
        if isinstance(exc, classes):
            return ours(reason, said, remedy)
    return Refused("gcp_refused", said)


def _retry_after(exc: Any) -> float | None:
    for detail in exc.details:
        if isinstance(detail, error_details_pb2.RetryInfo):
            return float(detail.retry_delay.ToTimedelta().total_seconds())
    return None
