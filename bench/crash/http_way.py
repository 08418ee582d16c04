"""The proxy before what speaks HTTP: AWS, Vault and two of the targets. One request at a time, passed on as it came."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from urllib.parse import urlsplit

from bench.crash.killing import Connection
from bench.crash.lane import Gone, Lane
from bench.crash.words import Word
from sandbox.ports import ANY_PORT, LOOPBACK

# Above the functions' own patience, so that they decide.
_PATIENCE_S = 30.0
# Of the connection, not of the message.
_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "date", "server"})


@dataclass(frozen=True, kw_only=True)
class Request:
    """As it came; header names in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class _Answer:
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


# Whose call it is, and what it is called.
Read = Callable[[Request], tuple[Lane | None, Word]]


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, upstream: str, read: Read) -> None:
        super().__init__((LOOPBACK, ANY_PORT), _Handler)
        self.upstream, self.read = urlsplit(upstream), read

    def server_bind(self) -> None:
        """Bind without asking a name server for our own name, as the standard library would."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    server: _Proxy
    protocol_version = "HTTP/1.1"
    # head and body are two writes, of which the second would wait for the first one's acknowledgement
    disable_nagle_algorithm = True

    def do_any(self) -> None:
        """One request."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): text for name, text in self.headers.items()}
        request = Request(method=self.command, path=self.path, headers=headers, body=body)
        lane, word = self.server.read(request)
        try:
            answer = self._through(lane, word, request) if lane else self._passed_on(request)
        except Gone:
            self.close_connection = True
            return
        self.send_response(answer.status)
        for name, text in answer.headers:
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        self.wfile.write(answer.body)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_LIST = do_PATCH = do_any  # noqa: N815 - names looked for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Silent."""

    def _through(self, lane: Lane, word: Word, request: Request) -> _Answer:
        connection = Connection(peer=self.client_address[1], ours=self.server.server_port)

        def forward() -> _Answer:
            fault = lane.spoilt(word)
            if fault:
                return _Answer(
                    status=fault.status, headers=(("Content-Type", "application/json"),), body=fault.body.encode()
                )
            return self._passed_on(request)

        return lane.around(word, connection, forward)

    def _passed_on(self, request: Request) -> _Answer:
        place = self.server.upstream
        with closing(http.client.HTTPConnection(place.hostname or "", place.port, timeout=_PATIENCE_S)) as onward:
            headers = {name: text for name, text in request.headers.items() if name not in _HOP}
            onward.request(request.method, request.path, request.body, headers)
            answer = onward.getresponse()
            kept = tuple((name, text) for name, text in answer.getheaders() if name.lower() not in _HOP)
            return _Answer(status=answer.status, headers=kept, body=answer.read())


@contextmanager
def http_way(upstream: str, read: Read) -> Iterator[str]:
    """The proxy's address while the block lasts."""
    with _Proxy(upstream, read) as proxy:
        thread = threading.Thread(target=proxy.serve_forever, daemon=True)
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{proxy.server_port}"
        finally:
            proxy.shutdown()
            thread.join()
