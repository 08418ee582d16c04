"""A `psycopg_pool.AsyncConnectionPool` whose connections follow the cache; how is said in `psycopg_pool`."""

from __future__ import annotations

import asyncio
from typing import Any

import psycopg
from psycopg_pool import AsyncConnectionPool

from keyturn.client.aio import AsyncSecretCache
from keyturn.client.following import Opened
from keyturn.client.pools.postgres import parameters, refused
from keyturn.client.pools.psycopg_pool import Drained
from keyturn.client.value import Held


def pooled(cache: AsyncSecretCache, conninfo: str = "", **options: Any) -> AsyncConnectionPool[Any]:
    """A pool, not yet open, that follows `cache`; call it on the loop that will use it. Otherwise as the sync one."""
    opened: Opened[Any] = Opened(lambda connection: connection.closed)
    kind = _following(cache, opened, options.pop("connection_class", psycopg.AsyncConnection))
    pool: AsyncConnectionPool[Any] = AsyncConnectionPool(conninfo, connection_class=kind, open=False, **options)
    cache.add(_Drained(opened, pool))
    return pool


def _following(cache: AsyncSecretCache, opened: Opened[Any], kind: type[Any]) -> type[Any]:
    async def connect(conninfo: str = "", **given: Any) -> Any:
        async def attempt(held: Held) -> Any:
            with opened.opening(held):
                connection = await kind.connect(conninfo, **parameters(held, conninfo, given))
                opened.add(connection, held)
            return connection

        before = cache.held()
        connection = await cache.call(attempt, refused)
        if before != (now := cache.held()) and opened.version(connection) != now.store_version:
            # the version changed while this was being opened
            await connection.close()
            connection = await cache.call(attempt, refused)
        return connection

    return type(f"Following{kind.__name__}", (kind,), {"connect": staticmethod(connect)})


class _Drained:
    """The sync follower's decisions, the loop's draining."""

    def __init__(self, opened: Opened[Any], pool: AsyncConnectionPool[Any]) -> None:
        self._pool, self._loop = pool, asyncio.get_running_loop()
        self._wanted = False
        self._sync = Drained(opened, self._want)

    async def follow(self, held: Held) -> None:
        """As `Drained.follow`."""
        self._sync.follow(held)
        await self._drain_if_wanted()

    def behind(self, held: Held) -> bool:
        """As `Drained.behind`; what is to be drained is left to the loop."""
        behind = self._sync.behind(held)
        if self._wanted:
            asyncio.run_coroutine_threadsafe(self._drain_if_wanted(), self._loop)
        return behind

    def _want(self) -> None:
        self._wanted = True

    async def _drain_if_wanted(self) -> None:
        if self._wanted:
            self._wanted = False
            await self._pool.drain()
