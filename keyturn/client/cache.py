"""A secret in memory that follows its rotations: no restart, no failed request.

`get` never waits once the first value is there. Everything that may wait happens elsewhere: events are heard on the
listener's thread, pools are moved and polls made on the keeper's (`keeper`), and only a request whose authentication
was refused reads the store itself, of which one at a time does so and the others take its answer. Without `start` the
cache reads once and refetches after a refusal, which suits a script; with it, it hears and polls.

Not here: what is decided (`decide`), whether an event is genuine (`verify`), how a pool is moved (`pools`).
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import Any, Self, TypeVar

from keyturn.client import registry
from keyturn.client.acknowledge import Acknowledger
from keyturn.client.counters import Counters
from keyturn.client.decide import Heard, Knowledge, Next
from keyturn.client.errors import ClientError, Missing, Unavailable
from keyturn.client.following import Follower
from keyturn.client.keeper import Keeper
from keyturn.client.keys import KeyRing, Pems
from keyturn.client.listeners import Events
from keyturn.client.processes import Process
from keyturn.client.sources import Fetched, Source
from keyturn.client.uses import Use, Uses
from keyturn.client.value import Held, Value
from keyturn.client.verify import DOUBTFUL, Expected, Refusal, verify

T = TypeVar("T")

# Without events a rotation is noticed within this time, which an overlap has to outlast; a store is asked little.
POLL_S = 900.0


class SecretCache:
    """One secret of one consumer. Safe to share between threads; once started, `forked` is raised in a forked process.

    secret: its name in the policy; stack and keys (key id to public key in PEM) say whose events are believed;
    keys may be a function, which is asked again, once a minute at most, when an event names another key.
    events: where they are heard; None means polling only. ack: who is told which version is in use.
    poll_s: seconds between polls, give or take a fifth, whether events can be heard or not. clock: seconds since 1970.
    timer: seconds that only rise.
    """

    def __init__(  # noqa: PLR0913  # what a service says of a secret, each by its name
        self,
        secret: str,
        source: Source,
        *,
        stack: str = "",
        keys: Pems | None = None,
        events: Events | None = None,
        ack: Acknowledger | None = None,
        poll_s: float = POLL_S,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        if events is not None and not (stack and keys):
            raise ClientError("no_keys", "events are believed by the stack's keys: give `stack` and `keys`")
        self.secret = secret
        self.counters = Counters()
        self._source = source
        self._expected = Expected(stack=stack, secret=secret, keys=KeyRing(keys or {}, timer=timer))
        self._events = events
        self._ack = ack
        self._clock, self._timer = clock, timer
        self._started = Process()
        self._known = Knowledge(lagging=source.lagging, names_versions=source.names_versions)
        # held for moments, and reentrant because a pool may ask for the version while garbage is collected; whoever
        # reads the store holds the other one, and it first
        self._lock, self._reading = threading.RLock(), threading.Lock()
        self._uses = Uses(self._lock, lambda: self._known.current, self._wake)
        self._keeper = Keeper(self, poll_s=poll_s, timer=timer, chance=chance)

    def get(self) -> Value:
        """The current value, from memory. The first call reads the store, and raises Unavailable or Missing."""
        return self.held().value

    def held(self) -> Held:
        """The current value and which version it is; otherwise as `get`."""
        self._started.check("cache")
        if (held := self._current()) is not None:
            return held
        with self._reading:
            if self._current() is None:
                self._read()
        found = self._current()
        if found is None:
            raise Unavailable("nothing_held", f"{self.secret} was never read")
        return found

    def call(self, attempt: Callable[[Held], T], refused: Callable[[Exception], bool]) -> T:
        """`attempt` with the current value; after a refused authentication with the next in order, each once.

        refused: whether an exception of `attempt` says that the target did not accept the credential.
        Raises what the last attempt raised.
        """
        use = self.use()
        try:
            while True:
                try:
                    came = attempt(use.held)
                except Exception as exc:
                    if not (refused(exc) and use.refused()):
                        raise
                else:
                    use.accepted()
                    return came
        finally:
            use.end()

    def use(self) -> Use:
        """Begin a request with the current value, for adapters; raises as `get`.

        Until it has ended on it, or was accepted with a newer one, no other version is acknowledged.
        """
        self._started.check("cache")
        while (use := self._uses.begin(self)) is None:
            self.held()
        return use

    def used_elsewhere(self, held: Held) -> bool:
        """Whether a request under way uses another version, or the target accepted only another one."""
        return self._uses.elsewhere(held)

    def after(self, refused: Collection[str]) -> Held | None:
        """What to use when the target refused these versions of the store; None when there is nothing else.

        Reads the store at most once, and once a second for all threads together. A store that does not answer is
        counted, and the previous value is the next.
        """
        with self._reading:
            if (found := self._next(refused)) is Next.READ:
                self._refetch()
                found = self._next(refused)
            return found if isinstance(found, Held) else None

    def hear(self, raw: bytes | str | Mapping[str, Any]) -> None:
        """An event from wherever. Believed only when it is genuine; never raises for one that is not."""
        try:
            event = verify(raw, self._expected, self._clock())
        except Refusal as refusal:
            with self._lock:
                self.counters.refused[refusal.reason] += 1
                if refusal.genuine is not None:
                    self._known.note(refusal.genuine)
            if refusal.reason in DOUBTFUL:
                self._keeper.doubt()
            self._keeper.wake()
            return
        with self._lock:
            heard = self._known.hear(event)
            self.counters.accepted[heard] += 1
        if heard is Heard.FETCH:
            self.catch_up()
        self._keeper.wake()

    def reconnected(self) -> None:
        """The listener was away for a while: what it cannot make good by a log, one read of the store does."""
        self._keeper.poll_soon()

    @property
    def wanted(self) -> str:
        """The store's version that an event has called current and that the store has not given yet; "" for none."""
        with self._lock:
            return self._known.wanted

    def catch_up(self) -> None:
        """Read what an event has called current, if it was not read since."""
        with self._reading:
            if self.wanted:
                self._try_to_read()

    def poll(self) -> None:
        """Read the store, whatever was heard. One that does not answer is counted."""
        with self._reading:
            self._try_to_read()

    def add(self, follower: Follower) -> None:
        """Something that uses the value and has to be moved to a new one, before the new version is acknowledged."""
        self._keeper.add(follower)

    def remove(self, follower: Follower) -> None:
        """It uses the value no more: it is not moved, and nothing waits for it. Nothing where it was not added."""
        self._keeper.remove(follower)

    def start(self) -> Self:
        """Read the first value, then listen, poll and acknowledge on threads until `close`."""
        self.held()
        if self._ack is not None:
            self._ack.check_process()
        self._started.here()
        if self._events is not None:
            # before anything runs: it refuses a listener of another process
            self._events.attach(self)
        registry.add(self)
        if self._ack is not None:
            self._ack.join(self.secret, self)
        self._keeper.start()
        return self

    def close(self) -> None:
        """Stop every thread; the value stays. Nothing in a process that was forked since."""
        if self._started.elsewhere:
            return
        if self._events is not None:
            self._events.detach(self)
        self._keeper.close()
        registry.remove(self)
        if self._ack is not None:
            self._ack.leave(self.secret, self)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_exc: object) -> None:
        self.close()

    @property
    def listening(self) -> bool:
        """Whether events can be heard now."""
        return self._events is not None and self._events.connected

    def in_use(self, held: Held) -> None:
        """Everything that uses the cache uses this version."""
        if self._ack is not None:
            self._ack.using(self.secret, held.version, held.store_version, self)

    def __repr__(self) -> str:
        return f"SecretCache({self.secret!r})"

    def _wake(self) -> None:
        self._keeper.wake()

    def _current(self) -> Held | None:
        with self._lock:
            return self._known.current

    def _next(self, refused: Collection[str]) -> Held | Next:
        with self._lock:
            found = self._known.after(refused, self._timer())
            if isinstance(found, Held) and found is self._known.previous:
                self.counters.fallbacks += 1
            return found

    def _refetch(self) -> None:
        self._try_to_read()
        with self._lock:
            self.counters.refetches += 1
            self._known.refetched(self._timer())

    def _try_to_read(self) -> None:
        # counted where it is raised; a store that refuses now may be replicating what it will give in a moment
        with suppress(ClientError):
            self._read()

    def _read(self) -> None:
        with self._lock:
            number, wanted = self._known.number(), self._known.wanted
        try:
            fetched = self._fetched(number)
        except Missing:
            if not number:
                raise
            # withdrawn, or not given yet: the pointer may know better
            number = ""
            fetched = self._fetched(number)
        with self._lock:
            changed = self._known.take(fetched, asked=number)
            self.counters.fetches += 1
            self.counters.mismatches += bool(wanted and fetched.store_version != wanted)
        if changed:
            self._keeper.wake()

    def _fetched(self, number: str) -> Fetched:
        try:
            return self._source.by_version(number) if number else self._source.current()
        except Exception as exc:
            with self._lock:
                self.counters.failed_fetches += 1
            if isinstance(exc, ClientError):
                raise
            # a source of the service's own, a `pointer`: nothing of it may end a thread that others live on
            raise Unavailable("source_failed", f"{self.secret}: {type(exc).__name__}") from exc
