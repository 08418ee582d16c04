"""Time for several threads of a test that passes only while all of them sleep.

Each sleeper wakes at its own moment, in order, one at a time: minutes of waiting cost nothing, and the outcome is the
same on a busy machine. Not here: threads that wait for anything but time.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

START = datetime(2026, 1, 1, tzinfo=UTC)


class VirtualTime:
    """`seconds` have passed since the start; `sleep` is for functions that `run` runs."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self._asleep: list[tuple[float, int, threading.Event]] = []
        self._order = itertools.count()
        self._awake = 0
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        """Now, as a clock tells it."""
        return START + timedelta(seconds=self.seconds)

    def sleep(self, seconds: float) -> None:
        """Until so many seconds have passed."""
        moment = threading.Event()
        with self._lock:
            heapq.heappush(self._asleep, (self.seconds + seconds, next(self._order), moment))
            self._one_less()
        moment.wait()

    def run(self, functions: Sequence[Callable[[], None]]) -> None:
        """All of them side by side, to their ends."""
        self._awake = len(functions)
        threads = [threading.Thread(target=self._whole, args=(function,)) for function in functions]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _whole(self, function: Callable[[], None]) -> None:
        # everybody is asleep before the first one moves, so that the order is always the same
        try:
            self.sleep(0)
            function()
        finally:
            with self._lock:
                self._one_less()

    def _one_less(self) -> None:
        self._awake -= 1
        if self._awake == 0 and self._asleep:
            self.seconds, _, moment = heapq.heappop(self._asleep)
            self._awake = 1
            moment.set()
