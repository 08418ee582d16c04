"""When the store is read next: polls at their interval, and what an event named until the store has given it.

A store may answer with the old version, refuse or be silent just after the event that names the new one, and no second
event will come: so the read is made again, at growing pauses, for as long as the event stands. Pauses and intervals are
spread, since all instances hear an event at the same moment. Polls are made while events can be heard, too: a channel
that stands may bring none that is believed, and the interval is what overlaps are measured by.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

# Polls of many instances spread over a fifth to either side, so that they do not meet.
SPREAD = 0.2
# Whoever may write to a channel can send what nobody can judge: it makes an instance poll no more often than this.
DOUBT_S = 60.0
# A read that did not give what the event names is made again at once by the keeper, then after these pauses. The
# longest is soon beside an overlap and cheap beside a poll; each is multiplied by a number from 0.5 to 1.5.
FIRST_RETRY_S, LONGEST_RETRY_S = 1.0, 60.0


class Pace:
    """Of one cache. timer: seconds that only rise. chance: a number from 0 to 1. Safe to share between threads."""

    def __init__(self, poll_s: float, timer: Callable[[], float], chance: Callable[[], float]) -> None:
        self._poll_s, self._timer, self._chance = poll_s, timer, chance
        self._lock = threading.Lock()
        self._poll_at = self._next_poll()
        self._polled_at = -DOUBT_S
        self._named, self._retry_s, self._retry_at = "", 0.0, 0.0

    def ask(self) -> None:
        """Poll at the next look."""
        with self._lock:
            self._poll_at = self._timer()

    def doubt(self) -> None:
        """Poll soon: now, or when a minute has gone by since the last poll."""
        with self._lock:
            self._poll_at = min(self._poll_at, max(self._timer(), self._polled_at + DOUBT_S))

    def poll(self) -> bool:
        """Whether to poll now; whoever is told so does it."""
        with self._lock:
            if self._timer() < self._poll_at:
                return False
            self._poll_at, self._polled_at = self._next_poll(), self._timer()
            return True

    def retry(self, named: str) -> bool:
        """Whether to ask now for this version of the store, which an event has named; whoever is told so does it."""
        now = self._timer()
        with self._lock:
            if named != self._named:
                self._named, self._retry_s, self._retry_at = named, FIRST_RETRY_S, now
            if not named or now < self._retry_at:
                return False
            self._retry_at = now + self._retry_s * (0.5 + self._chance())
            self._retry_s = min(2 * self._retry_s, LONGEST_RETRY_S)
            return True

    def wait(self, named: str) -> float:
        """Seconds until either may be due."""
        with self._lock:
            due = min(self._poll_at, self._retry_at) if named else self._poll_at
            return due - self._timer()

    def _next_poll(self) -> float:
        return self._timer() + self._poll_s * (1 - SPREAD + 2 * SPREAD * self._chance())
