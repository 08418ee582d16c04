"""What `keyturn discover` works with: a secret as a store lists it, and the port through which a store is listed.

Names and times only: nothing here can hold a value, and no listing asks for one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar, Protocol

from rotation.errors import KeyturnError

STORES = ("aws", "vault", "gcp")


@dataclass(frozen=True, kw_only=True)
class Found:
    """A secret in a store. Times are None where the store does not tell them.

    path: as a policy writes it. accessed: when it was read last (AWS tells the day). readers: who may read it, None
    where the store keeps that elsewhere. owner: who the store says owns it, "" for nobody. note: what else stands out.
    """

    store: str
    path: str
    created: datetime | None = None
    changed: datetime | None = None
    accessed: datetime | None = None
    readers: tuple[str, ...] | None = None
    owner: str = ""
    note: str = ""

    def age_days(self, now: datetime) -> int | None:
        """Whole days since the last change that the store tells of."""
        since = self.changed or self.created
        return (now - since.astimezone(UTC)).days if since else None


@dataclass(frozen=True, kw_only=True)
class Unlisted:
    """A part of a store that could not be listed: which, and why."""

    store: str
    what: str
    reason: str
    message: str
    remedy: str


def unlisted(store: str, what: str, exc: KeyturnError, remedy: str) -> Unlisted:
    """From what was raised; `remedy` is what the listing itself needs."""
    return Unlisted(store=store, what=what, reason=exc.reason, message=exc.message, remedy=remedy)


class Listing(Protocol):
    """One store, with the credentials of whoever asks. Raises `rotation.errors` classes only."""

    store: ClassVar[str]
    # what a person has to be allowed for this
    needs: ClassVar[str]
    # parts that were passed over
    skipped: list[Unlisted]

    def listed(self) -> Iterator[Found]:
        """Every secret, with what the list itself tells."""
        ...

    def detailed(self, found: Found) -> Found:
        """The same with what takes a call of its own: readers, and in Vault the times."""
        ...
