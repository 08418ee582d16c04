"""What readers see of one secret while the service converges: its history of states, and which of them is visible.

Source: Secret Manager docs, 'Resource consistency' (secret-manager/docs/reference/consistency): adding a version and
accessing it by number is strongly consistent; not so by alias or `latest`; everything else is eventually consistent,
typically within minutes, perhaps hours. Writers always meet the true state, which is not kept here.
"""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.google.protos import SecretMessage, VersionMessage


@dataclass(frozen=True)
class View:
    """One state of a secret as it was at `at` (epoch seconds); `versions` in creation order, without payloads."""

    at: float
    secret: SecretMessage
    versions: tuple[VersionMessage, ...]


@dataclass
class Lag:
    """How far readers are behind: by `seconds`, or not moving at all while `stale`."""

    seconds: float = 0.0
    stale: bool = False

    @property
    def active(self) -> bool:
        """True when some reader may see less than the truth."""
        return self.stale or self.seconds > 0


class Views:
    """The states of one secret that a reader may still be shown, oldest first; never empty."""

    def __init__(self, first: View) -> None:
        self._history = [first]

    def record(self, view: View, lag: Lag) -> None:
        """A write happened; without lag nothing older can be seen any more."""
        if not lag.active:
            self._history.clear()
        self._history.append(view)

    def visible(self, now: float, lag: Lag) -> View:
        """The newest state that has had time to spread; the oldest known one when none has."""
        if not lag.active:
            return self._history[-1]
        if lag.stale:
            return self._history[0]
        spread = [view for view in self._history if view.at <= now - lag.seconds]
        return spread[-1] if spread else self._history[0]

    def settle(self) -> None:
        """Everything written so far has spread."""
        del self._history[:-1]
