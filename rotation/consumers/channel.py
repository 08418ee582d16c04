"""What carries an event, and what a step asks to have one carried: two protocols, and what is said of each channel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Protocol

from rotation.consumers.event import Fields, Notice

SENT, NOT_CONFIGURED, FAILED = "sent", "not_configured", "failed:"


class Channel(Protocol):
    """One way to consumers. Sending the same event twice is allowed: at least once is the promise."""

    name: ClassVar[str]

    def send(self, fields: Fields) -> None:
        """Hand over a signed event. Raises `rotation.errors` classes; then it may have been sent all the same."""
        ...


class Announcer(Protocol):
    """Signs and sends on any number of channels; `stack` names the one whose consumers hear of it."""

    @property
    def stack(self) -> str:
        """The stack's name, which stands in every event."""
        ...

    def announce(self, notice: Notice, channels: Iterable[str]) -> Mapping[str, str]:
        """By channel `sent`, `not_configured`, or `failed:<reason>`. Never raises: nobody's fate hangs on it."""
        ...


class NullAnnouncer:
    """Tells nobody: for contexts of looks, and for tests that have no consumers."""

    stack = ""

    def announce(self, notice: Notice, channels: Iterable[str]) -> Mapping[str, str]:
        """No channel is configured."""
        del notice
        return dict.fromkeys(channels, NOT_CONFIGURED)


def failed_in(told: Mapping[str, str]) -> list[str]:
    """Channels on which it could not be sent."""
    return sorted(name for name, how in told.items() if how.startswith(FAILED))
