"""A process that is forked from a service: nothing that was started before serves an old value in silence."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable

from client_bench import PATIENCE_S, Channel, Store, cache_of, until
from test_keeper import Told

from keyturn.client import Acknowledger, ClientError, SecretCache, registry
from keyturn.client.listeners.ears import Ears


def in_a_fork(said: Callable[[], object]) -> object:
    """What it returns in a child of this process; the reason, where it refuses."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            answer = said()
        except ClientError as exc:
            answer = exc.reason
        except BaseException as exc:  # noqa: BLE001 - the parent judges
            answer = repr(exc)
        os.write(writing, json.dumps(answer).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = json.loads(pipe.read())
    os.waitpid(child, 0)
    return answer


def test_a_started_cache_refuses_in_a_fork_instead_of_serving_what_it_held() -> None:
    with cache_of(Store(), events=Channel()) as cache:
        for ask in (cache.held, cache.get, cache.use, cache.start, lambda: cache.call(str, lambda _: False)):
            assert in_a_fork(ask) == "forked"
        assert in_a_fork(cache.close) is None
        assert cache.held().store_version == "1"
    # and serves on where nobody keeps it current anyway
    assert in_a_fork(lambda: cache_of(Store()).held().store_version) == "1"


def test_what_is_made_before_the_fork_is_started_after_it_as_an_instance_of_its_own() -> None:
    store, told = Store(), Told()
    ack = Acknowledger(told, consumer="billing")
    cache = cache_of(store, ack=ack)
    cache.get()

    def service() -> object:
        with cache:
            store.put("2")
            cache.reconnected()
            until(lambda: len(told.messages) > 0 and told.messages[-1]["store_version"] == "2", told.told)
            return [cache.held().store_version, {message["instance"] for message in told.messages} == {ack.instance}]

    assert in_a_fork(service) == ["2", True]
    assert in_a_fork(lambda: ack.instance) != ack.instance
    ack.close()


class Listener:
    """What is left of a listener but its ears."""

    connected = False

    def __init__(self, ears: Ears) -> None:
        self.attach, self.detach = ears.attach, ears.detach


def left_by(cache: SecretCache) -> object:
    """Why a cache does not start; how many threads there are then, and whether the process knows of it."""
    try:
        cache.start()
    except ClientError as exc:
        return [exc.reason, threading.active_count(), cache in registry.of(cache.secret)[0]]
    return None


def test_a_listener_and_an_acknowledger_of_the_parent_are_refused_when_the_child_starts() -> None:
    def listen() -> None:
        ears.ended.wait(PATIENCE_S)

    ears = Ears("test", listen, lambda _: False)
    told = Told()
    with Acknowledger(told, consumer="billing") as ack, cache_of(Store(), ack=ack) as cache:
        ears.attach(cache)
        until(lambda: bool(told.messages), told.told)

        assert in_a_fork(lambda: ears.attach(cache_of(Store()))) == "forked"
        assert in_a_fork(lambda: repr(cache_of(Store(), ack=ack).start())) == "forked"
        # nothing of the cache runs that was refused
        assert in_a_fork(lambda: left_by(cache_of(Store(), events=Listener(ears)))) == ["forked", 1, False]
        ears.detach(cache)
