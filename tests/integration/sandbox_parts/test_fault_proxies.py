"""The fault proxies let everything through, until they are told to spoil a call: then the caller sees what is real."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sandbox.faults import http_proxy
from sandbox.faults.http_proxy import HttpFaults
from sandbox.ports import LOOPBACK

# a test that waits for it has failed
PATIENCE_S = 5.0


class Counting(ThreadingHTTPServer):
    """Answers the body that it was sent, and counts what had an effect."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.effects = 0


class _Handler(BaseHTTPRequestHandler):
    server: Counting

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.effects += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Silent."""


@pytest.fixture
def server() -> Iterator[Counting]:
    with Counting() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def proxy(server: Counting) -> Iterator[HttpFaults]:
    with http_proxy.before(f"http://{LOOPBACK}:{server.server_port}") as proxy:
        yield proxy


def put(proxy: HttpFaults, path: str = "/thing") -> tuple[int, str | None, str]:
    """Status, Retry-After and body."""
    with closing(http.client.HTTPConnection(LOOPBACK, proxy.server_port, timeout=PATIENCE_S)) as connection:
        connection.request("PUT", path, json.dumps({"a": 1}))
        answer = connection.getresponse()
        return answer.status, answer.getheader("Retry-After"), answer.read().decode()


def test_without_a_fault_a_request_and_its_answer_pass_unchanged(proxy: HttpFaults, server: Counting) -> None:
    assert put(proxy) == (200, None, '{"a": 1}')
    assert (server.effects, proxy.calls(), proxy.hits()) == (1, 1, [])


def test_so_many_calls_are_throttled_with_retry_after_and_none_of_them_has_an_effect(
    proxy: HttpFaults, server: Counting
) -> None:
    proxy.throttle(2, 1.5)
    assert [put(proxy)[:2] for _ in range(3)] == [(429, "1.5"), (429, "1.5"), (200, None)]
    assert server.effects == 1
    assert [hit.operation for hit in proxy.hits()] == ["PUT /thing"] * 2


def test_while_it_is_down_nothing_is_served_and_afterwards_it_is(proxy: HttpFaults, server: Counting) -> None:
    proxy.down_for(60)
    assert put(proxy)[0] == 503
    proxy.recover()
    assert put(proxy)[0] == 200
    assert server.effects == 1


def test_an_outage_may_be_a_connection_without_an_answer(server: Counting) -> None:
    with http_proxy.before(f"http://{LOOPBACK}:{server.server_port}", down=None) as proxy:
        proxy.down_for(60)
        with pytest.raises(http.client.RemoteDisconnected):
            put(proxy)
    assert server.effects == 0


def test_a_dropped_answer_is_one_of_a_call_that_had_its_effect(proxy: HttpFaults, server: Counting) -> None:
    proxy.apply_then_drop("PUT /thi*")
    assert put(proxy, "/other")[0] == 200
    with pytest.raises(http.client.RemoteDisconnected):
        put(proxy)
    assert put(proxy)[0] == 200
    assert server.effects == 3


def test_an_answer_may_be_held_longer_than_its_caller_waits(proxy: HttpFaults, server: Counting) -> None:
    proxy.apply_then_drop("PUT /thing", held_s=60)
    with closing(http.client.HTTPConnection(LOOPBACK, proxy.server_port, timeout=0.2)) as connection:
        connection.request("PUT", "/thing", "{}")
        with pytest.raises(TimeoutError):
            connection.getresponse()
    assert server.effects == 1
