"""What the adapters do with a driver's connections and a channel's log at a change, without a server."""

from __future__ import annotations

import importlib
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest
from client_bench import PATIENCE_S, Clock, Store, cache_of
from redis import ConnectionPool
from redis.connection import Connection
from test_ears import Hearer

from keyturn.client.following import AGAIN_S, Opened
from keyturn.client.listeners.redis_events import CHECK_S, RedisEvents
from keyturn.client.pools import psycopg_listen
from keyturn.client.pools.psycopg_listen import Listening
from keyturn.client.pools.redis_client import _Followed
from tests.property.event_maker import STACK, event


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


def test_what_the_old_connection_still_has_is_given_to_the_reader_before_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Listened.opened = []
    monkeypatch.setattr(psycopg_listen.psycopg, "connect", Listened.connect)
    store = Store()
    cache = cache_of(store)
    listening = Listening(cache, ("orders",))
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
    Listened.opened = []
    monkeypatch.setattr(psycopg_listen.psycopg, "connect", Listened.connect)
    store = Store()
    cache = cache_of(store)
    listening = Listening(cache, ("orders",))
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
    Listened.opened = []
    monkeypatch.setattr(psycopg_listen.psycopg, "connect", Listened.connect)
    store = Store()
    cache = cache_of(store)
    listening = Listening(cache, ("orders",))
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


class Server:
    """A Redis whose subscription stands and delivers nothing; each look takes a second of the timer."""

    def __init__(self, timer: Clock) -> None:
        self.timer, self.log = timer, list[tuple[bytes, dict[bytes, bytes]]]()
        self.pings = 0
        self.retries = -1
        self.newcomer: Hearer | None = None
        self.events: RedisEvents | None = None

    def set_retry(self, retry: Any) -> None:
        self.retries = retry.get_retries()

    def pubsub(self, **_: Any) -> Server:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        return

    def subscribe(self, _channel: str) -> None:
        return

    def get_message(self, *, timeout: float) -> dict[str, Any] | None:
        assert self.events is not None
        if not self.events.connected:
            return {"type": "subscribe"}
        self.timer.at += 1
        if self.timer.at == 1:
            self.log.append((b"1-0", {b"event": json.dumps(event(2)).encode()}))
        if self.timer.at == 2 and self.newcomer is not None:
            # as `attach` does, whose thread is this one
            self.events._ears._hearers.append(self.newcomer)
            self.events._ears.newcomer.set()
        if self.timer.at > 2 * CHECK_S + timeout + 1:
            self.events._ears.ended.set()
        return None

    def ping(self) -> None:
        self.pings += 1

    def xrevrange(self, _log: str, *, count: int) -> list[Any]:
        return self.log[::-1][:count]

    def xrange(self, _log: str, *, min: str, count: int) -> list[Any]:  # noqa: A002 - as redis-py calls it
        return [entry for entry in self.log if entry[0] > min.removeprefix("(").encode()][:count]


def test_a_subscription_that_stands_and_delivers_nothing_is_made_good_from_the_log() -> None:
    server = Server(Clock(0.0))
    server.events = RedisEvents(server, STACK, timer=server.timer)  # type: ignore[arg-type]  # the server of the tests
    server.events._ears._hearers.append(hearer := Hearer())

    server.events._listen()

    assert [json.loads(raw)["id"] for raw in hearer.heard] == [event(2)["id"]]
    assert server.pings == 2


def test_whoever_is_attached_later_is_told_what_the_log_still_has() -> None:
    server = Server(Clock(0.0))
    server.log.append((b"0-1", {b"event": json.dumps(event(1)).encode()}))
    server.events = RedisEvents(server, STACK, timer=server.timer)  # type: ignore[arg-type]  # the server of the tests
    server.events._ears._hearers.append(Hearer())
    server.newcomer = late = Hearer()

    server.events._listen()

    assert [json.loads(raw)["id"] for raw in late.heard] == [event(2)["id"], event(1)["id"]]


def test_the_client_of_a_listener_does_not_come_back_unseen() -> None:
    server = Server(Clock(0.0))
    RedisEvents(server, STACK)  # type: ignore[arg-type]  # the server of the tests
    assert server.retries == 0
