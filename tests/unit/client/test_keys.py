"""Keys that sign events change while a service runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from client_bench import Clock, Store, cache_of
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from keyturn.client import ClientError, SecretCache
from keyturn.client.keys import REREAD_S
from tests.property.event_maker import NEW_KEY, OLD_KEY, STRANGER, event, pem, version


class Published:
    """What a stack publishes; how often it was read."""

    def __init__(self, *key_ids: str) -> None:
        self.keys = {key_id: pem(key_id) for key_id in key_ids}
        self.reads = 0
        self.down = False

    def __call__(self) -> Mapping[str, str]:
        self.reads += 1
        if self.down:
            raise TimeoutError
        return self.keys


def hearing(published: Published) -> tuple[SecretCache, Store, Clock]:
    """A cache that believes what is published, and holds the first version."""
    store, timer = Store(), Clock(0.0)
    cache = cache_of(store, keys=published, timer=timer)
    cache.get()
    return cache, store, timer


def test_an_event_of_a_key_published_since_the_start_is_believed_without_a_restart() -> None:
    published = Published(OLD_KEY)
    cache, store, _ = hearing(published)
    published.keys = {NEW_KEY: pem(NEW_KEY)}
    store.put("2")

    cache.hear(event(2, key_id=NEW_KEY))

    assert (cache.held().version, cache.counters.refused) == (version(2), {})
    # the old one was taken away
    store.put("3")
    cache.hear(event(3, key_id=OLD_KEY))
    assert (cache.held().store_version, cache.counters.refused) == ("2", {"unknown_key": 1})


def test_made_up_keys_cost_one_question_a_minute() -> None:
    published = Published(NEW_KEY)
    cache, _, timer = hearing(published)
    for timer.at in (0.0, 1.0, REREAD_S - 1, REREAD_S):
        cache.hear(event(2, key_id=STRANGER))

    # the first at the start
    assert published.reads == 1 + 2
    assert cache.counters.refused == {"unknown_key": 4}
    cache.hear(event(1, key_id=NEW_KEY))
    assert published.reads == 1 + 2


@pytest.mark.parametrize("wrong", ["down", "none", "no PEM"])
def test_keys_that_cannot_be_read_change_nothing_and_the_store_is_read_all_the_same(wrong: str) -> None:
    published = Published(OLD_KEY)
    cache, store, _ = hearing(published)
    published.down = wrong == "down"
    published.keys = {"key-x": "no PEM"} if wrong == "no PEM" else {}
    store.put("2")
    cache.hear(event(2, key_id=NEW_KEY))
    cache._keeper.step()
    assert cache.held().store_version == "2"

    store.put("3")
    cache.hear(event(3, key_id=OLD_KEY))
    assert cache.held().version == version(3)


def test_a_function_that_gives_no_keys_is_refused_at_the_start() -> None:
    with pytest.raises(ClientError, match="no_keys"):
        hearing(Published())


@pytest.mark.parametrize(
    "made", [lambda: ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate, lambda: None]
)
def test_a_key_of_another_kind_is_refused_at_the_start_and_named(made: Callable[[], Any]) -> None:
    key, pem = made(), "no PEM"
    if key is not None:
        form = (serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
        pem = key.public_key().public_bytes(*form).decode()

    with pytest.raises(ClientError, match=r"bad_key: the key arn:new .*"):
        cache_of(Store(), keys={"arn:new": pem})
