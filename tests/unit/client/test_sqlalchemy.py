"""SQLAlchemy's pools with the driver of sqlite, whose connections cannot be referred to weakly."""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from client_bench import PATIENCE_S, Clock, Store, cache_of

from keyturn.client import SecretCache
from keyturn.client.following import AGAIN_S
from keyturn.client.pools.sqlalchemy_engine import follow
from keyturn.client.value import Held

# More allocations than a look at pool or cache makes.
_MOMENTS = 60


class Refused(Exception):
    """The database does not accept the login."""


class Database:
    """Logins that it accepts; which were made."""

    def __init__(self) -> None:
        self.store, self.timer = Store(), Clock(0.0)
        self.cache: SecretCache = cache_of(self.store, timer=self.timer)
        self.cache.get()
        self.accepted = {"1", "2", "3"}
        self.logins: list[str] = []

    def engine(self, kind: type[sa.Pool], **options: Any) -> sa.Engine:
        given = {"poolclass": kind, "connect_args": {"check_same_thread": False}, **options}
        return follow(
            self.cache,
            sa.create_engine("sqlite:///:memory:", **given),
            login=self._login,
            refused=lambda exc: isinstance(exc, Refused),
            timer=self.timer,
        )

    def promote(self, number: str) -> None:
        """Current in the cache; the keeper has not looked yet."""
        self.store.put(number)
        self.cache.poll()

    def _login(self, held: Held) -> dict[str, Any]:
        self.logins.append(held.store_version)
        if held.store_version not in self.accepted:
            raise Refused
        return {}


def works(engine: sa.Engine) -> bool:
    """Whether a statement has its answer."""
    with engine.connect() as connection:
        return bool(connection.execute(sa.text("SELECT 1")).scalar())


@pytest.fixture
def database() -> Database:
    return Database()


@pytest.fixture
def engine(database: Database) -> Iterator[sa.Engine]:
    made = database.engine(sa.QueuePool, pool_size=2)
    yield made
    made.dispose()


def behind(database: Database) -> bool:
    """Whether anything holds an acknowledgement back."""
    return any(one.behind(database.cache.held()) for one in database.cache._keeper._all())


@pytest.mark.parametrize("kind", [sa.QueuePool, sa.NullPool])
def test_where_the_new_version_is_refused_the_previous_one_serves(database: Database, kind: type[sa.Pool]) -> None:
    engine = database.engine(kind)
    assert works(engine)
    database.accepted = {"1"}
    database.promote("2")
    database.cache._keeper.step()

    assert [works(engine) for _ in range(3)] == [True] * 3
    assert database.logins.count("2") == (1 if kind is sa.QueuePool else 3)
    engine.dispose()


def test_connections_of_the_previous_version_go_when_the_new_one_is_accepted(
    database: Database, engine: sa.Engine
) -> None:
    works(engine)
    database.accepted = {"1"}
    database.promote("2")
    database.cache._keeper.step()
    with engine.connect(), engine.connect():
        assert database.logins == ["1", "2", "1", "2", "1"]
    assert behind(database)

    # tried again after a while, by one of them
    database.timer.at = AGAIN_S
    assert works(engine)
    assert works(engine)
    assert database.logins[5:] == ["2", "1"]

    database.accepted = {"2"}
    database.timer.at = 2 * AGAIN_S
    with engine.connect(), engine.connect():
        assert database.logins[7:] == ["2", "2"]
    assert not behind(database)


def test_an_idle_connection_is_closed_at_the_change(database: Database, engine: sa.Engine) -> None:
    works(engine)
    database.promote("2")
    assert behind(database)

    database.cache._keeper.step()

    assert not behind(database)
    assert works(engine)
    assert database.logins == ["1", "2"]


def test_one_that_was_in_use_is_replaced_when_it_comes_back(database: Database, engine: sa.Engine) -> None:
    with engine.connect() as connection:
        database.promote("2")
        database.cache._keeper.step()
        assert behind(database)
        assert connection.execute(sa.text("SELECT 1")).scalar() == 1

    # not when it is taken again
    assert not behind(database)
    assert works(engine)
    assert database.logins == ["1", "2"]


def test_one_that_is_taken_before_the_keeper_came_is_replaced_at_once(database: Database, engine: sa.Engine) -> None:
    works(engine)
    database.promote("2")

    with engine.connect():
        assert not behind(database)
    assert database.logins == ["1", "2"]


def test_one_that_is_taken_is_no_longer_closed_under_its_user(database: Database, engine: sa.Engine) -> None:
    works(engine)
    with engine.connect() as connection:
        database.promote("2")
        database.cache._keeper.step()
        assert connection.execute(sa.text("SELECT 1")).scalar() == 1


def forgotten(engine: sa.Engine) -> None:
    """As of a request whose owner neither closed its connection nor can be reached any more."""
    circle: list[Any] = [engine.connect()]
    circle.append(circle)


@pytest.mark.parametrize("looked_at", ["pool", "cache", "engine"])
def test_a_connection_that_nobody_gave_back_may_come_back_in_the_middle_of_anything(
    database: Database, engine: sa.Engine, looked_at: str
) -> None:
    def look() -> None:
        if looked_at == "pool":
            behind(database)
        elif looked_at == "cache":
            database.cache.use().end()
        else:
            works(engine)

    def collected_at_each_moment() -> None:
        """The garbage collector comes once at every allocation that a look makes."""
        for moment in range(_MOMENTS):
            forgotten(engine)
            gc.set_threshold(gc.get_count()[0] + moment)
            gc.enable()
            look()
            gc.disable()
            gc.collect()
        done.set()

    done, before = threading.Event(), gc.get_threshold()
    gc.collect()
    gc.disable()
    # so that each collection looks at what this test made, and at nothing else
    gc.freeze()
    try:
        threading.Thread(target=collected_at_each_moment, daemon=True).start()
        assert done.wait(PATIENCE_S)
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
        gc.enable()


def test_one_that_left_the_pool_counts_until_it_is_closed(database: Database, engine: sa.Engine) -> None:
    with engine.connect() as connection:
        connection.detach()
        database.promote("2")
        database.cache._keeper.step()
        assert behind(database)

    assert not behind(database)
