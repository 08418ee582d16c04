"""What a cache gives, when it asks the store, and in which order values are tried after a refusal."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from client_bench import Clock, Store, cache_of

from keyturn.client import ClientError, SecretCache, Unavailable
from keyturn.client.value import Held
from tests.property.event_maker import NEW_KEY, NOW, OLD_KEY, SECRET, STACK, event, trusted, version

THREADS = 50


class Refused(Exception):
    """What a target says to a credential that it does not accept."""


def accepting(*numbers: str) -> tuple[list[str], object]:
    """What was shown to a target, and an attempt at it that accepts these versions."""
    shown: list[str] = []

    def attempt(held: Held) -> str:
        shown.append(held.store_version)
        if held.store_version not in numbers:
            raise Refused
        return held.store_version

    return shown, attempt


def is_refusal(exc: Exception) -> bool:
    return isinstance(exc, Refused)


def test_the_store_is_read_once_and_then_memory_serves() -> None:
    store = Store()
    cache = cache_of(store)

    assert {cache.get().unsafe_fields()["username"] for _ in range(9)} == {"user-1"}
    assert store.reads == ["current"]


def test_a_first_read_that_fails_is_told_and_made_again() -> None:
    store = Store()
    store.down = True
    cache = cache_of(store)
    with pytest.raises(Unavailable):
        cache.get()
    store.down = False

    assert cache.get().unsafe_fields()["username"] == "user-1"


def test_an_event_brings_the_new_value_and_keyturns_name_of_it() -> None:
    store = Store()
    cache = cache_of(store)
    cache.get()
    store.put("2")

    cache.hear(event(2))

    assert (cache.held().store_version, cache.held().version) == ("2", version(2))
    assert cache.counters.accepted == {"fetch": 1}


def test_an_event_of_either_signing_key_is_believed_while_they_overlap() -> None:
    store = Store()
    cache = cache_of(store)
    for number, key in ((2, OLD_KEY), (3, NEW_KEY)):
        store.put(str(number))
        cache.hear(event(number, key_id=key))

    assert cache.held().version == version(3)


def test_a_repeated_and_an_older_event_cost_nothing() -> None:
    store = Store()
    cache = cache_of(store)
    cache.get()
    store.put("3")
    cache.hear(event(3))
    reads = len(store.reads)

    cache.hear(event(3))
    cache.hear(event(2))

    assert len(store.reads) == reads
    assert cache.counters.accepted == {"fetch": 1, "duplicate": 1, "stale": 1}
    assert cache.held().store_version == "3"


def test_an_event_of_what_is_held_already_only_names_it() -> None:
    store = Store()
    cache = cache_of(store)
    assert cache.held().version == ""

    cache.hear(event(1))

    assert cache.held().version == version(1)
    assert store.reads == ["current"]


def test_an_event_too_old_to_act_upon_still_names_what_is_held_and_makes_older_ones_stale() -> None:
    store = Store()
    cache = cache_of(store)
    cache.get()

    cache.hear(event(1, sequence=9, at=NOW - 30 * 86_400))
    cache.hear(event(5, sequence=8))

    assert cache.held().version == version(1)
    assert cache.counters.refused == {"expired": 1}
    assert cache.counters.accepted == {"stale": 1}
    assert store.reads == ["current"]


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"stack": "prod"}, "wrong_stack"),
        ({"secret": "payments/other"}, "wrong_secret"),
        ({"schema": "keyturn.invalidation/2"}, "unknown_schema"),
        ({"key_id": "key-stranger"}, "unknown_key"),
        ({"at": NOW + 3600}, "from_the_future"),
    ],
)
def test_what_is_not_ours_is_refused_counted_and_moves_nothing(changed: dict[str, object], reason: str) -> None:
    store = Store()
    cache = cache_of(store)
    cache.get()
    store.put("2")

    cache.hear(event(2, **changed))  # type: ignore[arg-type]  # each a field of its own type

    assert cache.counters.refused == {reason: 1}
    assert cache.held().store_version == "1"


def test_after_a_refusal_come_the_store_past_the_cache_and_then_the_previous_value() -> None:
    store = Store()
    cache = cache_of(store)
    cache.get()
    store.put("2")
    cache.hear(event(2))
    store.put("3")
    shown, attempt = accepting("1")

    with pytest.raises(Refused):
        cache.call(attempt, is_refusal)  # type: ignore[arg-type]  # an attempt of the tests

    # 2 is current, 3 was current at the store, 2 is the one before it and was refused already
    assert shown == ["2", "3"]
    assert cache.counters.refetches == 1


def test_the_previous_value_serves_when_the_store_has_nothing_newer() -> None:
    store = Store()
    cache = cache_of(store)
    cache.get()
    store.put("2")
    cache.hear(event(2))
    shown, attempt = accepting("1")

    assert cache.call(attempt, is_refusal) == "1"  # type: ignore[arg-type]  # an attempt of the tests
    assert shown == ["2", "1"]
    assert (cache.counters.refetches, cache.counters.fallbacks) == (1, 1)
    assert cache.held().store_version == "2"


def test_the_previous_value_serves_when_the_store_is_down() -> None:
    store = Store()
    cache = cache_of(store)
    cache.get()
    store.put("2")
    cache.hear(event(2))
    store.down = True
    _, attempt = accepting("1")

    assert cache.call(attempt, is_refusal) == "1"  # type: ignore[arg-type]  # an attempt of the tests
    assert cache.counters.failed_fetches == 1


def test_a_retired_and_a_withdrawn_version_are_not_tried_again() -> None:
    # the last starts with what is taken back, and never held the one before
    for kind, started_at in (("retired", "1"), ("rolled_back", "1"), ("rolled_back", "2")):
        store = Store()
        store.put(started_at)
        cache = cache_of(store)
        cache.get()
        store.put("2")
        cache.hear(event(2, sequence=2))
        if kind == "rolled_back":
            store.pointer = "1"
        cache.hear(event(2 if kind == "retired" else 1, sequence=3, kind=kind))
        shown, attempt = accepting()

        with pytest.raises(Refused):
            cache.call(attempt, is_refusal)  # type: ignore[arg-type]  # an attempt of the tests
        assert shown == (["2"] if kind == "retired" else ["1"])


def test_an_error_that_is_no_refusal_is_the_callers_at_once() -> None:
    store = Store()
    cache = cache_of(store)

    with pytest.raises(ZeroDivisionError):
        cache.call(lambda _held: 1 // 0, is_refusal)
    assert store.reads == ["current"]


def test_fifty_threads_that_are_refused_at_once_make_one_read() -> None:
    store = Store()
    cache = cache_of(store, timer=Clock(0.0))
    cache.get()
    store.put("2")
    together = threading.Barrier(THREADS)

    def attempt(held: Held) -> str:
        if held.store_version == "1":
            together.wait(10)
            raise Refused
        return held.store_version

    with ThreadPoolExecutor(THREADS) as threads:
        came = list(threads.map(lambda _: cache.call(attempt, is_refusal), range(THREADS)))

    assert came == ["2"] * THREADS
    assert store.reads == ["current", "current"]


def test_a_target_that_refuses_everything_costs_one_read_a_second() -> None:
    store, timer = Store(), Clock(0.0)
    cache = cache_of(store, timer=timer)
    _, attempt = accepting()
    for at in (0.0, 0.4, 0.9, 1.0, 1.5):
        timer.at = at
        with pytest.raises(Refused):
            cache.call(attempt, is_refusal)  # type: ignore[arg-type]  # an attempt of the tests

    assert cache.counters.refetches == 2


def test_a_lagging_pointer_never_leads_back_and_the_events_number_is_read() -> None:
    store = Store(lagging=True)
    cache = cache_of(store)
    cache.get()
    store.put("2")
    store.pointer = "1"

    cache.hear(event(2))
    cache.poll()

    assert store.reads == ["current", "2", "current"]
    assert cache.held().store_version == "2"


def test_a_lagging_pointer_leads_on_to_a_version_that_no_event_told_of() -> None:
    store = Store(lagging=True)
    cache = cache_of(store)
    cache.get()
    store.put("2")
    cache.hear(event(2))
    store.put("3")

    cache.poll()

    assert cache.held().store_version == "3"


def test_where_the_store_names_versions_as_keyturn_does_no_event_is_needed() -> None:
    store = Store(names_versions=True)
    store.put(version(7))

    assert cache_of(store).held().version == version(7)


def test_nothing_that_is_printed_shows_a_value() -> None:
    cache = cache_of(Store())
    shown = f"{cache!r} {cache.held()!r} {cache.get()!r} {cache.get()} {cache.counters!r}"

    assert "word-1" not in shown
    with pytest.raises(ClientError) as refused:
        type(cache.get())("word-1").unsafe_fields()
    assert "word-1" not in str(refused.value)


def test_events_without_keys_are_refused_at_the_start() -> None:
    with pytest.raises(ClientError, match="no_keys"):
        SecretCache(SECRET, Store(), stack=STACK, events=object())  # type: ignore[arg-type]  # never listened to
    with pytest.raises(ClientError, match="bad_key"):
        SecretCache(SECRET, Store(), stack=STACK, keys={**trusted(), "other": "no PEM"})
