"""IAM as the function itself, STS as whoever holds the key that is shown, and what their refusals mean.

Clients are made on first use, so that looking at the class costs no SDK. IAM's client is kept for the life of the
process; STS's belongs to one key and is not.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Protocol

from rotation.errors import Conflict, Denied, KeyturnError, NotFound, Refused, Throttled, Unavailable

# IAM's own: the key or the user is not there, the user has its two keys, and what passes by itself.
_GONE, _FULL = "NoSuchEntity", "LimitExceeded"
_PASSING = frozenset({"ConcurrentModification", "EntityTemporarilyUnmodifiable", "ServiceFailure"})
# STS's only refusal that means: no such key, or one that is inactive. It gives a wrong secret another code, and a
# clock that differs the same one as a wrong secret.
UNKNOWN_KEY = "InvalidClientTokenId"


class Clients(Protocol):
    """Where the issuer gets its clients from: this module, but in tests."""

    def iam(self) -> Any:
        """IAM under the function's own role."""
        ...

    def sts(self, key_id: str, secret: str) -> Any:
        """STS as whoever holds this key."""
        ...


@cache
def iam() -> Any:
    """IAM under the function's own role."""
    from rotation import aws_client  # noqa: PLC0415 - imported on first use only

    return aws_client.client("iam")


def sts(key_id: str, secret: str) -> Any:
    """STS as whoever holds this key."""
    from rotation import aws_client  # noqa: PLC0415 - imported on first use only

    return aws_client.client_of("sts", key_id=key_id, secret=secret)


def code_of(exc: Exception) -> str:
    """The service's own code of a refusal; "" for anything that is none."""
    answer = getattr(exc, "response", {})
    return str(answer.get("Error", {}).get("Code", ""))


def translate(exc: Exception) -> KeyturnError | None:
    """Ours for a vendor exception, named as every target's are; None for a defect of this program."""
    from rotation import aws_client  # noqa: PLC0415 - imported on first use only

    code = code_of(exc)
    if code == _GONE:
        return NotFound("key_gone", "IAM has no such key or user", "look at the user's keys in IAM")
    if code == _FULL:
        return Conflict("keys_full", "the user has as many keys as IAM allows")
    if code in _PASSING:
        return Unavailable("target_unavailable", f"IAM answered {code}", "wait; the state machine retries")
    ours = aws_client.translate(exc)
    return _as_target(ours) if ours else None


def _as_target(ours: KeyturnError) -> KeyturnError:
    reason = ours.reason.replace("aws_", "target_", 1)
    if isinstance(ours, Throttled):
        return Throttled(reason, ours.message, ours.remedy, retry_after_s=ours.retry_after_s)
    for kind in (Unavailable, Denied, NotFound, Conflict, Refused):
        if isinstance(ours, kind):
            return kind(reason, ours.message, ours.remedy)
    return ours
