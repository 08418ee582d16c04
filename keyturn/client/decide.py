"""What a cache does next, as decisions without a lock, a clock or a call: the sync and the asyncio cache share them.

Order of events: a lower place in the order is stale, an equal one a repetition. Order of values after a refused
authentication: current, current read past the cache, previous. An event only says that the store has something new;
what is taken is what the store gives. A lagging store's pointer is overruled by the number in the event, and never
leads back to a version that an event has left behind.

Not here: who calls, and when (`cache`); whether an event is genuine (`verify`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from enum import Enum, StrEnum

from keyturn.client.events import RETIRED, ROLLED_BACK, Event
from keyturn.client.sources import Fetched
from keyturn.client.value import Held

# All threads that were refused with one version fail within moments of each other; a store asked once a second by each
# process bears it for as long as the trouble lasts.
QUIET_S = 1.0
# Ids and left versions of so many rotations are remembered: readers of a store are never further behind.
_REMEMBERED = 32


class Heard(StrEnum):
    """What follows from a genuine event."""

    DUPLICATE = "duplicate"
    STALE = "stale"
    # what it calls current is held already
    KNOWN = "known"
    FETCH = "fetch"


class Next(Enum):
    """What follows a refused authentication, where it is not a value."""

    READ = "read the store, then ask again"
    NOTHING = "everything known was refused"


class Knowledge:
    """What one cache knows of its secret. Not safe to share between threads: its owner has the lock."""

    def __init__(self, *, lagging: bool, names_versions: bool) -> None:
        self.current: Held | None = None
        self.previous: Held | None = None
        # the store's version that an event has called current; stands until the store gives it or a newer event comes
        self.wanted = ""
        self._lagging = lagging
        self._names_versions = names_versions
        self._order: tuple[int, int] = (-1, -1)
        self._names: deque[tuple[str, str]] = deque(maxlen=_REMEMBERED)
        self._left: deque[str] = deque(maxlen=_REMEMBERED)
        # what was held when an event took it back
        self._withdrawn = ""
        self._refetched: tuple[str, float] | None = None

    def hear(self, event: Event) -> Heard:
        """Take up a genuine and young event."""
        if event.order == self._order:
            return Heard.DUPLICATE
        if event.order < self._order:
            return Heard.STALE
        self.note(event)
        if event.kind in (RETIRED, ROLLED_BACK):
            # retired: refused from now on. Rolled back: what was current is being withdrawn.
            self.previous = None
        if event.kind == ROLLED_BACK and self.current and self.current.store_version != event.store_version:
            self._withdrawn = self.current.store_version
        if self.current and self.current.store_version == event.store_version:
            self.wanted = ""
            return Heard.KNOWN
        self.wanted = event.store_version
        return Heard.FETCH

    def note(self, event: Event) -> None:
        """Keep what stays true of a genuine event, however old: what a version is called, and its place in the order.

        Nothing is fetched for it.
        """
        if event.order < self._order:
            return
        self._order = event.order
        self._names.append((event.store_version, event.version))
        if self.current and self.current.store_version == event.store_version:
            self.current = self._held(self.current.store_version, self.current)

    def number(self) -> str:
        """The version to read by number; "" when the store's pointer is to be read."""
        return self.wanted if self._lagging else ""

    def take(self, fetched: Fetched, *, asked: str = "") -> bool:
        """Hold what the store gave; whether that is another version than before. `asked`: the number it was read by."""
        version = fetched.store_version
        if version == self.wanted:
            self.wanted = ""
        if self.current and version == self.current.store_version:
            # a secret edited in place has no new version in any of the stores: nothing to take
            return False
        if self._lagging and not asked and version in self._left:
            return False
        rolled_back = version in self._left
        if self.current:
            self._left.append(self.current.store_version)
        if rolled_back:
            self._left.remove(version)
        withdrawn = self.current is not None and self.current.store_version == self._withdrawn
        self.previous = None if rolled_back or withdrawn else self.current
        if version == self._withdrawn:
            # it is wanted again
            self._withdrawn = ""
        self.current = self._held(version, fetched)
        return True

    def after(self, refused: Collection[str], now: float) -> Held | Next:
        """What to try when the target refused these versions of the store."""
        if self.current and self.current.store_version not in refused:
            return self.current
        if self.current is None or self._may_refetch(self.current.store_version, now):
            return Next.READ
        if self.previous and self.previous.store_version not in refused:
            return self.previous
        return Next.NOTHING

    def refetched(self, now: float) -> None:
        """The store was asked after a refusal, whatever it said."""
        self._refetched = (self.current.store_version if self.current else "", now)

    def _may_refetch(self, version: str, now: float) -> bool:
        if self._refetched is None:
            return True
        earlier, at = self._refetched
        return earlier != version or now - at >= QUIET_S

    def _held(self, version: str, of: Fetched | Held) -> Held:
        name = version if self._names_versions else next((n for v, n in reversed(self._names) if v == version), "")
        return Held(store_version=version, value=of.value, version=name)
