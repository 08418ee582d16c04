"""The thread of a listener: who is told, the pauses between attempts to connect, and a clean end."""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping
from typing import Any

from keyturn.client.listeners import Hearer
from keyturn.client.processes import Process

_log = logging.getLogger(__name__)

# After a lost connection: first pause and longest. Each is multiplied by a number from 0.5 to 1.5, so that a restarted
# server is not met by all consumers at once.
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 10.0
# A listener looks this often whether it is to end.
GLANCE_S = 0.5
# More than one glance and one call of a channel.
_JOIN_S = 30.0


class Ears:
    """Runs `listen` on a thread while somebody is attached, again and again after an error.

    listen: hears until `ended` is set or the connection is lost, and calls `hears` once it does. lost: whether an error
    is such a loss, which is logged when it begins; any other is logged each time, and the listener goes on as well,
    since several caches hear by it.
    failed: how often somebody who was told raised, which promises not to; the others are told all the same.
    """

    def __init__(self, name: str, listen: Callable[[], None], lost: Callable[[Exception], bool]) -> None:
        self._name, self._listen, self._lost = name, listen, lost
        self._lock = threading.Lock()
        self._hearers: list[Hearer] = []
        self._thread: threading.Thread | None = None
        self._started = Process()
        self._was_away = self._told_of_loss = False
        self.failed = 0
        self.chance: Callable[[], float] = random.random
        self.ended = threading.Event()
        self.connected = threading.Event()
        # somebody was attached since the log was last read
        self.newcomer = threading.Event()

    def attach(self, hearer: Hearer) -> None:
        """Begin with the first one. ClientError `forked` in another process than that of the thread."""
        self._started.check("listener")
        with self._lock:
            self._hearers.append(hearer)
            self.newcomer.set()
            if self._thread is None:
                self.ended.clear()
                self._started.here()
                self._thread = threading.Thread(target=self._run, name=f"keyturn {self._name}", daemon=True)
                self._thread.start()

    def detach(self, hearer: Hearer) -> None:
        """End with the last one."""
        with self._lock:
            self._hearers = [one for one in self._hearers if one is not hearer]
            if self._hearers or self._thread is None:
                return
            thread, self._thread = self._thread, None
            self.ended.set()
        thread.join(_JOIN_S)

    def tell(self, raw: bytes | str | Mapping[str, Any]) -> None:
        """Everybody who is attached."""
        self._each(lambda hearer: hearer.hear(raw))

    def hears(self) -> None:
        """The connection stands; whoever was told that before has missed something."""
        self.connected.set()
        if self._was_away:
            self._each(lambda hearer: hearer.reconnected())
        self._was_away = self._told_of_loss = False

    def _run(self) -> None:
        pause = FIRST_PAUSE_S
        while not self.ended.is_set():
            try:
                self._listen()
            except Exception as exc:  # noqa: BLE001 - a thread that ended would make every cache deaf
                self._log(exc)
            pause = FIRST_PAUSE_S if self.connected.is_set() else min(2 * pause, LONGEST_PAUSE_S)
            self.connected.clear()
            self._was_away = True
            self.ended.wait(pause * (0.5 + self.chance()))

    def _log(self, exc: Exception) -> None:
        if not self._lost(exc):
            _log.warning("%s: the listener failed (%s)", self._name, type(exc).__name__)
        elif not self._told_of_loss:
            self._told_of_loss = True
            _log.warning(
                "%s: no events are heard until there is a connection again (%s)", self._name, type(exc).__name__
            )

    def _each(self, tell: Callable[[Hearer], None]) -> None:
        with self._lock:
            hearers = list(self._hearers)
        for hearer in hearers:
            try:
                tell(hearer)
            except Exception as exc:  # noqa: BLE001 - one cache must not make the others deaf
                self.failed += 1
                _log.warning("%s: a hearer failed (%s)", self._name, type(exc).__name__)
