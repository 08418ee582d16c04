"""A proxy between one function and the emulator that counts what passes: the emulator's own books are not asked.

One proxy per function, so that every call has its caller. Bodies pass through and are forgotten; of DynamoDB's the
sizes are taken. It takes time, therefore nothing that is timed goes through it.
"""

from __future__ import annotations

import http.client
import threading
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from bench.capacity import Capacity
from bench.kinds import Kind
from bench.operations import kinds_of, operation_of
from rotation.errors import KeyturnError
from sandbox.ports import ANY_PORT, LOOPBACK

# Above the clients' own patience, so that they decide.
_PATIENCE_S = 30.0
# Of the connection, not of the message.
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})


class Books:
    """What passed since the last `take`: operations by function, kinds; the first request that nobody knows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._capacity = Capacity()
        self._operations: dict[str, Counter[str]] = {}
        self._kinds: dict[str, float] = {}
        self._trouble: KeyturnError | None = None

    def enter(self, function: str, what: tuple[str, str, dict[str, str]], request: bytes, answer: bytes) -> None:
        """One request of a function: `what` is method, path and lower-case headers."""
        with self._lock:
            try:
                operation = operation_of(*what)
                kinds = kinds_of(operation)
                if operation.service == "dynamodb":
                    self._add(self._capacity.units(operation.name, request, answer))
            except KeyturnError as exc:
                self._trouble = self._trouble or exc
                return
            self._operations.setdefault(function, Counter())[str(operation)] += 1
            self._add({kind.value: 1.0 for kind in kinds})

    def _add(self, counts: Mapping[str, float]) -> None:
        for kind, count in counts.items():
            self._kinds[kind] = self._kinds.get(kind, 0.0) + count

    def take(self) -> tuple[dict[str, Counter[str]], dict[str, float]]:
        """Operations by function, and kinds, since the last time; raises what could not be entered.

        The ledger's table has the stack's key too: DynamoDB asks for it at most once per function and five minutes.
        """
        with self._lock:
            if self._trouble:
                raise self._trouble
            operations, kinds = self._operations, self._kinds
            self._operations, self._kinds = {}, {}
        callers = sum(any(name.startswith("dynamodb.") for name in made) for made in operations.values())
        kinds[Kind.KMS_IMPLIED.value] = kinds.get(Kind.KMS_IMPLIED.value, 0.0) + callers
        return operations, kinds


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, function: str, upstream: str, books: Books) -> None:
        super().__init__((LOOPBACK, ANY_PORT), _Handler)
        self.function, self.upstream, self.books = function, urlsplit(upstream), books


class _Handler(BaseHTTPRequestHandler):
    server: _Proxy
    protocol_version = "HTTP/1.1"

    def do_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, headers, answer = self._passed_on(body)
        named = {name.lower(): text for name, text in self.headers.items()}
        self.server.books.enter(self.server.function, (self.command, self.path, named), body, answer)
        self.send_response(status)
        for name, text in headers:
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_any  # noqa: N815 - names the standard library looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Silent."""

    def _passed_on(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        place = self.server.upstream
        with closing(http.client.HTTPConnection(place.hostname or "", place.port, timeout=_PATIENCE_S)) as connection:
            headers = {name: text for name, text in self.headers.items() if name.lower() != "connection"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            kept = [(name, text) for name, text in answer.getheaders() if name.lower() not in _HOP]
            return answer.status, kept, answer.read()


@contextmanager
def tapped(functions: Sequence[str], upstream: str) -> Iterator[tuple[dict[str, str], Books]]:
    """A proxy per function while the block lasts: their addresses by function, and the books that they share."""
    books, addresses = Books(), {}
    with ExitStack() as stack:
        for function in functions:
            proxy = stack.enter_context(_Proxy(function, upstream, books))
            thread = threading.Thread(target=proxy.serve_forever, daemon=True)
            thread.start()
            stack.callback(thread.join)
            stack.callback(proxy.shutdown)
            addresses[function] = f"http://{LOOPBACK}:{proxy.server_address[1]}"
        yield addresses, books
