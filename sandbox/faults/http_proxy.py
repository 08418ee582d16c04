"""A fault proxy for what speaks HTTP with JSON: Vault, and the targets.

Every request is passed on over a connection of its own; keep-alive is not offered, so that a fault hits one call and no
connection of the next. Not here: AWS, whose errors have a wire format of their own (`aws`).
"""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from fnmatch import fnmatchcase
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from urllib.parse import urlsplit

from sandbox.faults.contract import Hit
from sandbox.ports import LOOPBACK
from sandbox.wire import CALL_SECONDS

# below the pauses of any caller
_POLL_S = 0.01


@dataclass(frozen=True, kw_only=True)
class Answer:
    """Status and body, as the real server would say it."""

    status: int
    body: str
    headers: tuple[tuple[str, str], ...] = ()


# Vault's API documentation, "HTTP status codes" and "rate limit quotas"
THROTTLED = Answer(status=429, body=json.dumps({"errors": ["request path: rate limit quota exceeded"]}))
SEALED = Answer(status=503, body=json.dumps({"errors": ["Vault is sealed"]}))


@dataclass(frozen=True, kw_only=True)
class _Drop:
    operation: str
    held_s: float


class HttpFaults(ThreadingHTTPServer):
    """A proxy before the server at `url`; operations are `METHOD /path`, with `*` for any part of the path.

    `down`: what a caller is told while it is down; None drops the connection instead.
    """

    daemon_threads = True
    # the library's 5 would refuse a burst
    request_queue_size = 128

    def __init__(self, url: str, down: Answer | None = SEALED) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.target = urlsplit(url)
        self.down = down
        self.let_go = threading.Event()
        self._lock = threading.Lock()
        self.clear()

    def server_bind(self) -> None:
        """Bind without asking a name server for our own name, as the standard library would."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, int(self.server_address[1])

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{LOOPBACK}:{self.server_port}"

    def throttle(self, next_n: int, retry_after_s: float | None = None) -> None:
        """429 with Retry-After."""
        asked = () if retry_after_s is None else (("Retry-After", f"{retry_after_s:g}"),)
        with self._lock:
            self._throttled += [Answer(status=THROTTLED.status, body=THROTTLED.body, headers=asked)] * next_n

    def down_for(self, seconds: float) -> None:
        """The answer `down`, or none."""
        with self._lock:
            self._down_until = time.monotonic() + seconds

    def recover(self) -> None:
        """Up again."""
        self.down_for(0)

    def apply_then_drop(self, operation: str, held_s: float = 0.0) -> None:
        """The server has answered, the caller never hears of it. `release` ends the wait for it sooner."""
        self.let_go.clear()
        with self._lock:
            self._drops.append(_Drop(operation=operation, held_s=held_s))

    def release(self) -> None:
        """End the connections that are held."""
        self.let_go.set()

    def clear(self) -> None:
        """Forget faults and counts."""
        with self._lock:
            self._throttled: list[Answer] = []
            self._drops: list[_Drop] = []
            self._down_until = 0.0
            self._hits: list[Hit] = []
            self._calls = 0

    def hits(self) -> list[Hit]:
        """The calls that were spoilt."""
        with self._lock:
            return list(self._hits)

    def calls(self) -> int:
        """All calls."""
        with self._lock:
            return self._calls

    def refusal(self, operation: str) -> Answer | bool:
        """For a call that has come: what it is told at once, True for no answer, False where it is passed on."""
        with self._lock:
            self._calls += 1
            if time.monotonic() < self._down_until:
                self._hit(operation)
                return self.down or True
            if self._throttled:
                self._hit(operation)
                return self._throttled.pop()
            return False

    def drop(self, operation: str) -> _Drop | None:
        """For a call that was passed on: the fault that takes its answer, used up."""
        with self._lock:
            found = next((drop for drop in self._drops if fnmatchcase(operation, drop.operation)), None)
            if found:
                self._drops.remove(found)
                self._hit(operation)
            return found

    def _hit(self, operation: str) -> None:
        self._hits.append(Hit(at=time.time(), operation=operation))


class _Handler(BaseHTTPRequestHandler):
    server: HttpFaults
    protocol_version = "HTTP/1.1"

    def do_any(self) -> None:
        """Pass on one request, or spoil it."""
        self.close_connection = True
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        operation = f"{self.command} {urlsplit(self.path).path}"
        refusal = self.server.refusal(operation)
        if isinstance(refusal, Answer):
            self._answer(refusal.status, refusal.body.encode(), refusal.headers)
        if refusal:
            return
        status, content = self._passed_on(body)
        drop = self.server.drop(operation)
        if drop:
            self.server.let_go.wait(drop.held_s)
            return
        self._answer(status, content, ())

    # `LIST` is Vault's own
    do_GET = do_PUT = do_POST = do_DELETE = do_LIST = do_PATCH = do_any  # noqa: N815 - the standard library's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Silent."""

    def _passed_on(self, body: bytes) -> tuple[int, bytes]:
        target = self.server.target
        headers = {name: text for name, text in self.headers.items() if name.lower() not in ("host", "connection")}
        with closing(http.client.HTTPConnection(target.hostname or "", target.port, timeout=CALL_SECONDS)) as onward:
            onward.request(self.command, self.path, body, headers)
            answer = onward.getresponse()
            return answer.status, answer.read()

    def _answer(self, status: int, content: bytes, headers: tuple[tuple[str, str], ...]) -> None:
        self.send_response(status)
        for name, text in (("Content-Type", "application/json"), *headers):
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def before(url: str, down: Answer | None = SEALED) -> Iterator[HttpFaults]:
    """A proxy before the server at `url`, which serves until the end of the block."""
    with HttpFaults(url, down) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, args=(_POLL_S,))
        thread.start()
        try:
            yield proxy
        finally:
            proxy.release()
            proxy.shutdown()
            thread.join()
