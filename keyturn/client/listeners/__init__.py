"""Where events are heard: what a listener and a cache promise each other. One file per channel.

A listener may serve several caches over one connection. It hears at least once, in any order; the cache sorts it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Hearer(Protocol):
    """What is told of events: a cache."""

    def hear(self, raw: bytes | str | Mapping[str, Any]) -> None:
        """An event, believed or not. Never raises for one that is not."""
        ...

    def reconnected(self) -> None:
        """The listener was away, and may have missed something."""
        ...


class Events(Protocol):
    """A listener on a thread of its own, which runs while anybody is attached."""

    @property
    def connected(self) -> bool:
        """Whether events can be heard now."""
        ...

    def attach(self, hearer: Hearer) -> None:
        """Tell it every event from now on, and the newest that a log still has."""
        ...

    def detach(self, hearer: Hearer) -> None:
        """Tell it no more; with the last one the thread ends, before this returns."""
        ...
