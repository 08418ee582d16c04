"""The invalidation event as the client understands it, and its place in the order of events. No value is ever in one.

Schema `keyturn.invalidation/1`. Not here: whether an event is genuine (`verify`), what follows from it (`decide`).
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

SCHEMA = "keyturn.invalidation/1"

# In the order in which they can follow within one claim of a secret: a promotion is rolled back, not the reverse;
# the retirement comes last, in general under a claim of its own.
PROMOTED, ROLLED_BACK, RETIRED = "promoted", "rolled_back", "retired"
_RANKS = {PROMOTED: 0, ROLLED_BACK: 1, RETIRED: 2}
KINDS = frozenset(_RANKS)

TEXTS = (
    *("schema", "id", "kind", "stack", "secret", "store", "path", "version", "store_version"),
    *("issued_at", "key_id", "signature"),
)
FIELDS = frozenset({*TEXTS, "sequence"})

# Half of a SHA-256 tells all events of all times apart.
_ID_DIGITS = 32


@dataclass(frozen=True, kw_only=True)
class Event:
    """A genuine event. `version` and `store_version` name what is current now, whatever the kind.

    issued_at: seconds since 1970. sequence rises with every claim of the secret.
    """

    id: str
    kind: str
    stack: str
    secret: str
    store: str
    path: str
    version: str
    store_version: str
    sequence: int
    issued_at: float
    key_id: str

    @property
    def order(self) -> tuple[int, int]:
        """Later events are greater; a repetition is equal."""
        return self.sequence, _RANKS[self.kind]


def identity(document: dict[str, Any]) -> str:
    """The id that an event of these fields has: the same for every repetition."""
    named = f"{document['kind']} {document['secret']} {document['version']} {document['sequence']}"
    return hashlib.sha256(named.encode()).hexdigest()[:_ID_DIGITS]


def channel(stack: str) -> str:
    """The Redis pub/sub channel of a stack."""
    return f"keyturn:{stack}:invalidations"


def log_of(stack: str) -> str:
    """The Redis stream in which the events of a stack stay for those that were away, in the field `event`."""
    return f"{channel(stack)}:log"
