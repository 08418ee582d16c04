"""Signing and verifying webhooks with several keys at once, as Standard Webhooks 1.0.0 has it (symmetric, `v1`).

A sender signs with every key it has, a receiver tries every key it has: one in common is enough, which is what makes a
rotation without loss possible. Stricter than the specification's examples in what could be forged with: an id with a
full stop is refused (the signed content would have two readings), so is a timestamp that is not plain digits. More
lenient nowhere. Not here: remembering ids, which needs a memory that all receivers share; and asymmetric signatures
(`v1a`), which are passed over, as every unknown version is.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

PREFIX = "whsec_"
# The specification: at least 24 bytes, 64 at most.
LEAST_KEY_BYTES, MOST_KEY_BYTES = 24, 64
# Seconds between an attempt's timestamp and now, either way; the reference implementations have the same.
TOLERANCE_S = 300
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
_VERSION = "v1"
# One way to write each number, so that nothing that is signed can be changed; seconds of any year up to 9999 fit.
_DIGITS = re.compile(r"0|[1-9][0-9]{0,11}", re.ASCII)
# What is left of printable ASCII without space and full stop, at a length that a header and a memory of ids can bear.
_IDENTIFIER = re.compile(r"[!-\-/-~]{1,256}", re.ASCII)


class Unverified(Exception):
    """A webhook that is not accepted. `reason` is one of the slugs that `verify` names; nothing of it is quoted."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """One attempt to deliver: id (the same for every attempt), timestamp in epoch seconds, and the body's bytes."""

    id: str
    timestamp: int
    body: bytes = field(repr=False)


def encode_key(key: bytes) -> str:
    """A key as people hand it on: `whsec_` and base64."""
    return PREFIX + base64.b64encode(key).decode("ascii")


def decode_key(text: str) -> bytes:
    """The bytes of a key. ValueError, without quoting it, when it is none."""
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if not text.startswith(PREFIX) or not LEAST_KEY_BYTES <= len(key) <= MOST_KEY_BYTES:
        raise ValueError(f"a key is `{PREFIX}` and base64 of {LEAST_KEY_BYTES} to {MOST_KEY_BYTES} bytes")
    return key


def sign(keys: Sequence[bytes], webhook: Webhook) -> dict[str, str]:
    """The three headers, with one signature for each key. ValueError for an id that no receiver should take."""
    if not _IDENTIFIER.fullmatch(webhook.id):
        raise ValueError("an id is printable ASCII without spaces and full stops")
    signatures = [f"{_VERSION},{base64.b64encode(_mac(key, webhook)).decode('ascii')}" for key in keys]
    return {ID: webhook.id, TIMESTAMP: str(webhook.timestamp), SIGNATURE: " ".join(signatures)}


def verify(keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now: float) -> tuple[Webhook, int]:
    """The webhook, and which of `keys` it is signed with (the first). `headers` by lower-case name.

    Raises:
        Unverified: `missing_header`, `malformed_id`, `malformed_timestamp`, `too_old`, `too_new`,
            `no_matching_signature`. The signature comes last, so that a stale one costs no computing.
    """
    given = [headers.get(name, "") for name in (ID, TIMESTAMP, SIGNATURE)]
    if not all(given):
        raise Unverified("missing_header")
    identifier, stamp, signatures = given
    if not _IDENTIFIER.fullmatch(identifier):
        raise Unverified("malformed_id")
    if not _DIGITS.fullmatch(stamp):
        raise Unverified("malformed_timestamp")
    webhook = Webhook(id=identifier, timestamp=int(stamp), body=body)
    _check_time(webhook.timestamp, now)
    shown = [mac for version, _, mac in (one.partition(",") for one in signatures.split(" ")) if version == _VERSION]
    return webhook, _matching(keys, webhook, shown)


def _check_time(timestamp: int, now: float) -> None:
    if timestamp < now - TOLERANCE_S:
        raise Unverified("too_old")
    if timestamp > now + TOLERANCE_S:
        raise Unverified("too_new")


def _matching(keys: Sequence[bytes], webhook: Webhook, shown: Sequence[str]) -> int:
    """The first key that one of the signatures was made with; every pair is compared, whichever matches."""
    made = [base64.b64encode(_mac(key, webhook)) for key in keys]
    found = [
        at for at, mac in enumerate(made) for one in shown if hmac.compare_digest(mac, one.encode(errors="replace"))
    ]
    if not found:
        raise Unverified("no_matching_signature")
    return min(found)


def _mac(key: bytes, webhook: Webhook) -> bytes:
    return hmac.digest(key, f"{webhook.id}.{webhook.timestamp}.".encode() + webhook.body, "sha256")
