"""Where the server gets its time: any function of epoch seconds, and one that only moves when it is told to."""

from __future__ import annotations

from collections.abc import Callable

Clock = Callable[[], float]

# An arbitrary round second in 2027, so that timestamps in failures are easy to read.
_START = 1_800_000_000.0


class StandingClock:
    """A clock that stands still until it is advanced; for lag, quotas and delays without waiting."""

    def __init__(self) -> None:
        self.now = _START

    def __call__(self) -> float:
        """The present moment in epoch seconds."""
        return self.now

    def advance(self, seconds: float) -> None:
        """Let `seconds` pass."""
        self.now += seconds
