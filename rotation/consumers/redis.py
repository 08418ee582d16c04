"""Events by Redis: published for whoever listens now, and kept in a stream for whoever was away.

Both in one transaction, so that a consumer that misses the one finds the other.
"""

from __future__ import annotations

from typing import Any, ClassVar

from rotation.consumers.event import Fields, text
from rotation.consumers.redis_link import RedisLink

# Enough for weeks of a large stack; whoever was away for longer asks the store.
KEPT = 10_000
# The one field of an entry of the stream.
FIELD = "event"


def channel_of(stack: str) -> str:
    """Where events are published."""
    return f"keyturn:{stack}:invalidations"


def stream_of(stack: str) -> str:
    """Where they are kept."""
    return f"{channel_of(stack)}:log"


class RedisChannel:
    """Pub/sub and stream of one stack."""

    name: ClassVar[str] = "redis"

    def __init__(self, link: RedisLink, stack: str) -> None:
        self._link = link
        self._stack = stack

    def send(self, fields: Fields) -> None:
        """XADD and PUBLISH in one MULTI, the stream first: whoever hears of it finds it there."""
        self._link.call(lambda client: self._both(client, text(fields)))

    def _both(self, client: Any, body: str) -> None:
        with client.pipeline(transaction=True) as both:
            both.xadd(stream_of(self._stack), {FIELD: body}, maxlen=KEPT, approximate=True)
            both.publish(channel_of(self._stack), body)
            both.execute()
