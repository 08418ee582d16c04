"""The counting proxy on loopback: everything passes unchanged, every request is in the books of who sent it."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import pytest

from bench.wire import tapped

ANSWER = b'{"Name": "a/secret"}'


class _Emulator(BaseHTTPRequestHandler):
    """Says what it was asked; refuses where the body says so."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(400 if body == b"refuse" else 200)
        self.send_header("X-Seen", f"{self.path} {self.headers['X-Amz-Target']} {body.decode()}")
        self.send_header("Content-Length", str(len(ANSWER)))
        self.end_headers()
        self.wfile.write(ANSWER)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Silent."""


@pytest.fixture
def emulator() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Emulator) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def _post(url: str, *bodies: bytes) -> list[tuple[int, str, bytes]]:
    """Requests on one connection, as SDKs keep it."""
    place = urlsplit(url)
    said = []
    with closing(http.client.HTTPConnection(place.hostname or "", place.port, timeout=5)) as connection:
        for body in bodies:
            connection.request("POST", "/", body, {"X-Amz-Target": "secretsmanager.DescribeSecret"})
            answer = connection.getresponse()
            said.append((answer.status, answer.headers["X-Seen"], answer.read()))
    return said


def test_a_function_gets_the_answers_of_the_emulator_and_its_calls_are_counted_as_its_own(emulator: str) -> None:
    with tapped(("aws", "control"), emulator) as (addresses, books):
        first, second = _post(addresses["aws"], b"{}", b"refuse")
        _post(addresses["control"], b"{}")
        operations, kinds = books.take()
    assert first == (200, "/ secretsmanager.DescribeSecret {}", ANSWER)
    assert (second[0], second[2]) == (400, ANSWER), "an error passes too, and is billed like any other call"
    assert operations == {"aws": {"secretsmanager.DescribeSecret": 2}, "control": {"secretsmanager.DescribeSecret": 1}}
    assert kinds["secretsmanager.call"] == 3
