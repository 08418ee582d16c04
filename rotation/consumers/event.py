"""The invalidation event `keyturn.invalidation/1`: which version readers of a secret get from now on, and no value.

The id is a hash of what happened, so that a repeat is the same event for whoever has seen it. The signature covers the
canonical JSON of everything else. Not here: who signs (`signing`), and what carries it (one module per channel).
Source of the form for consumers: `schemas/keyturn.invalidation.1.json`, which a test holds against this module.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

SCHEMA = "keyturn.invalidation/1"
# 128 bits: no two things that happen to one stack's secrets share an id.
ID_CHARS = 32
# The field that the others are signed in.
SIGNATURE = "signature"

# `sequence` is a whole number, everything else is text.
Fields = dict[str, str | int]


class Event(StrEnum):
    """What happened."""

    # the version is current now
    PROMOTED = "promoted"
    # the version is current again
    ROLLED_BACK = "rolled_back"
    # the one before the version is refused from now on
    RETIRED = "retired"


@dataclass(frozen=True, kw_only=True)
class Notice:
    """What happened to a secret, before it is signed.

    secret: the policy's name. store, path: where it lies. version: Keyturn's id of what is current, store_version: that
    store's. sequence: the claim's epoch, which rises per secret. at: when it was current, ISO 8601 in UTC.
    """

    event: Event
    stack: str
    secret: str
    store: str
    path: str
    version: str
    store_version: str
    sequence: int
    at: str

    @property
    def id(self) -> str:
        """The same for every repeat."""
        told = f"{self.event.value} {self.secret} {self.version} {self.sequence}"
        return hashlib.sha256(told.encode()).hexdigest()[:ID_CHARS]

    def fields(self, key_id: str) -> Fields:
        """Everything but the signature, as the event has it."""
        return {
            "schema": SCHEMA,
            "id": self.id,
            "kind": self.event.value,
            "stack": self.stack,
            "secret": self.secret,
            "store": self.store,
            "path": self.path,
            "version": self.version,
            "store_version": self.store_version,
            "sequence": self.sequence,
            "issued_at": self.at,
            "key_id": key_id,
        }


def canonical(fields: Mapping[str, str | int]) -> bytes:
    """What is signed: every field but the signature, sorted, without white space, in UTF-8."""
    signed = {name: value for name, value in fields.items() if name != SIGNATURE}
    return json.dumps(signed, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(fields: Mapping[str, str | int]) -> bytes:
    """SHA-256 of the canonical JSON, which KMS signs."""
    return hashlib.sha256(canonical(fields)).digest()


def text(fields: Mapping[str, str | int]) -> str:
    """The signed event as channels carry it."""
    return json.dumps(dict(fields), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
