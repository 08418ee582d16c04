"""Requests by the clock, whatever became of those before: an open loop, counted, each with its moments.

A request that is due while all workers wait for answers is sent late and not left out, so that a service which is too
slow shows as fewer answers in the time, and one which stops answering does not hide it by being asked less.
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

# By its number; gives the status.
Request = Callable[[int], int]
# Reached only by a service that is stuck.
PATIENCE_S = 60.0


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One request: when it was sent and answered, and the status; 0 where the connection broke."""

    began: datetime
    ended: datetime
    status: int


@dataclass
class Load:
    """`asking`: a worker's request, for as long as the worker works. per_s: requests that are due a second."""

    asking: Callable[[], AbstractContextManager[Request]]
    per_s: float
    workers: int
    answers: list[Answer] = field(default_factory=list)
    seconds: float = 0.0
    _due: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)
    _told: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def running(self) -> Iterator[None]:
        """Until the block ends; every request that was sent is answered by then."""
        begun = time.monotonic()
        threads = [threading.Thread(target=self._work, args=(begun,)) for _ in range(self.workers)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._ended.set()
            for thread in threads:
                thread.join(PATIENCE_S)
            self.seconds = time.monotonic() - begun

    def more(self, count: int) -> None:
        """Wait for so many more answers."""
        with self._told:
            wanted = len(self.answers) + count
            assert self._told.wait_for(lambda: len(self.answers) >= wanted, PATIENCE_S), "the service is stuck"

    @property
    def failed(self) -> list[Answer]:
        return [answer for answer in self.answers if answer.status != http.client.OK]

    def _work(self, begun: float) -> None:
        with self.asking() as request:
            while True:
                with self._told:
                    number, self._due = self._due, self._due + 1
                if self._ended.wait(max(0.0, begun + number / self.per_s - time.monotonic())):
                    return
                began = datetime.now(UTC)
                status = request(number)
                self._keep(Answer(began=began, ended=datetime.now(UTC), status=status))

    def _keep(self, answer: Answer) -> None:
        with self._told:
            self.answers.append(answer)
            self._told.notify_all()


@contextmanager
def posting(port: int, path: str, body: object = None) -> Iterator[Request]:
    """Requests to a service on this machine, over one connection."""
    text = b"" if body is None else json.dumps(body).encode()

    def request(_: int) -> int:
        try:
            connection.request("POST", path, text)
            answer = connection.getresponse()
            answer.read()
        except (http.client.HTTPException, OSError):
            connection.close()
            return 0
        return answer.status

    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as connection:
        yield request
