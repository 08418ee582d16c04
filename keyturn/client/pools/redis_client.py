"""A redis-py connection pool whose connections follow the cache.

A connection authenticates with the current value, and when that is refused with the next in order, on the same socket.
At a change idle connections are closed, those in use are told to connect again when they come back; a subscription
does so before it next waits for a message. The secret has the fields `username` and `password`.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from redis import ConnectionPool, CredentialProvider
from redis.connection import Connection
from redis.exceptions import AuthenticationError

from keyturn.client.cache import SecretCache
from keyturn.client.following import AGAIN_S, Opened
from keyturn.client.value import Held


def pooled(cache: SecretCache, *, connection_class: type[Any] = Connection, **options: Any) -> ConnectionPool:
    """A pool that follows `cache`, for `Redis(connection_pool=...)`; `options` as ConnectionPool takes them."""
    opened: Opened[Any] = Opened(lambda connection: not connection.is_connected)
    pool = ConnectionPool(connection_class=_following(cache, opened, connection_class), **options)
    cache.add(_Followed(opened, pool, time.monotonic))
    return pool


def _following(cache: SecretCache, opened: Opened[Any], kind: type[Any]) -> type[Any]:
    def on_connect(self: Any, check_health: bool = True) -> None:
        def attempt(held: Held) -> None:
            self.credential_provider = _Given(held)
            with opened.opening(held):
                kind.on_connect_check_health(self, check_health=check_health)
                opened.add(self, held)

        before = cache.held()
        cache.call(attempt, _is_refusal)
        if before != (now := cache.held()) and opened.version(self) != now.store_version:
            # the version changed in between
            cache.call(attempt, _is_refusal)

    return type(f"Following{kind.__name__}", (kind,), {"on_connect_check_health": on_connect})


def _is_refusal(exc: Exception) -> bool:
    return isinstance(exc, AuthenticationError)


class _Given(CredentialProvider):
    """One version's user and password; printing it shows neither."""

    def __init__(self, held: Held) -> None:
        self._held = held

    def get_credentials(self) -> tuple[str] | tuple[str, str]:
        """For AUTH."""
        fields = self._held.value.unsafe_fields()
        return fields["username"], fields["password"]


class _Followed:
    """The pool's part of a change."""

    def __init__(self, opened: Opened[Any], pool: ConnectionPool, timer: Callable[[], float]) -> None:
        self._opened, self._pool, self._timer = opened, pool, timer
        self._again_at = 0.0

    def follow(self, held: Held) -> None:
        """In use: at their next turn. Idle: now."""
        for connection in self._opened.others(held):
            connection.mark_for_reconnect()
        self._pool.disconnect(inuse_connections=False)
        self._again_at = self._timer() + AGAIN_S

    def behind(self, held: Held) -> bool:
        """Whether a connection of another version is open."""
        behind = self._opened.behind(held)
        if behind and self._timer() >= self._again_at:
            # the target may have refused the new version, and accept it by now
            self.follow(held)
        return behind
