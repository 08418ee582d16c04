"""When the store is read again: what an event named until it is there, and at intervals whatever was heard."""

from __future__ import annotations

from typing import Any

import pytest
from client_bench import Channel, Clock, Store, cache_of

from keyturn.client import SecretCache
from keyturn.client.pace import LONGEST_RETRY_S
from tests.property.event_maker import NOW, event, version

# Half: neither a pause nor an interval is spread.
EVEN = 0.5


def connected(store: Store, timer: Clock, **options: object) -> SecretCache:
    """A cache that hears events and holds the first version."""
    cache = cache_of(store, timer=timer, events=Channel(), chance=lambda: EVEN, **options)
    cache.get()
    return cache


def step_at(cache: SecretCache, timer: Clock, *moments: float) -> None:
    """The keeper's steps at these moments."""
    for timer.at in moments:
        cache._keeper.step()


@pytest.mark.parametrize("answers", [["1", "1", "1"], ["", "", ""], ["1", "", "1"]], ids=["old", "refused", "both"])
def test_what_an_event_named_is_asked_for_until_the_store_gives_it(answers: list[str]) -> None:
    store, timer = Store(), Clock(0.0)
    cache = connected(store, timer)
    store.put("2")
    store.answers = answers

    cache.hear(event(2))
    step_at(cache, timer, 0.0, 0.9, 1.0)
    assert (cache.held().store_version, cache.wanted, store.answers) == ("1", "2", [])
    step_at(cache, timer, 2.9)
    assert cache.held().store_version == "1"
    step_at(cache, timer, 3.0)

    assert (cache.held().version, cache.wanted) == (version(2), "")
    reads = len(store.reads)
    step_at(cache, timer, 4.0, 8.0)
    assert len(store.reads) == reads


def test_a_store_that_never_gives_it_is_asked_at_growing_pauses_and_never_given_up() -> None:
    store, timer = Store(), Clock(0.0)
    cache = connected(store, timer, poll_s=1e9)
    cache.hear(event(2))
    asked, before = list[float](), len(store.reads)
    for second in range(400):
        step_at(cache, timer, float(second))
        if len(store.reads) > before:
            before = len(store.reads)
            asked.append(second)

    assert asked == [0, 1, 3, 7, 15, 31, 63, 123, 183, 243, 303, 363]
    assert asked[-1] - asked[-2] == LONGEST_RETRY_S


def test_a_newer_event_takes_the_place_of_the_one_that_waits() -> None:
    store, timer = Store(), Clock(0.0)
    cache = connected(store, timer)
    store.answers = ["1", "1"]
    cache.hear(event(2))
    step_at(cache, timer, 0.0)
    store.put("3")

    cache.hear(event(3))

    assert (cache.held().version, cache.wanted) == (version(3), "")


def test_pauses_are_spread_so_that_instances_do_not_ask_together() -> None:
    waits = []
    for chance in (0.0, 1.0):
        store, timer = Store(), Clock(0.0)
        cache = cache_of(store, timer=timer, events=Channel(), chance=lambda at=chance: at)
        cache.get()
        cache.hear(event(2))
        step_at(cache, timer, 0.0)
        waits.append(cache._keeper.step())

    assert waits == [0.5, 1.5]


def test_a_number_that_a_lagging_store_does_not_give_is_no_reason_not_to_ask_its_pointer() -> None:
    store, timer = Store(lagging=True), Clock(0.0)
    cache = connected(store, timer)
    store.put("3")

    cache.hear(event(2))

    assert (cache.held().store_version, cache.wanted) == ("3", "2")


@pytest.mark.parametrize("heard", [True, False], ids=["connected", "away"])
@pytest.mark.parametrize(("chance", "seconds"), [(0.0, 80.0), (1.0, 120.0)])
def test_the_store_is_polled_at_the_interval_whether_events_can_be_heard_or_not(
    heard: bool, chance: float, seconds: float
) -> None:
    store, timer, channel = Store(), Clock(0.0), Channel()
    channel.connected = heard
    cache = cache_of(store, timer=timer, events=channel, poll_s=100, chance=lambda: chance)
    cache.get()
    store.put("2")

    step_at(cache, timer, seconds - 0.1)
    assert store.reads == ["current"]
    assert cache._keeper.step() == pytest.approx(0.1)
    step_at(cache, timer, seconds + 0.1)

    assert cache.held().store_version == "2"
    step_at(cache, timer, 2 * seconds)
    assert len(store.reads) == 2
    step_at(cache, timer, 2 * seconds + 0.2)
    assert len(store.reads) == 3


@pytest.mark.parametrize("doubtful", [{"key_id": "key-stranger"}, {"at": NOW + 3600}], ids=["key", "clock"])
def test_an_event_of_an_unknown_key_or_hour_makes_the_cache_look_for_itself_once_a_minute_at_most(
    doubtful: dict[str, Any],
) -> None:
    store, timer = Store(), Clock(0.0)
    cache = connected(store, timer)
    store.put("2")
    cache.hear(event(2, **doubtful))
    step_at(cache, timer, 0.0)
    assert cache.held().store_version == "2"

    store.put("3")
    cache.hear(event(3, **doubtful))
    step_at(cache, timer, 0.0, 59.9)
    assert cache.held().store_version == "2"
    step_at(cache, timer, 60.0)

    # late, but not forgotten; and what else was refused is no reason to look
    assert cache.held().store_version == "3"
    cache.hear(event(4, stack="prod"))
    cache.hear("noise")
    step_at(cache, timer, 200.0)
    assert store.reads == ["current"] * 3
