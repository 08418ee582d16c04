"""A connection that is being opened while the version changes: the one that nobody sees."""

from __future__ import annotations

import threading
from typing import Any

from client_bench import PATIENCE_S, Store, cache_of

from keyturn.client.following import AGAIN_S, Opened
from keyturn.client.pools.psycopg_pool import Drained, following


class Slow:
    """A connection whose opening takes until `may_end`."""

    begun, may_end = threading.Event(), threading.Event()
    users: list[str]

    def __init__(self, user: str) -> None:
        self.user, self.closed = user, False

    @classmethod
    def connect(cls, conninfo: str = "", **given: Any) -> Slow:
        cls.users.append(given["user"])
        cls.begun.set()
        assert cls.may_end.wait(PATIENCE_S)
        return cls(given["user"])

    def close(self) -> None:
        self.closed = True


def test_a_connection_that_is_just_being_opened_holds_the_old_version_and_ends_on_the_new_one() -> None:
    store = Store()
    cache = cache_of(store)
    cache.get()
    Slow.users = []
    opened: Opened[Any] = Opened(lambda connection: connection.closed)
    kind, drained, got = following(cache, opened, Slow), Drained(opened, lambda: None), list[Slow]()
    thread = threading.Thread(target=lambda: got.append(kind.connect("host=x")))
    thread.start()
    assert Slow.begun.wait(PATIENCE_S)
    store.put("2")
    cache.poll()

    assert drained.behind(cache.held())
    Slow.may_end.set()
    thread.join(PATIENCE_S)

    assert Slow.users == ["user-1", "user-2"]
    assert got[0].user == "user-2"
    assert not drained.behind(cache.held())


def test_what_slipped_into_the_pool_during_the_draining_is_drained_once_more() -> None:
    cache = cache_of(Store())
    held = cache.held()
    cache._source.put("2")  # type: ignore[attr-defined]  # the store of the tests
    cache.poll()
    drains, at = list[float](), [0.0]
    opened: Opened[Any] = Opened(lambda connection: connection.closed)
    old = Slow("user-1")
    opened.add(old, held)
    drained = Drained(opened, lambda: drains.append(at[0]), timer=lambda: at[0])

    drained.follow(cache.held())
    for moment in (0.5, 1.0, 1.5):
        at[0] = moment
        assert drained.behind(cache.held())
    old.close()

    assert drains == [0.0, 1.0]
    assert not drained.behind(cache.held())


def test_connections_opened_with_the_previous_version_since_the_draining_are_made_to_try_again() -> None:
    cache = cache_of(Store())
    held = cache.held()
    cache._source.put("2")  # type: ignore[attr-defined]  # the store of the tests
    cache.poll()
    drains, at = list[float](), [0.0]
    opened: Opened[Any] = Opened(lambda connection: connection.closed)
    in_use, refused = Slow("user-1"), Slow("user-1")
    opened.add(in_use, held)
    drained = Drained(opened, lambda: drains.append(at[0]), timer=lambda: at[0])
    drained.follow(cache.held())

    def look(*moments: float) -> None:
        for at[0] in moments:
            assert drained.behind(cache.held())

    look(1.0, 1.0 + AGAIN_S, 1.0 + 2 * AGAIN_S)
    # one that is in use for long is no reason to replace the others
    assert drains == [0.0, 1.0]
    opened.add(refused, held)
    look(1.0 + 2.5 * AGAIN_S, 1.0 + 3 * AGAIN_S, 1.0 + 4 * AGAIN_S)

    assert drains == [0.0, 1.0, 1.0 + 3 * AGAIN_S]
