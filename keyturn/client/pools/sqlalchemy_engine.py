"""A SQLAlchemy engine whose connections follow the cache, whatever its driver and its pool.

The engine and its pool stay: a new pool would leave those who are just taking a connection from the old one with
connections that nobody closes. Idle connections of another version are closed at the change; one that is taken from
the pool or comes back to it on another version is replaced. All through public events of the pool. An asyncio engine
is not covered: reading the store would block its loop.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

from keyturn.client.cache import SecretCache
from keyturn.client.following import Opened
from keyturn.client.pools import postgres
from keyturn.client.value import Held


def follow(
    cache: SecretCache,
    engine: Engine,
    *,
    login: Callable[[Held], dict[str, Any]] = postgres.login,
    refused: Callable[[Exception], bool] = postgres.refused,
) -> Engine:
    """The engine, following from now on; its URL names the address and no credential.

    login: the driver's connect arguments of a version. refused: whether a failed connect speaks of the credential.
    """
    _Following(cache, engine, login, refused)
    return engine


class _Following:
    """Listeners of one engine. A record is the pool's place for a connection, which it outlives."""

    def __init__(
        self,
        cache: SecretCache,
        engine: Engine,
        login: Callable[[Held], dict[str, Any]],
        refused: Callable[[Exception], bool],
    ) -> None:
        self._cache, self._login, self._refused = cache, login, refused
        self._opened: Opened[Any] = Opened(lambda _connection: False)
        self._lock = threading.Lock()
        self._idle: set[Any] = set()
        event.listen(engine, "do_connect", self._connect)
        for name in ("checkout", "checkin", "close"):
            event.listen(engine, name, getattr(self, f"_{name}"))
        cache.add(self)

    def follow(self, held: Held) -> None:
        """Close what idles on another version; its place in the pool connects again when it is needed."""
        others = self._opened.others(held)
        with self._lock:
            idle = [one for one in others if one in self._idle]
            self._idle.difference_update(idle)
        for connection in idle:
            connection.close()
            self._opened.remove(connection)

    def behind(self, held: Held) -> bool:
        """Whether a connection of another version is open."""
        return self._opened.behind(held)

    def _connect(self, dialect: Any, _record: Any, arguments: Any, named: dict[str, Any]) -> Any:
        def attempt(held: Held) -> Any:
            with self._opened.opening(held):
                connection = dialect.connect(*arguments, **{**named, **self._login(held)})
                self._opened.add(connection, held)
            return connection

        return self._cache.call(attempt, self._refused)

    def _checkout(self, connection: Any, _record: Any, _proxy: Any) -> None:
        with self._lock:
            self._idle.discard(connection)
        if self._outdated(connection):
            # the pool answers it by connecting again
            raise DisconnectionError("the credential has changed")

    def _checkin(self, connection: Any, record: Any) -> None:
        if connection is None:
            return
        if self._outdated(connection):
            record.invalidate()
            return
        with self._lock:
            self._idle.add(connection)

    def _close(self, connection: Any, _record: Any) -> None:
        with self._lock:
            self._idle.discard(connection)
        self._opened.remove(connection)

    def _outdated(self, connection: Any) -> bool:
        return self._opened.version(connection) != self._cache.held().store_version
