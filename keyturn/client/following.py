"""What uses a credential and is moved to a new one, in two steps, so that what is under way may finish."""

from __future__ import annotations

import threading
import weakref
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from keyturn.client.value import Held

T = TypeVar("T")

# A version that the target has refused is tried again after this, by a connection that had to take the previous one.
# What is refused soon after its promotion is mostly a replica that lags; an overlap is hours.
AGAIN_S = 30.0


class Follower(Protocol):
    """A pool, a client, a connection. Called from one thread of the cache, never at the same time."""

    def follow(self, held: Held) -> None:
        """Use this version for everything new, and let go of what idles on another. Soon done; raises what it will."""
        ...

    def behind(self, held: Held) -> bool:
        """Whether something still uses another version: then it is not acknowledged yet."""
        ...


class Opened(Generic[T]):
    """Which connections were opened with which version. Safe to share between threads.

    Keeps none alive that can be referred to weakly. `closed`: whether one that is there is closed.

    One that is just being opened counts: it will be there on the old version when everybody else has left it.
    """

    def __init__(self, closed: Callable[[T], bool]) -> None:
        self._closed = closed
        # reentrant: a connection that nobody gave back is given back by the garbage collector, which may come while
        # the same thread holds it
        self._lock = threading.RLock()
        self._by_identity: dict[int, tuple[Callable[[], T | None], str]] = {}
        self._opening: Counter[str] = Counter()
        self._ever: Counter[str] = Counter()

    @contextmanager
    def opening(self, held: Held) -> Iterator[None]:
        """Around the opening of a connection with this version, `add` included."""
        with self._lock:
            self._opening[held.store_version] += 1
        try:
            yield
        finally:
            with self._lock:
                self._opening[held.store_version] -= 1

    def add(self, connection: T, held: Held) -> None:
        """It was opened, or authenticated again, with this version."""
        identity = id(connection)
        gone: Callable[[], T | None]
        try:
            gone = weakref.ref(connection, lambda _: self._by_identity.pop(identity, None))
        except TypeError:
            # a type without a place for weak references, as sqlite3's: kept until `remove`
            gone = lambda: connection  # noqa: E731 - in the place of the other
        with self._lock:
            self._by_identity[identity] = (gone, held.store_version)
            self._ever[held.store_version] += 1

    def remove(self, connection: T) -> None:
        """It was closed, in a way that it does not show itself."""
        with self._lock:
            self._by_identity.pop(id(connection), None)

    def version(self, connection: T) -> str:
        """The store's version it was opened with; "" when that is not known."""
        with self._lock:
            return self._by_identity.get(id(connection), (None, ""))[1]

    def behind(self, held: Held) -> bool:
        """Whether a connection is open, or is being opened, with another version."""
        with self._lock:
            opening = any(count and version != held.store_version for version, count in self._opening.items())
        return opening or bool(self.others(held))

    def others_ever(self, held: Held) -> int:
        """How many were opened with another version so far."""
        with self._lock:
            return self._ever.total() - self._ever[held.store_version]

    def others(self, held: Held) -> list[T]:
        """Those that are open and were opened with another version."""
        with self._lock:
            found = [(there(), version) for there, version in list(self._by_identity.values())]
        return [c for c, version in found if c is not None and version != held.store_version and not self._closed(c)]
