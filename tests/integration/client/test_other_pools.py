"""redis-py and asyncio psycopg through a rotation under load."""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Any

import redis
from client_load import Load
from client_servers import Rotating, Told, publish

from keyturn.client import Acknowledger, AsyncSecretCache, SecretCache, Value
from keyturn.client.listeners.redis_events import RedisEvents
from keyturn.client.pools import psycopg_async, redis_client
from keyturn.client.sources import Fetched
from sandbox.parts.redis import Lone
from tests.property.event_maker import SECRET, STACK, trusted, version

TASKS, THREADS = 8, 4


@dataclass
class RedisUsers:
    """Two users of a Redis in alternation, and a source of the current one. The version id is Keyturn's."""

    admin: redis.Redis
    lagging: bool = False
    names_versions: bool = True
    number: int = 0
    words: dict[int, str] = field(default_factory=dict)

    def promote(self) -> None:
        self.number += 1
        self.words[self.number] = secrets.token_hex(16)
        self.admin.acl_setuser(
            self.user,
            enabled=True,
            reset=True,
            passwords=[f"+{self.words[self.number]}"],
            keys=["*"],
            categories=["+@all"],
        )

    def retire(self) -> int:
        """Refuse the user before, and end its sessions; how many there were."""
        old = f"payer-{(self.number - 1) % 2}"
        self.admin.acl_setuser(old, enabled=False, reset_passwords=True)
        return int(self.admin.execute_command("CLIENT", "KILL", "USER", old))

    @property
    def user(self) -> str:
        return f"payer-{self.number % 2}"

    def current(self) -> Fetched:
        text = f'{{"username": "{self.user}", "password": "{self.words[self.number]}"}}'
        return Fetched(store_version=version(self.number), value=Value(text))

    def by_version(self, store_version: str) -> Fetched:
        raise AssertionError(store_version)


def test_clients_of_redis_move_to_the_new_user_and_none_is_cut_off(lone: Lone, publisher: redis.Redis) -> None:
    users, told = RedisUsers(publisher), Told()
    users.promote()
    revoked = []
    with Acknowledger(told, consumer="billing") as ack, SecretCache(SECRET, users, ack=ack) as cache:
        pool = redis_client.pooled(cache, host="127.0.0.1", port=lone.port)
        with redis.Redis(connection_pool=pool) as client:
            load = Load(lambda: client.incr("transfers"), THREADS)
            with load.running():
                told.wait_for(1)
                for number in (2, 3):
                    users.promote()
                    cache.reconnected()
                    told.wait_for(number)
                    load.more(THREADS)
                    revoked.append(users.retire())
                    load.more(THREADS)
        pool.disconnect()

    assert load.failed == []
    assert revoked == [0, 0]


def test_a_redis_client_that_missed_the_event_is_refused_and_goes_on(lone: Lone, publisher: redis.Redis) -> None:
    users = RedisUsers(publisher)
    users.promote()
    cache = SecretCache(SECRET, users)
    cache.get()
    users.promote()
    users.retire()
    pool = redis_client.pooled(cache, host="127.0.0.1", port=lone.port)
    with redis.Redis(connection_pool=pool) as client:
        assert client.ping()
    pool.disconnect()

    assert (cache.counters.refetches, cache.held().version) == (1, version(2))
    assert users.words[2] not in repr(pool)


def test_an_asyncio_pool_goes_through_three_rotations_without_a_failed_request(
    rotating: Rotating, events: RedisEvents, publisher: redis.Redis
) -> None:
    told = Told()

    async def service() -> tuple[int, list[str], list[int], Any]:
        done, failed, revoked, ended = 0, list[str](), list[int](), asyncio.Event()
        with Acknowledger(told, consumer="billing") as ack:
            options = {"stack": STACK, "keys": trusted(), "events": events, "ack": ack}
            async with AsyncSecretCache(SECRET, rotating, **options) as cache:
                async with psycopg_async.pooled(cache, min_size=TASKS, max_size=TASKS) as pool:

                    async def work() -> None:
                        nonlocal done
                        while not ended.is_set():
                            try:
                                async with pool.connection() as connection:
                                    await connection.execute("INSERT INTO transfers (cents) VALUES (1)")
                                    done += 1
                            except Exception as exc:  # noqa: BLE001 - whatever a request meets is counted
                                failed.append(f"{type(exc).__name__}: {exc}")

                    tasks = [asyncio.create_task(work()) for _ in range(TASKS)]
                    for number in (2, 3, 4):
                        publish(publisher, await asyncio.to_thread(rotating.promote))
                        await asyncio.to_thread(told.wait_for, number)
                        revoked.append(await asyncio.to_thread(rotating.retire))
                    ended.set()
                    await asyncio.gather(*tasks)
                return done, failed, revoked, cache.counters

    done, failed, revoked, counters = asyncio.run(service())

    assert failed == []
    assert revoked == [0, 0, 0]
    assert done > 10
    assert counters.refetches == 0
