"""A store in memory, a clock that stands, a channel without a network: what the tests of the cache need."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

from keyturn.client import SecretCache, Unavailable, Value
from keyturn.client.errors import Missing
from keyturn.client.listeners import Hearer
from keyturn.client.sources import Fetched
from keyturn.client.value import Held
from tests.property.event_maker import NOW, SECRET, STACK, trusted

# Longer than any step of these tests takes; reached only by one that fails.
PATIENCE_S = 10.0


class Store:
    """Versions by number; `reads` counts the answers. `gate` holds a read back until it is set."""

    def __init__(self, *, lagging: bool = False, names_versions: bool = False) -> None:
        self.lagging, self.names_versions = lagging, names_versions
        self.versions: dict[str, str] = {}
        self.pointer = ""
        self.reads: list[str] = []
        self.down = False
        # the next reads are answered so: a version, "" for one that is not given to this reader
        self.answers: list[str] = []
        self.gate = threading.Event()
        self.gate.set()
        self.put("1")

    def put(self, number: str) -> None:
        """A new version, which is current at once."""
        self.versions[number] = json.dumps({"username": f"user-{number}", "password": f"word-{number}"})
        self.pointer = number

    def current(self) -> Fetched:
        return self._get("current", self.pointer)

    def by_version(self, store_version: str) -> Fetched:
        return self._get(store_version, store_version)

    def _get(self, asked: str, number: str) -> Fetched:
        assert self.gate.wait(PATIENCE_S)
        if self.down:
            raise Unavailable("store_unavailable", "down")
        if self.answers:
            number = self.answers.pop(0)
        if number not in self.versions:
            raise Missing("secret_not_given", number)
        self.reads.append(asked)
        return Fetched(store_version=number, value=Value(self.versions[number]))


class Channel:
    """Events by hand."""

    def __init__(self) -> None:
        self.connected = True
        self.hearers: list[Hearer] = []

    def attach(self, hearer: Hearer) -> None:
        self.hearers.append(hearer)

    def detach(self, hearer: Hearer) -> None:
        self.hearers.remove(hearer)


class Clock:
    """Stands until it is moved."""

    def __init__(self, at: float = NOW) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at


class Pool:
    """A follower whose old connections are given back when `busy` ends."""

    def __init__(self) -> None:
        self.followed: list[str] = []
        self.busy = False
        self.broken = False
        self.told = threading.Condition()

    def follow(self, held: Held) -> None:
        with self.told:
            if self.broken:
                raise RuntimeError(held.value.unsafe_reveal())
            self.followed.append(held.store_version)
            self.told.notify_all()

    def behind(self, held: Held) -> bool:
        return self.busy


def cache_of(store: Store, **options: Any) -> SecretCache:
    """A cache of the tests' secret that believes the tests' keys."""
    given = {"stack": STACK, "keys": trusted(), "clock": Clock(), **options}
    return SecretCache(SECRET, store, **given)


def until(happened: Callable[[], bool], told: threading.Condition) -> None:
    """Wait for a thread to say that something has happened."""
    with told:
        assert told.wait_for(happened, PATIENCE_S)
