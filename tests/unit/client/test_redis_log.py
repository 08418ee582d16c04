"""What a listener does with the log of a Redis, without a server."""

from __future__ import annotations

import json
from typing import Any, Self

from client_bench import Clock
from test_ears import Hearer

from keyturn.client.listeners.redis_events import CHECK_S, RedisEvents
from tests.property.event_maker import STACK, event


class Server:
    """A Redis whose subscription stands and delivers nothing; each look takes a second of the timer."""

    def __init__(self, timer: Clock) -> None:
        self.timer, self.log = timer, list[tuple[bytes, dict[bytes, bytes]]]()
        self.pings = 0
        self.retries = -1
        self.newcomer: Hearer | None = None
        self.events: RedisEvents | None = None

    def set_retry(self, retry: Any) -> None:
        self.retries = retry.get_retries()

    def pubsub(self, **_: Any) -> Server:
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        return

    def subscribe(self, _channel: str) -> None:
        return

    def get_message(self, *, timeout: float) -> dict[str, Any] | None:
        assert self.events is not None
        if not self.events.connected:
            return {"type": "subscribe"}
        self.timer.at += 1
        if self.timer.at == 1:
            self.log.append((b"1-0", {b"event": json.dumps(event(2)).encode()}))
        if self.timer.at == 2 and self.newcomer is not None:
            # as `attach` does, whose thread is this one
            self.events._ears._hearers.append(self.newcomer)
            self.events._ears.newcomer.set()
        if self.timer.at > 2 * CHECK_S + timeout + 1:
            self.events._ears.ended.set()
        return None

    def ping(self) -> None:
        self.pings += 1

    def xrevrange(self, _log: str, *, count: int) -> list[Any]:
        return self.log[::-1][:count]

    def xrange(self, _log: str, *, min: str, count: int) -> list[Any]:  # noqa: A002 - as redis-py calls it
        return [entry for entry in self.log if entry[0] > min.removeprefix("(").encode()][:count]


def test_a_subscription_that_stands_and_delivers_nothing_is_made_good_from_the_log() -> None:
    server = Server(Clock(0.0))
    server.events = RedisEvents(server, STACK, timer=server.timer)  # type: ignore[arg-type]  # the server of the tests
    server.events._ears._hearers.append(hearer := Hearer())

    server.events._listen()

    assert [json.loads(raw)["id"] for raw in hearer.heard] == [event(2)["id"]]
    assert server.pings == 2


def test_whoever_is_attached_later_is_told_what_the_log_still_has() -> None:
    server = Server(Clock(0.0))
    server.log.append((b"0-1", {b"event": json.dumps(event(1)).encode()}))
    server.events = RedisEvents(server, STACK, timer=server.timer)  # type: ignore[arg-type]  # the server of the tests
    server.events._ears._hearers.append(Hearer())
    server.newcomer = late = Hearer()

    server.events._listen()

    assert [json.loads(raw)["id"] for raw in late.heard] == [event(2)["id"], event(1)["id"]]


def test_the_client_of_a_listener_does_not_come_back_unseen() -> None:
    server = Server(Clock(0.0))
    RedisEvents(server, STACK)  # type: ignore[arg-type]  # the server of the tests
    assert server.retries == 0
