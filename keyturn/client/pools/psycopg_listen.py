"""A connection that LISTENs, outside every pool, and is moved without losing a notification.

The new connection listens before the old one is given up; the reader takes what the old one still has, then goes over.
Around a move a notification may therefore be given twice. As long as nobody reads, the old one stays, and so does the
acknowledgement: what nobody reads cannot be moved. One that is closed, or whose connection was lost, is in nobody's
way: whoever goes on listening makes a new one.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import Notify, sql

from keyturn.client.cache import SecretCache
from keyturn.client.pools.postgres import parameters, refused
from keyturn.client.value import Held

# How soon a reader that waits for a notification sees that it is to move.
GLANCE_S = 0.05


class Listening:
    """Channels of one database. `conninfo` and `given` as psycopg's `connect` takes them; one thread reads."""

    def __init__(self, cache: SecretCache, channels: tuple[str, ...], conninfo: str = "", **given: Any) -> None:
        self._cache, self._channels = cache, channels
        self._conninfo, self._given = conninfo, given
        self._lock = threading.Lock()
        self._version, self._connection = cache.call(self._open, refused)
        self._next: tuple[str, Any] | None = None
        self._closed = False
        cache.add(self)

    def notifications(self, timeout_s: float) -> Iterator[Notify]:
        """Those that arrive within this time, as they arrive. Raises psycopg's errors when the connection is lost."""
        waited = 0.0
        while waited < timeout_s:
            step = min(GLANCE_S, timeout_s - waited)
            yield from self._connection.notifies(timeout=step)
            waited += step
            yield from self._moved()

    def follow(self, held: Held) -> None:
        """Open the next connection, unless one of this version is there."""
        if not self.behind(held):
            return
        opened = self._open(held)
        with self._lock:
            # closed while this was being opened: it is not needed any more
            unread = opened if self._closed else self._next
            self._next = None if self._closed else opened
        if unread is not None:
            unread[1].close()

    def behind(self, held: Held) -> bool:
        """Whether the reader is on another version."""
        with self._lock:
            return self._version != held.store_version and not self._closed and not self._connection.closed

    def close(self) -> None:
        """Give up listening; the cache forgets it."""
        self._cache.remove(self)
        with self._lock:
            self._closed = True
            waiting, self._next = self._next, None
        for connection in [self._connection, *([waiting[1]] if waiting else [])]:
            connection.close()

    def _moved(self) -> Iterator[Notify]:
        """What the old connection has left, if there is a new one, which is read from then on."""
        with self._lock:
            if self._next is None:
                return
            (version, connection), self._next = self._next, None
        left = list(self._connection.notifies(timeout=0))
        self._connection.close()
        with self._lock:
            self._version, self._connection = version, connection
        yield from left

    def _open(self, held: Held) -> tuple[str, Any]:
        given = parameters(held, self._conninfo, self._given)
        connection = psycopg.connect(self._conninfo, autocommit=True, **given)
        try:
            for channel in self._channels:
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        except BaseException:
            connection.close()
            raise
        return held.store_version, connection
