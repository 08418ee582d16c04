"""A fault on the way to a target that speaks HTTP: a proxy that holds one request, and a catalogue that leads there.

The policy in the catalogue names the target's address, so that a run goes through the proxy without any change of
code. Everything is passed on to the real target, but for one path, whose requests wait for the test and may then be
answered by the proxy itself.
"""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from runs_catalogue import Policy, altered
from runs_stack import Stack

LOOPBACK = "127.0.0.1"
# below the functions' own patience with a target (10 s)
LONGEST_HOLD_S = 8.0
REACHED_S = 60.0


class Gate(ThreadingHTTPServer):
    """Passes on to `url`; a request for `held` waits until `opened`, then gets `verdict` or, without, passes."""

    daemon_threads = True

    def __init__(self, url: str, held: str, verdict: tuple[int, dict[str, str]] | None) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.target, self.held, self.verdict = urlsplit(url), held, verdict
        self.reached, self.opened = threading.Event(), threading.Event()

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_address[1]}"

    def wait(self) -> None:
        """Until a request is held."""
        assert self.reached.wait(REACHED_S), f"nobody asked for {self.held}"


class _Handler(BaseHTTPRequestHandler):
    server: Gate
    protocol_version = "HTTP/1.1"

    def do_any(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.endswith(self.server.held):
            self.server.reached.set()
            self.server.opened.wait(LONGEST_HOLD_S)
            if self.server.verdict:
                status, answer = self.server.verdict
                self._answer(status, json.dumps(answer).encode())
                return
        self._answer(*self._passed_on(body))

    do_GET = do_PUT = do_POST = do_DELETE = do_any  # noqa: N815 - names that the standard library looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Silent."""

    def _passed_on(self, body: bytes) -> tuple[int, bytes]:
        address = self.server.target
        with closing(http.client.HTTPConnection(address.hostname or "", address.port, timeout=5)) as connection:
            headers = {name: text for name, text in self.headers.items() if name.lower() != "host"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()

    def _answer(self, status: int, content: bytes) -> None:
        self.close_connection = True
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def detour(
    stack: Stack, secret: str, url: str, held: str, verdict: tuple[int, dict[str, str]] | None = None
) -> Iterator[Gate]:
    """Runs of `secret` that begin inside reach their target, really at `url`, through the gate."""
    with Gate(url, held, verdict) as gate:
        thread = threading.Thread(target=gate.serve_forever)
        thread.start()

        def lead_there(policy: Policy) -> None:
            policy["target"]["facts"]["url"] = gate.url

        try:
            with altered(stack, secret, lead_there):
                yield gate
        finally:
            gate.opened.set()
            gate.shutdown()
            thread.join()
