"""A `psycopg_pool.ConnectionPool` whose connections follow the cache.

The pool is drained when the version changes: idle connections are closed, those in use are closed when they come back,
each is replaced. A connection that was being opened at that moment may come into the pool after it, still on the old
version: for it the pool is drained a second time, if it is still behind by then. And where the target refused the new
version, so that connections were opened with the previous one since, it is drained now and then: they try again.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from keyturn.client.cache import SecretCache
from keyturn.client.following import AGAIN_S, Opened
from keyturn.client.pools.postgres import parameters, refused
from keyturn.client.value import Held

# More than a login takes: what was being opened at the first draining is in the pool by then.
SECOND_DRAIN_S = 1.0


def pooled(cache: SecretCache, conninfo: str = "", **options: Any) -> ConnectionPool[Any]:
    """A pool that follows `cache`; `options` as ConnectionPool takes them, `kwargs` and `connection_class` too.

    Without a `conninfo` host, port and database come from the secret (`host`, `port`, `dbname`).
    """
    opened: Opened[Any] = Opened(lambda connection: connection.closed)
    kind = following(cache, opened, options.pop("connection_class", psycopg.Connection))
    pool: ConnectionPool[Any] = ConnectionPool(conninfo, connection_class=kind, **options)
    cache.add(Drained(opened, pool.drain))
    return pool


def following(cache: SecretCache, opened: Opened[Any], kind: type[Any]) -> type[Any]:
    """The connection class `kind`, connecting with what the cache holds."""

    def connect(conninfo: str = "", **given: Any) -> Any:
        def attempt(held: Held) -> Any:
            with opened.opening(held):
                connection = kind.connect(conninfo, **parameters(held, conninfo, given))
                opened.add(connection, held)
            return connection

        before = cache.held()
        connection = cache.call(attempt, refused)
        if before != (now := cache.held()) and opened.version(connection) != now.store_version:
            # the version changed while this was being opened
            connection.close()
            connection = cache.call(attempt, refused)
        return connection

    return type(f"Following{kind.__name__}", (kind,), {"connect": staticmethod(connect)})


class Drained:
    """Follows by draining: at the change, once more soon after, and then when new connections are on an old version."""

    def __init__(
        self, opened: Opened[Any], drain: Callable[[], None], *, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._opened, self._drain, self._timer = opened, drain, timer
        self._again_at = 0.0
        self._others: int | None = 0

    def follow(self, held: Held) -> None:
        """Drain, if anything is open on another version."""
        if self._opened.behind(held):
            self._drain()
            self._others, self._again_at = None, self._timer() + SECOND_DRAIN_S

    def behind(self, held: Held) -> bool:
        """Whether a connection of another version is open."""
        behind = self._opened.behind(held)
        if behind and self._timer() >= self._again_at:
            others = self._opened.others_ever(held)
            # those of before are in use, and go when they come back: they are no reason to replace all others
            if others != self._others:
                self._drain()
            self._others, self._again_at = others, self._timer() + AGAIN_S
        return behind
