"""A SQLAlchemy engine whose connections follow the cache, whatever its driver and its pool.

The engine and its pool stay: a new pool would leave those who are just taking a connection from the old one with
connections that nobody closes. Idle connections of another version are closed at the change; one that is taken from
the pool or comes back to it on another version is replaced. All through public events of the pool. An asyncio engine
is not covered: reading the store would block its loop.

Where the target refuses the new version, connections are opened with the previous one, and serve: they are not replaced
before the new one was accepted, but that one of them tries it now and then.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError

from keyturn.client.cache import SecretCache
from keyturn.client.following import AGAIN_S, Opened
from keyturn.client.pools import postgres
from keyturn.client.value import Held


def follow(
    cache: SecretCache,
    engine: Engine,
    *,
    login: Callable[[Held], dict[str, Any]] = postgres.login,
    refused: Callable[[Exception], bool] = postgres.refused,
    timer: Callable[[], float] = time.monotonic,
) -> Engine:
    """The engine, following from now on; its URL names the address and no credential.

    login: the driver's connect arguments of a version. refused: whether a failed connect speaks of the credential.
    """
    _Following(cache, engine, login, refused, timer)
    return engine


class _Following:
    """Listeners of one engine. A record is the pool's place for a connection, which it outlives."""

    def __init__(
        self,
        cache: SecretCache,
        engine: Engine,
        login: Callable[[Held], dict[str, Any]],
        refused: Callable[[Exception], bool],
        timer: Callable[[], float],
    ) -> None:
        self._cache, self._login, self._refused, self._timer = cache, login, refused, timer
        self._opened: Opened[Any] = Opened(lambda _connection: False)
        # reentrant, as in `Opened`
        self._lock = threading.RLock()
        self._idle: set[Any] = set()
        # the version that the target does not accept yet, and when it is to be tried again
        self._unaccepted, self._again_at = "", 0.0
        event.listen(engine, "do_connect", self._connect)
        for name in ("checkout", "checkin", "close", "close_detached"):
            event.listen(engine, name, getattr(self, f"_{name.removesuffix('_detached')}"))
        cache.add(self)

    def follow(self, held: Held) -> None:
        """Close what idles on another version; its place in the pool connects again when it is needed."""
        for connection in self._opened.others(held):
            with self._lock:
                if connection not in self._idle:
                    continue
                # whoever takes it from the pool meanwhile finds that nobody knows it
                self._idle.discard(connection)
                self._opened.remove(connection)
            connection.close()

    def behind(self, held: Held) -> bool:
        """Whether a connection of another version is open."""
        return self._opened.behind(held)

    def _connect(self, dialect: Any, _record: Any, arguments: Any, named: dict[str, Any]) -> Any:
        tried: list[str] = []

        def attempt(held: Held) -> Any:
            tried.append(held.store_version)
            with self._opened.opening(held):
                connection = dialect.connect(*arguments, **{**named, **self._login(held)})
                self._opened.add(connection, held)
            return connection

        connection = self._cache.call(attempt, self._refused)
        self._learn(tried[:-1], tried[-1])
        return connection

    def _learn(self, refused: list[str], accepted: str) -> None:
        current = self._cache.held().store_version
        with self._lock:
            if current in refused:
                self._unaccepted, self._again_at = current, self._timer() + AGAIN_S
            elif accepted == self._unaccepted:
                self._unaccepted = ""

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

    def _close(self, connection: Any, _record: Any = None) -> None:
        with self._lock:
            self._idle.discard(connection)
        self._opened.remove(connection)

    def _outdated(self, connection: Any) -> bool:
        """Whether it is to be replaced: something newer was accepted since, or may be by now."""
        version, current = self._opened.version(connection), self._cache.held().store_version
        if version in (current, ""):
            return not version
        with self._lock:
            if current != self._unaccepted:
                return True
            if self._timer() < self._again_at:
                return False
            self._again_at = self._timer() + AGAIN_S
            return True
