"""Where a consumer reads its secret: one small protocol and a file per store.

A source serves one secret and takes a ready client, whose SDK is imported by whoever made it. Pending versions are
never read. Vendor exceptions end in the source: `Unavailable` and `Missing` leave it, without a value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from keyturn.client.value import Value


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """One answer of a store."""

    store_version: str
    value: Value


class Source(Protocol):
    """Reads of one secret.

    lagging: what `current` answers may be older than what an event has told (Google's aliases, up to hours).
    names_versions: the store's version id is Keyturn's (AWS).
    """

    @property
    def lagging(self) -> bool:
        """Whether the pointer may lag."""
        ...

    @property
    def names_versions(self) -> bool:
        """Whether Keyturn's version id is the store's."""
        ...

    def current(self) -> Fetched:
        """What readers are given now. One read. Raises Unavailable, Missing."""
        ...

    def by_version(self, store_version: str) -> Fetched:
        """Exactly this version, if it is or was current. One read. Raises Unavailable, Missing."""
        ...
