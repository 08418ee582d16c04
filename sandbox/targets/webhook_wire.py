"""The partner's own reading of Standard Webhooks 1.0.0, written apart from the runtime's: each is a test of the other.

Symmetric signatures only. A header is accepted when one of its `v1` entries is the HMAC of `id.timestamp.body` under
one of the keys; entries of other versions are passed over. Ids and timestamps have one spelling, without full stops.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Collection, Mapping
from http import HTTPStatus

from sandbox.targets.web import Refusal

SCHEME = "whsec_"
# the specification's bounds
KEY_SIZES = range(24, 65)
# what the specification's own libraries have; either way
TOLERANCE_SECONDS = 300
# room for any id that is in use, and a bound for what is remembered of each
LONGEST_ID = 256
# twelve digits reach beyond any clock
LONGEST_TIMESTAMP = 12


def key_bytes(text: object) -> bytes:
    """A key as it is handed over; 400 `malformed_key`."""
    refusal = Refusal(HTTPStatus.BAD_REQUEST, "malformed_key")
    if not isinstance(text, str) or not text.startswith(SCHEME):
        raise refusal
    try:
        found = base64.b64decode(text[len(SCHEME) :], validate=True)
    except ValueError:
        raise refusal from None
    if len(found) not in KEY_SIZES:
        raise refusal
    return found


def signature(key: bytes, identifier: str, timestamp: str, body: bytes) -> str:
    """One entry of the header."""
    content = b".".join((identifier.encode(), timestamp.encode(), body))
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()


def check(keys: Mapping[str, bytes], headers: Mapping[str, str], body: bytes, now: float) -> tuple[str, str]:
    """The webhook's id, and the name of a key that it is signed with; 401 says why not."""
    identifier, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    shown = headers.get("webhook-signature", "")
    if not (identifier and timestamp and shown):
        raise Refusal(HTTPStatus.UNAUTHORIZED, "missing_header")
    if "." in identifier or len(identifier) > LONGEST_ID or not _is_plain(identifier):
        raise Refusal(HTTPStatus.UNAUTHORIZED, "malformed_id")
    if len(timestamp) > LONGEST_TIMESTAMP or not _is_plain(timestamp) or not timestamp.isdigit():
        raise Refusal(HTTPStatus.UNAUTHORIZED, "malformed_timestamp")
    if str(int(timestamp)) != timestamp:
        raise Refusal(HTTPStatus.UNAUTHORIZED, "malformed_timestamp")
    if abs(now - int(timestamp)) > TOLERANCE_SECONDS:
        raise Refusal(HTTPStatus.UNAUTHORIZED, "outside_tolerance")
    matches = _matches(keys, (identifier, timestamp, body), shown.split(" "))
    if not matches:
        raise Refusal(HTTPStatus.UNAUTHORIZED, "no_matching_signature")
    return identifier, matches[0]


def _matches(keys: Mapping[str, bytes], signed: tuple[str, str, bytes], shown: Collection[str]) -> list[str]:
    """Names of keys; every entry is compared with every key, in a time that does not tell where they differ."""
    expected = {name: signature(key, *signed).encode() for name, key in keys.items()}
    entries = [entry.encode(errors="replace") for entry in shown]
    return [name for name, wanted in expected.items() if sum(hmac.compare_digest(wanted, one) for one in entries)]


def _is_plain(text: str) -> bool:
    return text.isascii() and text.isprintable() and " " not in text
