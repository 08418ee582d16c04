"""Requests of many threads beside a rotation, waited for by their number and not by a time."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Load:
    """`failed`: what requests met, by kind."""

    request: Callable[[], object]
    workers: int
    failed: list[str] = field(default_factory=list)
    _answered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    _ended: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        while not self._ended.is_set():
            try:
                self.request()
            except Exception as exc:  # noqa: BLE001 - whatever a request of a service may meet is what is counted
                self.failed.append(f"{type(exc).__name__}: {exc}")
            else:
                self._answered.release()

    def more(self, count: int) -> None:
        """Wait for so many answers from now on, however slow the machine is."""
        while self._answered.acquire(blocking=False):
            pass
        for _ in range(count):
            assert self._answered.acquire(timeout=20), "nobody is answered any more"

    @contextmanager
    def running(self) -> Iterator[None]:
        threads = [threading.Thread(target=self.run) for _ in range(self.workers)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join(20)
