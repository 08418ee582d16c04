"""The Redis user that consumers are given: it hears what the publisher tells, and may do nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from keyturn.client.listeners.redis_events import RedisEvents
from sandbox.consumer import USER, allow_listening
from sandbox.parts.redis import started_redis

pytestmark = pytest.mark.sandbox

STACK, PASSWORD = "local", "of-a-consumer"
CHANNEL, LOG = "keyturn:local:invalidations", "keyturn:local:invalidations:log"
# What somebody who has the login might try.
FORBIDDEN: dict[str, Callable[[Any], object]] = {
    "forge an event for who listens": lambda user: user.publish(CHANNEL, "{}"),
    "forge one for who was away": lambda user: user.xadd(LOG, {"event": "{}"}),
    "take events away": lambda user: user.xtrim(LOG, maxlen=0),
    "delete the log": lambda user: user.delete(LOG),
    "read another stack's log": lambda user: user.xrange("keyturn:prod:invalidations:log"),
    "read RQ's jobs": lambda user: user.lrange("rq:queue:keyturn-local", 0, -1),
    "list what is there": lambda user: user.keys("*"),
    "change its own rights": lambda user: user.acl_setuser(USER, categories=["+@all"]),
    "disconnect others": lambda user: user.client_kill_filter(_type="pubsub"),
}


class Hearer:
    """Keeps what it was told."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    def hear(self, raw: Any) -> None:
        self.heard.append(raw)

    def reconnected(self) -> None:
        pass


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with started_redis(tmp_path_factory.mktemp("valkey")) as lone:
        with closing(Redis(port=lone.port, password=lone.password)) as administrator:
            allow_listening(administrator, STACK, PASSWORD)
            administrator.xadd(LOG, {"event": "{}"})
        yield f"redis://{USER}:{PASSWORD}@127.0.0.1:{lone.port}"


def test_it_may_do_all_that_the_library_does(url: str) -> None:
    events, hearer = RedisEvents.from_url(url, STACK), Hearer()
    events.attach(hearer)
    try:
        assert events._ears.connected.wait(20)
        assert hearer.heard == [b"{}"]
    finally:
        events.detach(hearer)


@pytest.mark.parametrize("what", FORBIDDEN)
def test_it_may_not(what: str, url: str) -> None:
    with closing(Redis.from_url(url, protocol=2, driver_info=None)) as user, pytest.raises(NoPermissionError):
        FORBIDDEN[what](user)


def test_it_may_not_listen_to_another_stack(url: str) -> None:
    with (
        closing(Redis.from_url(url, protocol=2, driver_info=None)) as user,
        user.pubsub() as subscription,
    ):
        subscription.subscribe("keyturn:prod:invalidations")
        with pytest.raises(NoPermissionError):
            subscription.get_message(timeout=5)
