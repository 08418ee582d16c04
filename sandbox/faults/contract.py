"""What can be done to the calls of one provider, whatever it speaks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Hit:
    """A call that was spoilt: when (epoch seconds), and which, in the provider's own words."""

    at: float
    operation: str


class Faults(Protocol):
    """The faults of one provider; a new one stands beside those that are not used up yet."""

    def throttle(self, next_n: int, retry_after_s: float | None = None) -> None:
        """The next calls are asked to slow down, with a Retry-After where the provider has such a thing."""
        ...

    def down_for(self, seconds: float) -> None:
        """No call is served from now on for so long."""
        ...

    def recover(self) -> None:
        """It is not down any more."""
        ...

    def apply_then_drop(self, operation: str, held_s: float = 0.0) -> None:
        """The next call of `operation` has its effect and no answer; its connection ends after `held_s` or more."""
        ...

    def clear(self) -> None:
        """No fault any more, and nothing remembered."""
        ...

    def hits(self) -> list[Hit]:
        """The calls that were spoilt since the last `clear`, in order."""
        ...

    def calls(self) -> int:
        """How many calls came since the last `clear`, spoilt or not."""
        ...
