"""What a cache has counted, as plain attributes: for whatever metrics library the service has."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(kw_only=True)
class Counters:
    """Written under the cache's lock, read without one: each number only rises.

    accepted: genuine events, by what followed (`fetch`, `known`, `duplicate`, `stale`). refused: events not believed,
    by reason. fetches: reads of the store that answered, failed_fetches those that did not. refetches: reads after a
    refused authentication. fallbacks: how often the previous version was given after one. swaps: new versions taken
    up by everything that uses the cache. failed_swaps: a follower that raised. mismatches: events that named another
    version than the store gave, so that Keyturn's id of what is held is not known.
    """

    accepted: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    fetches: int = 0
    failed_fetches: int = 0
    refetches: int = 0
    fallbacks: int = 0
    swaps: int = 0
    failed_swaps: int = 0
    mismatches: int = 0
