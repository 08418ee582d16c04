"""The cache for asyncio: the same decisions and the same threads, none of which the loop ever waits for.

The SDKs of the stores block, so a read of the store needs a thread anyway; the whole cache therefore lives on threads
and the loop is told. `get` is a look into memory. Refused requests queue for one thread, so that any number of tasks
that fail at once make one read. Followers are coroutines of the loop on which `start` was awaited.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, Self, TypeVar

from keyturn.client.cache import SecretCache
from keyturn.client.counters import Counters
from keyturn.client.sources import Source
from keyturn.client.uses import Use
from keyturn.client.value import Held, Value

T = TypeVar("T")

# A follower only lets go of what idles; one that takes longer counts as failed and is tried again.
_FOLLOW_S = 30.0


class AsyncFollower(Protocol):
    """What uses a credential, on the loop."""

    async def follow(self, held: Held) -> None:
        """As `Follower.follow`."""
        ...

    def behind(self, held: Held) -> bool:
        """As `Follower.behind`; asked from another thread."""
        ...


class AsyncSecretCache:
    """One secret of one consumer, for one event loop. Takes what `SecretCache` takes."""

    def __init__(self, secret: str, source: Source, **options: Any) -> None:
        self._cache = SecretCache(secret, source, **options)
        # one: whoever comes while it reads finds the answer
        self._reader = self._one_thread()
        self._followers: dict[AsyncFollower, _OnLoop] = {}

    @property
    def counters(self) -> Counters:
        """As `SecretCache.counters`."""
        return self._cache.counters

    def get(self) -> Value:
        """The current value, from memory; await `start` first."""
        return self._cache.get()

    def held(self) -> Held:
        """The current value and which version it is; await `start` first."""
        return self._cache.held()

    async def after(self, refused: Collection[str]) -> Held | None:
        """As `SecretCache.after`."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, self._cache.after, frozenset(refused))

    async def call(self, attempt: Callable[[Held], Awaitable[T]], refused: Callable[[Exception], bool]) -> T:
        """As `SecretCache.call`, with a coroutine function."""
        use = self.use()
        try:
            while True:
                try:
                    came = await attempt(use.held)
                except Exception as exc:
                    if not (refused(exc) and await self.refused(use)):
                        raise
                else:
                    use.accepted()
                    return came
        finally:
            use.end()

    def use(self) -> Use:
        """As `SecretCache.use`; `refused` below instead of its own."""
        return self._cache.use()

    async def refused(self, use: Use) -> bool:
        """As `Use.refused`, which may read the store."""
        return await asyncio.get_running_loop().run_in_executor(self._reader, use.refused)

    def add(self, follower: AsyncFollower) -> None:
        """As `SecretCache.add`, from the loop that the follower lives on."""
        on_loop = self._followers.setdefault(follower, _OnLoop(follower, asyncio.get_running_loop()))
        self._cache.add(on_loop)

    def remove(self, follower: AsyncFollower) -> None:
        """As `SecretCache.remove`."""
        if (on_loop := self._followers.pop(follower, None)) is not None:
            self._cache.remove(on_loop)

    async def start(self) -> Self:
        """As `SecretCache.start`."""
        await asyncio.get_running_loop().run_in_executor(self._reader, self._cache.start)
        return self

    async def close(self) -> None:
        """As `SecretCache.close`; a request that is refused after it still finds the next value."""
        await asyncio.get_running_loop().run_in_executor(self._reader, self._cache.close)
        # what waits in it is done without the loop waiting for that; the next one has no thread before it is needed
        reader, self._reader = self._reader, self._one_thread()
        reader.shutdown(wait=False)

    def _one_thread(self) -> ThreadPoolExecutor:
        return ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"keyturn {self._cache.secret}")

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(self, *_exc: object) -> None:
        await self.close()


class _OnLoop:
    """A follower of the loop, for the keeper's thread."""

    def __init__(self, follower: AsyncFollower, loop: asyncio.AbstractEventLoop) -> None:
        self._follower, self._loop = follower, loop

    def follow(self, held: Held) -> None:
        """Wait for the loop to have done it; one that takes too long is stopped, since it is asked again."""
        moving = asyncio.run_coroutine_threadsafe(self._follower.follow(held), self._loop)
        try:
            moving.result(_FOLLOW_S)
        finally:
            moving.cancel()

    def behind(self, held: Held) -> bool:
        """A look at counters."""
        return self._follower.behind(held)
