"""A `psycopg_pool.ConnectionPool` whose connections follow the cache.

The pool is drained when the version changes: idle connections are closed, those in use are closed when they come back,
each is replaced. A connection that was being opened at that moment may come into the pool after it, still on the old
version: for it the pool is drained a second time, if it is still behind by then.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg_pool import ConnectionPool

from keyturn.client.cache import SecretCache
from keyturn.client.following import Opened
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
    """Follows by draining, once at the change and once later if need be."""

    def __init__(
        self, opened: Opened[Any], drain: Callable[[], None], *, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._opened, self._drain, self._timer = opened, drain, timer
        self._second_at: float | None = None

    def follow(self, held: Held) -> None:
        """Drain, if anything is open on another version."""
        if self._opened.behind(held):
            self._drain()
            self._second_at = self._timer() + SECOND_DRAIN_S

    def behind(self, held: Held) -> bool:
        """Whether a connection of another version is open."""
        behind = self._opened.behind(held)
        if behind and self._second_at is not None and self._timer() >= self._second_at:
            self._second_at = None
            self._drain()
        return behind
