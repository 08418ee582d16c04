"""A service at work while its user changes, the old one is revoked and its sessions are ended: no request fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import psycopg
import pytest
import redis
from client_load import Load
from client_servers import Rotating, Told, publish
from psycopg_pool import ConnectionPool
from sqlalchemy import create_engine, text

from keyturn.client import Acknowledger, SecretCache
from keyturn.client.listeners.redis_events import RedisEvents
from keyturn.client.pools.psycopg_listen import Listening
from keyturn.client.pools.psycopg_pool import pooled
from keyturn.client.pools.sqlalchemy_engine import follow
from tests.property.event_maker import SECRET, STACK, trusted

POOLED, WORKERS, ROTATIONS = 50, 8, 3
# Half of the time between promotion and retirement, at least.
LONG_S = 0.5
WORK = "INSERT INTO transfers (cents) VALUES (1)"


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def cache(rotating: Rotating, events: RedisEvents, told: Told, publisher: redis.Redis) -> Iterator[SecretCache]:
    with (
        Acknowledger(told, consumer="billing") as ack,
        SecretCache(SECRET, rotating, stack=STACK, keys=trusted(), events=events, ack=ack) as cache,
    ):
        yield cache


def test_no_request_fails_through_three_rotations_with_long_transactions_and_a_listener(
    rotating: Rotating, cache: SecretCache, told: Told, publisher: redis.Redis
) -> None:
    with ExitStack() as stack:
        pool = stack.enter_context(pooled(cache, min_size=POOLED, max_size=POOLED))
        listening = Listening(cache, ("orders",))
        stack.callback(listening.close)
        heard, reader = _reading(listening)
        stack.callback(reader)
        load, long = Load(lambda: _insert(pool), WORKERS), Load(lambda: _long(pool), WORKERS)
        stack.enter_context(load.running())
        stack.enter_context(long.running())
        ended = []
        for number in range(2, ROTATIONS + 2):
            publish(publisher, rotating.promote())
            rotating.as_authority(f"NOTIFY orders, '{number}'")
            told.wait_for(number)
            load.more(WORKERS)
            ended.append(rotating.retire())
            load.more(WORKERS)
            long.more(1)
        _wait_for(heard, str(ROTATIONS + 1))

    assert load.failed == long.failed == []
    # whoever acknowledged had let go of every session of the old user
    assert ended == [0] * ROTATIONS
    assert set(heard) == {str(number) for number in range(2, ROTATIONS + 2)}
    assert cache.counters.refetches == 0


def test_the_same_service_with_the_password_read_once_fails(
    rotating: Rotating, cache: SecretCache, told: Told, publisher: redis.Redis
) -> None:
    fields = rotating.current().value.unsafe_fields()
    login = {"user": fields["username"], "password": fields["password"]}
    address = {name: fields[name] for name in ("host", "port", "dbname")}
    with ConnectionPool(kwargs=address | login, min_size=4, max_size=4, timeout=0.3) as pool:
        pool.wait()
        load = Load(lambda: _insert(pool), WORKERS)
        with load.running():
            publish(publisher, rotating.promote())
            told.wait_for(2)
            assert rotating.retire() > 0
            deadline = time.monotonic() + 10
            while not load.failed and time.monotonic() < deadline:
                _insert_quietly(pool)

    assert load.failed


def test_an_engine_of_sqlalchemy_goes_through_three_rotations_without_a_failed_request(
    rotating: Rotating, cache: SecretCache, told: Told, publisher: redis.Redis
) -> None:
    fields = rotating.current().value.unsafe_fields()
    engine = create_engine(
        f"postgresql+psycopg://{fields['host']}:{fields['port']}/{fields['dbname']}", pool_size=WORKERS, max_overflow=4
    )
    follow(cache, engine)

    def request() -> None:
        with engine.begin() as connection:
            connection.execute(text(WORK))

    load, ended = Load(request, WORKERS), []
    try:
        with load.running():
            for number in range(2, ROTATIONS + 2):
                publish(publisher, rotating.promote())
                told.wait_for(number)
                load.more(WORKERS)
                ended.append(rotating.retire())
                load.more(WORKERS)
    finally:
        engine.dispose()
    assert load.failed == []
    assert ended == [0] * ROTATIONS


def test_a_pool_that_missed_every_event_is_refused_once_and_goes_on(rotating: Rotating) -> None:
    cache = SecretCache(SECRET, rotating)
    with pooled(cache, min_size=2, max_size=2) as pool:
        pool.wait()
        rotating.promote()
        # its sessions are ended: the pool's next connections meet the refusal
        assert rotating.retire() == 2
        done = 0
        while not done:
            try:
                _insert(pool)
                done += 1
            except psycopg.OperationalError:
                # a session that was ended under the pool, of which there were two
                continue

    assert cache.counters.refetches == 1
    assert cache.held().store_version == "2"


def _insert(pool: ConnectionPool[Any]) -> None:
    with pool.connection() as connection:
        connection.execute(WORK)


def _insert_quietly(pool: ConnectionPool[Any]) -> None:
    try:
        _insert(pool)
    except psycopg.Error:
        return


def _long(pool: ConnectionPool[Any]) -> None:
    """A transaction that is still open when the credential changes."""
    with pool.connection() as connection:
        connection.execute(WORK)
        connection.execute("SELECT pg_sleep(%s)", (LONG_S,))
        connection.execute(WORK)


def _reading(listening: Listening) -> tuple[list[str], Callable[[], None]]:
    """What was heard, and how to stop hearing."""
    heard: list[str] = []
    ended = threading.Event()

    def read() -> None:
        while not ended.is_set():
            heard.extend(notify.payload for notify in listening.notifications(0.2))

    def stop() -> None:
        ended.set()
        thread.join(20)

    thread = threading.Thread(target=read)
    thread.start()
    return heard, stop


def _wait_for(heard: list[str], payload: str) -> None:
    deadline = time.monotonic() + 10
    while payload not in heard and time.monotonic() < deadline:
        threading.Event().wait(0.01)
