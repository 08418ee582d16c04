"""The thread behind a cache: moves followers to a new version, says when all are there, polls now and then.

A version is in use when no follower is behind and no request uses another one, that is when the last transaction on the
old one has ended: only then may it be acknowledged, since an acknowledgement lets the old one be revoked and its
sessions be ended. A follower that
raises is tried again, and holds the acknowledgement back for as long.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from keyturn.client.following import Follower
from keyturn.client.pace import Pace

if TYPE_CHECKING:
    from keyturn.client.cache import SecretCache

_log = logging.getLogger(__name__)

# How often a transaction on an old connection is looked at: delays the acknowledgement by half of it on average.
LOOK_S = 0.02
# A follower that failed is tried again after this.
RETRY_S = 1.0
# Threads of the library end between two steps; the longest is one read of a store.
JOIN_S = 10.0


class Keeper:
    """One per cache. `chance` gives a number from 0 to 1."""

    def __init__(
        self, cache: SecretCache, *, poll_s: float, timer: Callable[[], float], chance: Callable[[], float]
    ) -> None:
        self._cache = cache
        self._pace = Pace(poll_s, timer, chance)
        self._followers: dict[Follower, str] = {}
        self._lock = threading.Lock()
        self._woken, self._ended = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def add(self, follower: Follower) -> None:
        """It follows from the next step on."""
        with self._lock:
            self._followers[follower] = ""
        self.wake()

    def remove(self, follower: Follower) -> None:
        """It follows no more, and holds nothing back."""
        with self._lock:
            self._followers.pop(follower, None)
        self.wake()

    def wake(self) -> None:
        """Something has changed."""
        self._woken.set()

    def poll_soon(self) -> None:
        """Poll once at the next step."""
        self._pace.ask()
        self.wake()

    def doubt(self) -> None:
        """Something was heard that might have been an event of ours: poll soon, though no more than once a minute."""
        self._pace.doubt()
        self.wake()

    def start(self) -> None:
        """Begin, unless it has."""
        if self._thread is None:
            self._ended.clear()
            self._thread = threading.Thread(target=self._run, name=f"keyturn {self._cache.secret}", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the thread, and wait for it."""
        self._ended.set()
        self.wake()
        if self._thread is not None:
            self._thread.join(JOIN_S)
            self._thread = None

    def step(self) -> float:
        """Do what is due; seconds until the next look, unless something wakes it."""
        wait = self._read_if_due()
        held = self._cache.held()
        late = [follower for follower in self._all() if not self._moved(follower)]
        if late:
            return min(wait, RETRY_S)
        if any(follower.behind(held) for follower in self._all()):
            return min(wait, LOOK_S)
        if self._cache.used_elsewhere(held):
            # whoever ends wakes this; one that was only forgotten does not
            return min(wait, RETRY_S)
        if held == self._cache.held() and not self._ended.is_set():
            self._cache.in_use(held)
        return wait

    def _run(self) -> None:
        while not self._ended.is_set():
            self._woken.clear()
            try:
                wait = self.step()
            except Exception as exc:  # noqa: BLE001 - a follower's own; a thread that ended would end the following
                _log.warning("%s: the step failed (%s)", self._cache.secret, type(exc).__name__)
                wait = RETRY_S
            self._woken.wait(wait)

    def _read_if_due(self) -> float:
        if self._pace.poll():
            self._cache.poll()
        elif self._pace.retry(self._cache.wanted):
            self._cache.catch_up()
        return max(self._pace.wait(self._cache.wanted), LOOK_S)

    def _moved(self, follower: Follower) -> bool:
        """Whether the follower was told of what is current."""
        held = self._cache.held()
        with self._lock:
            if self._followers.get(follower) == held.store_version:
                return True
        try:
            follower.follow(held)
        except Exception as exc:  # noqa: BLE001 - whatever a pool raises: the version is not in use, and is tried again
            self._cache.counters.failed_swaps += 1
            _log.warning("%s: a follower could not be moved (%s)", self._cache.secret, type(exc).__name__)
            return False
        self._cache.counters.swaps += 1
        with self._lock:
            if follower in self._followers:
                self._followers[follower] = held.store_version
        return True

    def _all(self) -> list[Follower]:
        with self._lock:
            return list(self._followers)
