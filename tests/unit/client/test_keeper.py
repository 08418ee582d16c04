"""What moves when the version changes, and when a version counts as in use."""

from __future__ import annotations

import threading
from typing import Any

from client_bench import Channel, Clock, Pool, Store, cache_of, until

from keyturn.client import Acknowledger, ClientError
from keyturn.client.acknowledge import _Lease
from keyturn.client.value import Held
from tests.property.event_maker import SECRET, event, version


class Told:
    """Messages that arrived. Raises for the first ones when told to."""

    def __init__(self, failing: int = 0) -> None:
        self.messages: list[dict[str, Any]] = []
        self.failing = failing
        self.told = threading.Condition()

    def __call__(self, message: Any) -> None:
        with self.told:
            if self.failing:
                self.failing -= 1
                raise ClientError("endpoint_unavailable", "lost")
            self.messages.append(dict(message))
            self.told.notify_all()

    def versions(self) -> list[str]:
        return [message["version"] for message in self.messages]


class Uses:
    """An acknowledger that only keeps what it is told to say."""

    def __init__(self, told: list[str]) -> None:
        self._told = told

    def using(self, _secret: str, version: str, *_: object) -> None:
        self._told.append(version)


def test_a_version_is_acknowledged_only_when_the_last_old_connection_came_back() -> None:
    store, told, pool = Store(names_versions=True), Told(), Pool()
    with Acknowledger(told, consumer="billing", instance="one", lease_s=60) as ack:
        cache = cache_of(store, ack=ack, events=Channel())
        cache.add(pool)
        with cache:
            until(lambda: told.versions() == ["1"], told.told)
            pool.busy = True
            store.put("2")
            cache.hear(event(2))
            until(lambda: pool.followed == ["1", "2"], pool.told)
            for _ in range(3):
                cache._keeper.step()
            assert told.versions() == ["1"]

            pool.busy = False
            until(lambda: told.versions() == ["1", "2"], told.told)
    assert told.messages[-1] == {
        "secret": SECRET,
        "consumer": "billing",
        "instance": "one",
        "version": "2",
        "lease_s": 60,
    }


def test_a_follower_that_raises_is_tried_again_and_holds_the_acknowledgement_back() -> None:
    store, told, pool = Store(names_versions=True), Told(), Pool()
    pool.broken = True
    with Acknowledger(told, consumer="billing") as ack:
        cache = cache_of(store, ack=ack)
        cache.add(pool)
        cache.get()
        cache._keeper.step()
        assert (told.messages, cache.counters.failed_swaps) == ([], 1)

        pool.broken = False
        cache._keeper.step()
        until(lambda: told.versions() == ["1"], told.told)


def test_a_version_is_acknowledged_as_the_store_calls_it_until_an_event_names_it() -> None:
    store, told = Store(), Told()
    with Acknowledger(told, consumer="billing") as ack, cache_of(store, ack=ack, events=Channel()) as cache:
        cache._keeper.step()
        until(lambda: [m.get("store_version") for m in told.messages] == ["1"], told.told)
        assert "version" not in told.messages[0]

        cache.hear(event(1))
        until(lambda: [m.get("version") for m in told.messages] == [None, version(1)], told.told)


def test_a_lost_acknowledgement_is_sent_again_and_a_lease_is_renewed_long_before_it_ends() -> None:
    told, timer = Told(failing=2), Clock(0.0)
    ack = Acknowledger(told, consumer="billing", lease_s=60, timer=timer)
    lease, due = _Lease(version="v1", due=0.0), []
    for _ in range(4):
        timer.at = lease.due
        ack._tell(SECRET, lease)
        due.append(lease.due)

    # lost, lost, arrived, renewed after a third
    assert due == [0.5, 1.5, 21.5, 41.5]
    assert (told.versions(), ack.sent, ack.failed) == (["v1", "v1"], 2, 2)


def test_nothing_is_sent_after_the_end() -> None:
    told = Told()
    ack = Acknowledger(told, consumer="billing")
    ack.using(SECRET, "v1")
    until(lambda: len(told.messages) == 1, told.told)
    ack.close()

    ack.using(SECRET, "v2")

    assert told.versions() == ["v1"]
    assert ack._thread is not None
    assert not ack._thread.is_alive()


def test_after_a_lost_connection_the_store_is_read_once() -> None:
    store = Store()
    cache = cache_of(store, events=Channel())
    cache.get()
    store.put("2")

    cache.reconnected()
    cache._keeper.step()
    cache._keeper.step()

    assert (store.reads, cache.held().store_version) == (["current", "current"], "2")


def test_an_event_heard_while_the_store_is_down_is_made_good_later() -> None:
    store = Store()
    cache = cache_of(store)
    cache.get()
    store.put("2")
    store.down = True
    cache.hear(event(2))
    assert cache.held().store_version == "1"

    store.down = False
    cache._keeper.step()

    assert cache.held().version == version(2)


def test_what_changes_while_followers_are_asked_is_not_acknowledged_by_its_old_name() -> None:
    store, told, channel = Store(names_versions=True), list[str](), Channel()
    cache = cache_of(store, ack=Uses(told), events=channel)

    class Meanwhile(Pool):
        """Another version comes while it is asked whether it is behind."""

        def behind(self, held: Held) -> bool:
            if held.store_version == "1" and self.followed == ["1"]:
                store.put("2")
                cache.poll()
            return False

    cache.add(Meanwhile())
    cache.get()
    cache._keeper.step()
    assert told == []

    cache._keeper.step()
    assert told == ["2"]
