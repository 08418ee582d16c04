"""The thread that several caches hear by: it outlives a bad cache and a lost connection, and comes back apart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from client_bench import PATIENCE_S, Channel, Store, cache_of, until

from keyturn.client import Unavailable
from keyturn.client.listeners import ears as ears_module
from keyturn.client.listeners.ears import Ears
from keyturn.client.sources import Fetched
from tests.property.event_maker import event


class Hearer:
    """Keeps what it was told; raises when it is `bad`."""

    def __init__(self, *, bad: bool = False) -> None:
        self.heard: list[Any] = []
        self.told = threading.Condition()
        self._bad = bad

    def hear(self, raw: bytes | str | Mapping[str, Any]) -> None:
        self._keep(raw)

    def reconnected(self) -> None:
        self._keep("reconnected")

    def _keep(self, said: Any) -> None:
        if self._bad:
            raise KeyError(said)
        with self.told:
            self.heard.append(said)
            self.told.notify_all()


class Lost(OSError):
    """The connection."""


def listening(*rounds: Callable[[Ears], None]) -> Ears:
    """Ears whose connections go so, one after the other, and then nothing more comes."""
    left = list(rounds)

    def listen() -> None:
        if left:
            left.pop(0)(ears)
        else:
            ears.hears()
            ears.ended.wait(PATIENCE_S)

    ears = Ears("test", listen, lambda exc: isinstance(exc, OSError))
    return ears


def test_one_bad_cache_makes_no_other_deaf() -> None:
    good, bad = Hearer(), Hearer(bad=True)

    def both(ears: Ears) -> None:
        ears.hears()
        ears.attach(bad)
        ears.attach(good)
        ears.tell("first")
        ears.tell("second")
        ears.detach(bad)
        raise Lost

    ears = listening(both)
    ears.attach(first := Hearer())
    until(lambda: "reconnected" in good.heard, good.told)
    ears.detach(first)
    ears.detach(good)

    assert good.heard == first.heard == ["first", "second", "reconnected"]
    assert ears.failed == 2


@pytest.mark.parametrize("error", [Lost(), ValueError("what nobody thought of")])
def test_after_any_loss_it_comes_back_and_says_that_it_was_away(
    error: Exception, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ears_module, "FIRST_PAUSE_S", 0.0)

    def once(ears: Ears) -> None:
        ears.hears()
        raise error

    ears = listening(once)
    ears.attach(hearer := Hearer())
    until(lambda: bool(hearer.heard), hearer.told)

    # once: the first connection is no return
    assert hearer.heard == ["reconnected"]
    assert ears.connected.is_set()
    ears.detach(hearer)


def test_a_loss_is_logged_once_and_again_after_a_connection(caplog: pytest.LogCaptureFixture) -> None:
    def refused(_ears: Ears) -> None:
        raise Lost

    def dropped(ears: Ears) -> None:
        ears.hears()
        raise Lost

    def last(ears: Ears) -> None:
        ears.ended.set()

    ears = listening(refused, refused, dropped, refused, last)
    ears.ended.wait = lambda _timeout=None: False  # type: ignore[method-assign]  # no pauses
    ears._run()

    assert [record.getMessage().rpartition(" ")[2] for record in caplog.records] == ["(Lost)", "(Lost)"]


def test_pauses_between_attempts_grow_are_spread_and_begin_anew_after_a_connection() -> None:
    paused: list[float] = []
    chances = iter([0.0, 1.0, 0.5, 0.5, 0.5])

    def refused(_ears: Ears) -> None:
        raise Lost

    def dropped(ears: Ears) -> None:
        ears.hears()
        raise Lost

    rounds = [refused, refused, refused, dropped, refused]

    class Ended(threading.Event):
        """Does not wait, and writes down how long it was to."""

        def wait(self, timeout: float | None = None) -> bool:
            paused.append(timeout or 0.0)
            if len(paused) == len(rounds):
                self.set()
            return self.is_set()

    ears = listening(*rounds)
    ears.ended, ears.chance = Ended(), lambda: next(chances)
    ears._run()

    assert paused == pytest.approx([0.2 * 0.5, 0.4 * 1.5, 0.8, 0.1, 0.2])


class Failing(Store):
    """A source whose own code fails, as a `pointer` may."""

    broken = False

    def current(self) -> Fetched:
        if self.broken:
            raise KeyError("SecretString")
        return super().current()


def test_a_source_that_fails_in_its_own_way_ends_no_thread_and_is_counted() -> None:
    store = Failing()
    cache = cache_of(store, events=Channel())
    cache.get()
    store.broken = True
    store.put("2")

    cache.hear(event(2))
    cache.poll()
    cache._keeper.step()

    assert (cache.held().store_version, cache.counters.failed_fetches) == ("1", 3)
    with pytest.raises(Unavailable, match="source_failed"):
        cache_of(store).get()
    store.broken = False
    cache._keeper.step()
    cache.poll()
    assert cache.held().store_version == "2"
