"""The hvac client as the runtime wants it, and the one translation of its exceptions.

hvac drops the headers of an answer, so its adapter is extended to keep `Retry-After`. Timeouts are set; hvac and
requests do not retry by themselves. What Vault says in an error is never quoted: only its class is.
"""

from __future__ import annotations

from typing import Any

import hvac
import requests
from hvac import exceptions
from hvac.adapters import JSONAdapter

from rotation.calls import CONNECT_TIMEOUT_S, READ_TIMEOUT_S
from rotation.errors import Conflict, Denied, KeyturnError, NotFound, Refused, Throttled, Unavailable

# The one 400 that is not a mistake of ours: somebody wrote first (KV v2 API documentation, "Create/Update Secret").
_CAS_MISMATCH = "check-and-set parameter did not match"
# A mount that has just been made or upgraded answers 400 for a moment.
_UPGRADING = "Upgrading from non-versioned to versioned"
_TABLE: tuple[tuple[tuple[type[Exception], ...], type[KeyturnError], str, str], ...] = (
    (
        (exceptions.Forbidden, exceptions.Unauthorized),
        Denied,
        "vault_denied",
        "compare the role's policy with what the program declares",
    ),
    ((exceptions.InvalidPath,), NotFound, "vault_not_found", "check that the mount and the path are declared"),
    (
        (
            exceptions.InternalServerError,
            exceptions.VaultNotInitialized,
            exceptions.BadGateway,
            exceptions.VaultDown,
            exceptions.PreconditionFailed,
        ),
        Unavailable,
        "vault_unavailable",
        "wait; the state machine retries",
    ),
)


class _Adapter(JSONAdapter):  # type: ignore[misc]  # hvac has no types
    def _raise_for_error(self, method: str, url: str, response: requests.Response) -> None:
        try:
            super()._raise_for_error(method, url, response)
        except exceptions.VaultError as exc:
            exc.retry_after = response.headers.get("Retry-After", "")
            raise


def client(address: str, *, namespace: str | None = None, verify: bool | str = True) -> Any:
    """A client without a token; `verify` is True or the path of a CA bundle. hvac's own variables are not read."""
    return hvac.Client(
        url=address,
        # an empty token, because None makes hvac look in VAULT_TOKEN and in the home directory
        token="",
        namespace=namespace,
        verify=verify,
        timeout=(CONNECT_TIMEOUT_S, READ_TIMEOUT_S),
        adapter=_Adapter,
    )


def translate(exc: Exception) -> KeyturnError | None:
    """Ours for an exception of hvac or requests; None for anything that is a defect of this program."""
    if isinstance(exc, requests.RequestException):
        said = f"Vault did not answer ({type(exc).__name__})"
        return Unavailable("vault_unreachable", said, "check address, network and certificate")
    if isinstance(exc, exceptions.VaultError):
        return _of_vault_error(exc)
    return None


def _of_vault_error(exc: Any) -> KeyturnError:
    said = f"Vault answered {type(exc).__name__}"
    if isinstance(exc, exceptions.RateLimitExceeded):
        return Throttled("vault_throttled", said, retry_after_s=_seconds(getattr(exc, "retry_after", "")))
    if isinstance(exc, exceptions.InvalidRequest):
        return _of_invalid_request(exc, said)
    if "sealed" in _told(exc):
        return Unavailable("vault_sealed", "Vault is sealed", "unseal it; the run goes on by itself")
    for classes, ours, reason, remedy in _TABLE:
        if isinstance(exc, classes):
            return ours(reason, said, remedy)
    return Refused("vault_refused", said)


def _of_invalid_request(exc: Any, said: str) -> KeyturnError:
    told = _told(exc)
    if _CAS_MISMATCH in told:
        return Conflict("vault_version_conflict", "the path's version is not the expected one; nothing was written")
    if _UPGRADING in told:
        return Unavailable("vault_upgrading", "the mount is being upgraded to versions", "wait")
    return Refused("vault_refused", said)


def _told(exc: Any) -> str:
    return " ".join(str(error) for error in exc.errors or ())


def _seconds(header: str) -> float | None:
    return float(header) if header.replace(".", "", 1).isdigit() else None
