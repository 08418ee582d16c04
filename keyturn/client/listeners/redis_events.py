"""Events over Redis: pub/sub for the moment, the stream for what was missed.

Pub/sub delivers at most once and only to those who listen, so the stream is read from the last id seen: after every
connection, and now and then while nothing is heard. It is read newest first: every event names what is current, so
that the newest one makes the older ones stale, and one read of the store is enough. The subscription comes before the
reading, so that nothing falls between; what arrives twice is known by its id.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from keyturn.client.events import channel, log_of
from keyturn.client.listeners import Hearer
from keyturn.client.listeners.ears import GLANCE_S, Ears

# The longest that one call may take on a network that works; what takes longer is a lost connection.
_TIMEOUT_S = 2.0
# A connection whose other end is gone without a word is found by this.
CHECK_S = 15.0
# Of a log never read before, so many events are looked through for the newest of each secret.
LOOK_BACK = 1_000
# Events read at once.
_PAGE = 500


class RedisEvents:
    """Hears the events of a stack; `client` is one of its own, with rights to subscribe and to read the stream.

    Its retries are turned off: a connection that came back unseen would have lost events.
    """

    def __init__(self, client: Redis, stack: str, *, timer: Callable[[], float] = time.monotonic) -> None:
        client.set_retry(Retry(NoBackoff(), 0))
        self._client: Any = client
        self._channel, self._log = channel(stack), log_of(stack)
        self._timer = timer
        self._last = ""
        self._ears = Ears("redis", self._listen, _lost)

    @classmethod
    def from_url(cls, url: str, stack: str, **options: Any) -> RedisEvents:
        """For `redis://user:password@host:port`, or `rediss://`; `options` as redis-py's `Redis` takes them."""
        given = {"socket_timeout": _TIMEOUT_S, "socket_connect_timeout": _TIMEOUT_S, **options}
        return cls(Redis.from_url(url, **given), stack)

    @property
    def connected(self) -> bool:
        """Whether the subscription stands."""
        return self._ears.connected.is_set()

    def attach(self, hearer: Hearer) -> None:
        """Begin to listen with the first one."""
        self._ears.attach(hearer)

    def detach(self, hearer: Hearer) -> None:
        """End with the last one; the client's connections are closed with it."""
        self._ears.detach(hearer)
        if self._ears.ended.is_set():
            self._client.close()

    def _listen(self) -> None:
        with self._client.pubsub(ignore_subscribe_messages=False) as subscription:
            subscription.subscribe(self._channel)
            _confirmed(subscription)
            self._catch_up()
            self._ears.hears()
            self._hear(subscription)

    def _hear(self, subscription: Any) -> None:
        checked = self._timer()
        while not self._ears.ended.is_set():
            message = subscription.get_message(timeout=GLANCE_S)
            if message is not None and message["type"] == "message":
                self._ears.tell(message["data"])
            if self._ears.newcomer.is_set() or self._timer() - checked > CHECK_S:
                subscription.ping()
                self._catch_up()
                checked = self._timer()

    def _catch_up(self) -> None:
        if self._ears.newcomer.is_set():
            self._ears.newcomer.clear()
            self._last = ""
        entries = self._since() if self._last else self._client.xrevrange(self._log, count=LOOK_BACK)
        for _, fields in entries:
            if (raw := fields.get(b"event", fields.get("event"))) is not None:
                self._ears.tell(raw)
        # told before it is remembered: what fails in between is told again
        self._last = entries[0][0] if entries else self._last or "0-0"

    def _since(self) -> list[Any]:
        """Newest first."""
        found: list[Any] = []
        last = self._last
        while page := self._client.xrange(self._log, min=f"({_text(last)}", count=_PAGE):
            found.extend(page)
            last = page[-1][0]
        return found[::-1]


def _text(identity: str | bytes) -> str:
    return identity.decode() if isinstance(identity, bytes) else identity


def _confirmed(subscription: Any) -> None:
    """Wait for the server's word that it listens; raises redis-py's errors."""
    if subscription.get_message(timeout=_TIMEOUT_S) is None:
        raise RedisError("the subscription was not confirmed")


def _lost(exc: Exception) -> bool:
    return isinstance(exc, RedisError | OSError)
