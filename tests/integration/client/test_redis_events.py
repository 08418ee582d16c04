"""What a cache hears of a real Redis: at once, after a lost connection, and from the log when it starts late."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redis
from client_servers import PATIENCE_S, Moved, Rotating, Told, publish

from keyturn.client import Acknowledger, SecretCache
from keyturn.client.listeners.redis_events import RedisEvents
from sandbox.parts.redis import start_redis, started_redis, stop_redis
from tests.property.event_maker import SECRET, STACK, event, trusted, version


@contextmanager
def listening(rotating: Rotating, events: RedisEvents) -> Iterator[tuple[SecretCache, Told]]:
    told = Told()
    with (
        Acknowledger(told, consumer="billing") as ack,
        SecretCache(SECRET, rotating, stack=STACK, keys=trusted(), events=events, ack=ack) as cache,
    ):
        assert events._ears.connected.wait(PATIENCE_S)
        yield cache, told


def test_an_event_is_heard_and_its_version_acknowledged(
    rotating: Rotating, events: RedisEvents, publisher: redis.Redis
) -> None:
    with listening(rotating, events) as (cache, told):
        publish(publisher, rotating.promote())
        told.wait_for(2)

        assert cache.held().version == version(2)
        assert cache.counters.accepted == {"fetch": 1}
    assert events._ears._thread is None


def test_what_was_published_during_a_disconnection_is_caught_up_from_the_stream(
    rotating: Rotating, events: RedisEvents, publisher: redis.Redis
) -> None:
    with listening(rotating, events) as (cache, told):
        publish(publisher, rotating.promote())
        told.wait_for(2)
        publish(publisher, event(99, secret="payments/other"), only_log=True)
        publish(publisher, rotating.promote(), only_log=True)
        publisher.client_kill_filter(_type="pubsub")
        told.wait_for(3)

        assert cache.held().version == version(3)
        # only what came after the last id seen was read again
        assert cache.counters.accepted["duplicate"] <= 1


def test_a_server_that_restarts_is_listened_to_again(rotating: Rotating, tmp_path: Path) -> None:
    with started_redis(tmp_path) as lone:
        url = f"redis://:{lone.password}@127.0.0.1:{lone.port}"
        with listening(rotating, RedisEvents.from_url(url, STACK)) as (cache, told):
            stop_redis(tmp_path)
            start_redis(tmp_path, lone)
            with redis.Redis.from_url(url) as client:
                publish(client, rotating.promote())
            told.wait_for(2)

            assert cache.held().version == version(2)


def test_a_rotation_while_redis_is_down_is_found_by_reading_the_store(rotating: Rotating, tmp_path: Path) -> None:
    with started_redis(tmp_path) as lone:
        events = RedisEvents.from_url(f"redis://:{lone.password}@127.0.0.1:{lone.port}", STACK)
        with listening(rotating, events) as (cache, _):
            cache.add(moved := Moved())
            stop_redis(tmp_path)
            rotating.promote()
            start_redis(tmp_path, lone)
            moved.wait_for("2")

            assert cache.counters.accepted == {}


def test_an_instance_that_starts_late_learns_from_the_log_what_its_version_is_called(
    rotating: Rotating, events: RedisEvents, publisher: redis.Redis
) -> None:
    # a month ago
    publish(publisher, event(1, at=1_700_000_000.0), only_log=True)

    with listening(rotating, events) as (cache, told):
        told.wait_for(1)

        assert cache.held().version == version(1)
        assert cache.counters.fetches == 1


def test_a_forged_event_on_the_real_channel_moves_nothing(
    rotating: Rotating, events: RedisEvents, publisher: redis.Redis
) -> None:
    with listening(rotating, events) as (cache, told):
        forged = {**event(2), "store_version": "7"}
        publish(publisher, forged)
        publish(publisher, rotating.event())
        told.wait_for(1)

        # heard, and perhaps read from the log by a listener that began at the same moment
        assert cache.counters.refused["bad_signature"] >= 1
        assert cache.counters.refused.keys() == {"bad_signature"}
        assert cache.held().store_version == "1"


@pytest.mark.parametrize("wrong", ["not JSON", b"\xff\xfe", ""])
def test_noise_on_the_channel_is_counted_and_the_listener_goes_on(
    wrong: str | bytes, rotating: Rotating, events: RedisEvents, publisher: redis.Redis
) -> None:
    with listening(rotating, events) as (cache, told):
        publisher.publish(f"keyturn:{STACK}:invalidations", wrong)
        publish(publisher, rotating.promote())
        told.wait_for(2)

        assert cache.counters.refused == {"not_json": 1}
