"""What the adapters do with a driver's connections at a change, without a server."""

from __future__ import annotations

import asyncio
import importlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from client_bench import PATIENCE_S, Clock, Store, cache_of
from redis import ConnectionPool
from redis.connection import Connection

from keyturn.client import SecretCache
from keyturn.client.following import AGAIN_S, Opened
from keyturn.client.pools import psycopg_async, psycopg_listen, psycopg_pool
from keyturn.client.pools.psycopg_listen import Listening
from keyturn.client.pools.redis_client import _Followed


class Listened:
    """A connection of psycopg that LISTENs; `late` arrives when the reader has looked for the last time."""

    opened: list[Listened]

    def __init__(self, user: str) -> None:
        self.user, self.closed = user, False
        self.late: list[str] = []

    @classmethod
    def connect(cls, _conninfo: str, *, user: str, **_given: Any) -> Listened:
        cls.opened.append(cls(user))
        return cls.opened[-1]

    def execute(self, _statement: Any) -> None:
        assert not self.closed

    def notifies(self, *, timeout: float) -> Iterator[str]:
        assert not self.closed
        if timeout == 0:
            yield from self.late

    def close(self) -> None:
        self.closed = True


def _listening(monkeypatch: pytest.MonkeyPatch) -> tuple[Store, SecretCache, Listening]:
    """A listener of a cache whose connections are those of `Listened`."""
    Listened.opened = []
    monkeypatch.setattr(psycopg_listen.psycopg, "connect", Listened.connect)
    store = Store()
    cache = cache_of(store)
    return store, cache, Listening(cache, ("orders",))


def test_what_the_old_connection_still_has_is_given_to_the_reader_before_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, cache, listening = _listening(monkeypatch)
    store.put("2")
    cache.poll()
    cache._keeper.step()
    old, new = Listened.opened
    old.late = ["paid", "sent"]
    # nobody has read: the old one stays, and holds the acknowledgement back
    assert listening.behind(cache.held())
    assert not old.closed

    assert list(listening.notifications(psycopg_listen.GLANCE_S)) == ["paid", "sent"]

    assert (old.closed, new.closed, new.user) == (True, False, "user-2")
    assert not listening.behind(cache.held())
    assert list(listening.notifications(psycopg_listen.GLANCE_S)) == []


@pytest.mark.parametrize("ended", ["closed", "lost"])
def test_a_connection_that_listens_no_more_is_not_moved_and_holds_nothing_back(
    monkeypatch: pytest.MonkeyPatch, ended: str
) -> None:
    store, cache, listening = _listening(monkeypatch)
    if ended == "closed":
        listening.close()
        assert cache._keeper._all() == []
    else:
        Listened.opened[0].closed = True
    store.put("2")
    cache.poll()
    cache._keeper.step()

    assert not listening.behind(cache.held())
    assert len(Listened.opened) == 1


def test_a_connection_that_was_being_opened_when_its_owner_gave_up_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    store, cache, listening = _listening(monkeypatch)
    store.put("2")
    cache.poll()

    def connect(conninfo: str, **given: Any) -> Listened:
        listening.close()
        return Listened.connect(conninfo, **given)

    monkeypatch.setattr(psycopg_listen.psycopg, "connect", connect)
    cache._keeper.step()

    assert [one.closed for one in Listened.opened] == [True, True]
    assert cache._keeper._all() == []


def test_the_example_listens_again_after_a_lost_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "examples"))
    service: Any = importlib.import_module("service")
    again, made = threading.Event(), list[Any]()

    class Lossy:
        """Loses its first connection, and cannot be made at once."""

        def __init__(self, *_: object) -> None:
            made.append(self)
            self.number, self.closed = len(made), False
            if self.number == 2:
                raise psycopg.OperationalError

        def notifications(self, _timeout_s: float) -> Iterator[psycopg.Notify]:
            if self.number == 1:
                raise psycopg.OperationalError
            yield psycopg.Notify("orders", "paid", 1)
            again.set()

        def close(self) -> None:
            self.closed = True

    monkeypatch.setattr(service, "Listening", Lossy)
    monkeypatch.setattr(service, "_GLANCE_S", 0.0)
    with service.orders(cache_of(Store())) as heard:
        assert again.wait(PATIENCE_S)
        assert heard == {"paid"}
    assert [one.closed for one in made] == [True, False, True]


class Socketless(Connection):
    """A connection of redis-py that says it is connected."""

    is_connected = True


def test_a_connection_of_redis_that_is_in_use_is_told_to_connect_again_at_its_next_turn() -> None:
    store = Store()
    cache = cache_of(store)
    opened: Opened[Any] = Opened(lambda connection: not connection.is_connected)
    old, new = Socketless(), Socketless()
    opened.add(old, cache.held())
    store.put("2")
    cache.poll()
    opened.add(new, cache.held())

    timer = Clock(0.0)
    followed = _Followed(opened, ConnectionPool(), timer)
    followed.follow(cache.held())
    assert (old.should_reconnect(), new.should_reconnect()) == (True, False)

    # it did, and was refused with the new version: it tries again after a while
    old.reset_should_reconnect()
    marked = list[bool]()
    for timer.at in (AGAIN_S - 1, AGAIN_S):
        assert followed.behind(cache.held())
        marked.append(old.should_reconnect())
    assert marked == [False, True]


class Idle(Socketless):
    """One that nobody uses."""

    gone = False

    def disconnect(self, *_: Any) -> None:
        self.gone = True


def test_an_idle_connection_of_redis_is_closed_at_the_change() -> None:
    store = Store()
    cache = cache_of(store)
    opened: Opened[Any] = Opened(lambda connection: connection.gone)
    pool = ConnectionPool(connection_class=Idle)
    opened.add(idle := pool.make_connection(), cache.held())
    pool._available_connections.append(idle)
    store.put("2")
    cache.poll()
    followed = _Followed(opened, pool, Clock(0.0))
    assert followed.behind(cache.held())

    assert not followed.behind(cache.held())


class Draining:
    """An asyncio pool that counts how often it is drained."""

    def __init__(self) -> None:
        self.drained = 0

    async def drain(self) -> None:
        self.drained += 1


def test_what_slipped_into_an_asyncio_pool_during_the_draining_is_drained_once_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(psycopg_pool, "SECOND_DRAIN_S", 0.0)
    store, pool = Store(), Draining()
    cache = cache_of(store)
    opened: Opened[Any] = Opened(lambda connection: connection.closed)

    async def service() -> list[int]:
        opened.add(slipped := Listened("user-1"), cache.held())
        store.put("2")
        cache.poll()
        follower, drained = psycopg_async._Drained(opened, pool), list[int]()  # type: ignore[arg-type]  # of the tests
        await follower.follow(cache.held())
        drained.append(pool.drained)
        # as the keeper asks, from its own thread
        assert await asyncio.to_thread(follower.behind, cache.held())
        await asyncio.sleep(0)
        drained.append(pool.drained)
        slipped.closed = True
        assert not await asyncio.to_thread(follower.behind, cache.held())
        return drained

    assert asyncio.run(service()) == [1, 2]
