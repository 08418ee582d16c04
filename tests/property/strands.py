"""Functions that stop before each external call and go on only when told how that call ends.

Every strand is a thread, and only one of all threads runs at a time: the one that was told to go on hands back when it
comes to its next call or ends. So any interleaving of any number of invocations can be played, and played again.
Greenlets would do the same in one thread; the standard library has none. Not here: what is called (`intercepted`).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from enum import Enum
from typing import Any


class Ending(Enum):
    """How an external call ends for the strand that makes it."""

    ANSWERED = "answered"
    DIES_BEFORE = "dies before"
    DIES_AFTER = "dies after"
    THROTTLED = "throttled"
    LOST_BEFORE = "no answer, no effect"
    LOST_AFTER = "no answer, but the effect"


class Died(BaseException):
    """The process is gone; nothing that catches exceptions may stop it."""


class Strand:
    """One function under way. `at`: what it is about to call, "" when it is over. `result` or `error` is its end."""

    # the strand that runs, innermost last: one that runs may move another
    _running: list[Strand] = []  # noqa: RUF012 - one per process: only one thread runs at a time

    def __init__(self, name: str, work: Callable[[], Any]) -> None:
        self.name, self._work = name, work
        self.at, self.over = "its beginning", False
        self.result: Any = None
        self.error: BaseException | None = None
        self._ending = Ending.ANSWERED
        self._here, self._there = threading.Lock(), threading.Lock()
        self._here.acquire()
        self._there.acquire()
        self._thread = threading.Thread(target=self._whole, name=name, daemon=True)
        self._thread.start()

    @classmethod
    def current(cls) -> Strand | None:
        """The strand that is running; None where nobody but the test itself makes calls."""
        return cls._running[-1] if cls._running else None

    def go(self, ending: Ending = Ending.ANSWERED) -> None:
        """Let the call that it waits for end so, and run to its next one."""
        assert not self.over, "it has ended"
        self._ending = ending
        Strand._running.append(self)
        self._here.release()
        self._there.acquire()
        Strand._running.pop()

    def pause(self, at: str) -> Ending:
        """Called from inside: wait for what is told about the call `at`."""
        self.at = at
        self._there.release()
        self._here.acquire()
        return self._ending

    def kill(self) -> None:
        """The process dies where it is, also where it was about to begin."""
        while not self.over:
            self.go(Ending.DIES_BEFORE)

    def _whole(self) -> None:
        self._here.acquire()
        try:
            if self._ending is not Ending.DIES_BEFORE:
                self.result = self._work()
            else:
                self.error = Died("before it began")
        except BaseException as exc:  # noqa: BLE001 - whatever it is, it is the strand's end
            self.error = exc
        self.at, self.over = "", True
        self._there.release()
