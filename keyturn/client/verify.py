"""Whether an event is genuine, ours and of our time: functions of the event, the keys and the clock only.

What is cheap is looked at first, what costs (the signature) after that, and the age last: an event refused only for
its age is genuine all the same, and what it says of names and order stays true (`Refusal.genuine`). The fields are
exactly those of the schema: a field that this version does not know could mean "except", so it is refused.
Several keys at once are how keys overlap: an event of the old and one of the new key are both accepted.

Not here: order and repetition of events (`decide`), and where keys come from.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from keyturn.client.events import FIELDS, KINDS, SCHEMA, TEXTS, Event, identity
from keyturn.client.keys import KeyRing

# Clocks of publisher and consumer apart by more than this are a fault to be mended, not to be tolerated.
FUTURE_S = 120
# Older ones are told by the store itself: whoever was away for a day reads the current version on return.
MAX_AGE_S = 24 * 3600
# An event has about 700 bytes; names of secrets have at most 512.
MAX_BYTES = 8 * 1024
# Of events that may tell of a new version all the same: their key is newer than ours, or our clock is behind.
UNKNOWN_KEY, FROM_THE_FUTURE = "unknown_key", "from_the_future"
DOUBTFUL = frozenset({UNKNOWN_KEY, FROM_THE_FUTURE})
# JSON numbers beyond are not exact in every language.
_MAX_SEQUENCE = 2**53
_VERSION = re.compile(r"[0-9a-f]{32}")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?(Z|\+00:00)", re.ASCII)


class Refusal(Exception):
    """Why an event is not believed. `genuine`: the event itself where nothing but its age is wrong."""

    def __init__(self, reason: str, genuine: Event | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.genuine = genuine


@dataclass(frozen=True, kw_only=True)
class Expected:
    """Whose events are believed, and by which keys. `secret` None: of every secret of the stack."""

    stack: str
    keys: KeyRing
    secret: str | None = None


def verify(raw: bytes | str | Mapping[str, Any], expected: Expected, now: float) -> Event:
    """The event, if it is genuine and young enough. `now`: seconds since 1970.

    Raises:
        Refusal: `too_large`, `not_json`, `unknown_schema`, `malformed`, `wrong_stack`, `wrong_secret`, `wrong_id`,
            `unknown_key`, `bad_signature`, `from_the_future`, `expired`.
    """
    document = _document(raw)
    issued_at = _check_fields(document)
    _check_addressee(document, expected)
    _check_signature(document, expected.keys)
    named = {name: document[name] for name in FIELDS - {"schema", "signature", "issued_at"}}
    event = Event(issued_at=issued_at, **named)
    if issued_at > now + FUTURE_S:
        raise Refusal(FROM_THE_FUTURE)
    if issued_at < now - MAX_AGE_S:
        raise Refusal("expired", genuine=event)
    return event


def canonical(document: Mapping[str, Any]) -> bytes:
    """What is signed: every field but the signature, in one spelling."""
    signed = {name: part for name, part in document.items() if name != "signature"}
    return json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _document(raw: bytes | str | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(raw, Mapping):
        return dict(raw)
    if len(raw) > MAX_BYTES:
        raise Refusal("too_large")
    try:
        loaded = json.loads(raw, object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise Refusal("not_json") from None
    if not isinstance(loaded, dict):
        raise Refusal("not_json")
    return loaded


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names are each said once: of two, readers may take different ones."""
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError
    return document


def _check_fields(document: Mapping[str, Any]) -> float:
    """When it was issued."""
    if document.get("schema") != SCHEMA:
        raise Refusal("unknown_schema")
    if document.keys() != FIELDS or not all(_plain(document[name]) for name in TEXTS):
        raise Refusal("malformed")
    sequence = document["sequence"]
    if type(sequence) is not int or not 0 <= sequence <= _MAX_SEQUENCE:
        raise Refusal("malformed")
    if document["kind"] not in KINDS or not _VERSION.fullmatch(document["version"]) or not document["store_version"]:
        raise Refusal("malformed")
    return _moment(document["issued_at"])


def _plain(part: object) -> bool:
    return isinstance(part, str) and part.isprintable() and len(part) <= MAX_BYTES


def _moment(text: str) -> float:
    if not _MOMENT.fullmatch(text):
        raise Refusal("malformed")
    try:
        return datetime.fromisoformat(text).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        raise Refusal("malformed") from None


def _check_addressee(document: dict[str, Any], expected: Expected) -> None:
    if document["stack"] != expected.stack:
        raise Refusal("wrong_stack")
    if expected.secret is not None and document["secret"] != expected.secret:
        raise Refusal("wrong_secret")
    if document["id"] != identity(document):
        raise Refusal("wrong_id")


def _check_signature(document: Mapping[str, Any], keys: KeyRing) -> None:
    if document["key_id"] not in keys and not (keys.reread() and document["key_id"] in keys):
        raise Refusal(UNKNOWN_KEY)
    signature = _decoded(document["signature"])
    if signature is None or not keys.signed(
        document["key_id"], signature, hashlib.sha256(canonical(document)).digest()
    ):
        raise Refusal("bad_signature")


def _decoded(text: str) -> bytes | None:
    """base64url without padding, in its one spelling."""
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        return None
    return decoded if base64.urlsafe_b64encode(decoded).rstrip(b"=") == text.encode() else None
