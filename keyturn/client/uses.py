"""Requests under way and the version each of them uses: what no pool holds open, and yet is in use.

A request counts from the moment it takes the value until it ends. One that the target refused with the current version
and accepted with another shows that the current one is not in use either, until the target accepts that. Nothing is
kept alive: a request whose owner forgot it ends with its owner.

Not here: a service that takes `held` or `get` and keeps the value; what it does with it nobody can see.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Collection
from contextlib import AbstractContextManager
from typing import Any, Protocol

from keyturn.client.value import Held

# Of a request that was refused and does not have another value yet: of no version of any store.
_NONE_YET = ""


class Giving(Protocol):
    """What a request needs of its cache."""

    def after(self, refused: Collection[str]) -> Held | None:
        """As `SecretCache.after`."""
        ...


class Use:
    """One request, with each value in order once. `held`: what to use now."""

    def __init__(self, held: Held, uses: Uses, giving: Giving) -> None:
        self.held, self.version = held, held.store_version
        self.tried = set[str]()
        self._uses, self._giving = uses, giving

    def refused(self) -> bool:
        """The target did not accept `held`: whether there is another to try, which it is now. May read the store."""
        self.tried.add(self.held.store_version)
        self._uses.turn(self, _NONE_YET)
        following = self._giving.after(self.tried)
        if following is None:
            self.end()
            return False
        self.held = following
        self._uses.turn(self, following.store_version)
        return True

    def accepted(self) -> None:
        """The target accepted `held`; this ends it."""
        self._uses.accepted(self)
        self.end()

    def end(self) -> None:
        """It came to an end, however; more than once is the same as once."""
        self._uses.end(self)


class Uses:
    """All requests of one cache, under the cache's lock. changed: told when one on an old version ended."""

    def __init__(
        self, lock: AbstractContextManager[Any], current: Callable[[], Held | None], changed: Callable[[], None]
    ) -> None:
        self._lock, self._current, self._changed = lock, current, changed
        self._running = weakref.WeakSet[Use]()
        # the version that was refused when another was accepted
        self._fallen_back_from = ""

    def begin(self, giving: Giving) -> Use | None:
        """With what is current; None before the first value."""
        with self._lock:
            held = self._current()
            if held is None:
                return None
            self._running.add(use := Use(held, self, giving))
            return use

    def elsewhere(self, held: Held) -> bool:
        """Whether a request uses another version, or had to."""
        with self._lock:
            others = any(use.version != held.store_version for use in self._running)
            return others or self._fallen_back_from == held.store_version

    def turn(self, use: Use, version: str) -> None:
        """It goes on with another version."""
        with self._lock:
            use.version = version

    def accepted(self, use: Use) -> None:
        """What its target accepted is the last that is known of the target."""
        with self._lock:
            current = self._current()
            version = current.store_version if current else ""
            if use.version == version:
                changed, self._fallen_back_from = bool(self._fallen_back_from), ""
            else:
                changed = False
                if version in use.tried:
                    self._fallen_back_from = version
        if changed:
            self._changed()

    def end(self, use: Use) -> None:
        """It is under way no more."""
        with self._lock:
            self._running.discard(use)
            current = self._current()
            late = current is not None and use.version != current.store_version
        if late:
            self._changed()
