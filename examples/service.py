"""A payments service whose database password rotates while it works.

`POST /transfers` books one cent, `POST /closings` with `{"seconds": 2}` keeps one transaction open for as long, as the
end of a month would; a connection of its own LISTENs for `orders`. `GET /health` tells which version is in use, what
was counted and what was heard. The environment: KEYTURN_EVENTS (what the stack publishes, JSON), EVENTS_REDIS_URL,
SECRET (its name, here and in AWS Secrets Manager), KEYTURN_ENDPOINT (where acknowledgements go), KEYTURN_ENDPOINT_HOST
(its name, in the sandbox only, which has no DNS), CONSUMER (as the policy names it), PORT, POOL (connections); AWS as
usual.
"""  # noqa: INP001 - a program

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3
import psycopg

from keyturn.client import Acknowledger, SecretCache
from keyturn.client.listeners.redis_events import RedisEvents
from keyturn.client.pools.psycopg_listen import Listening
from keyturn.client.pools.psycopg_pool import pooled
from keyturn.client.settings import Settings
from keyturn.client.sources.aws import AwsSource
from keyturn.client.transports.signed_endpoint import SignedEndpoint

_BOOK = "INSERT INTO transfers (cents) VALUES (1)"
_OK, _NOT_FOUND, _UNAVAILABLE = 200, 404, 503
# How soon the thread that listens sees that the service stops.
_GLANCE_S = 0.5


def handler(pool: Any, health: Callable[[], dict[str, Any]]) -> type[BaseHTTPRequestHandler]:
    """The routes."""

    class Routes(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # head and body leave as two writes; the second would wait for the client's word on the first
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            """Book a transfer; or close a month, which takes its time."""
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            try:
                with pool.connection() as connection:
                    connection.execute(_BOOK)
                    if self.path == "/closings":
                        connection.execute("SELECT pg_sleep(%s)", (json.loads(body)["seconds"],))
                        connection.execute(_BOOK)
            except psycopg.Error as exc:
                self._answer(_UNAVAILABLE, {"reason": type(exc).__name__})
            else:
                self._answer(_OK, {"booked": 1})

        def do_GET(self) -> None:
            """Tell how it goes."""
            if self.path == "/health":
                self._answer(_OK, health())
            else:
                self._answer(_NOT_FOUND, {})

        def log_message(self, *_: Any) -> None:
            """Quiet."""

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Routes


def serve(port: int, routes: type[BaseHTTPRequestHandler]) -> None:
    """Until stopped."""
    with ThreadingHTTPServer(("127.0.0.1", port), routes) as server:
        print(server.server_port, flush=True)  # noqa: T201 - whoever started it waits for this line
        server.serve_forever()


@contextmanager
def orders(cache: SecretCache) -> Iterator[set[str]]:
    """What was heard so far; one that comes twice around a move counts once.

    After a lost connection there is another one; what is sent in between nobody hears.
    """
    heard, ended = set[str](), threading.Event()
    listening = Listening(cache, ("orders",))

    def read() -> None:
        nonlocal listening
        while not ended.is_set():
            try:
                for notify in listening.notifications(_GLANCE_S):
                    heard.add(notify.payload)
            except psycopg.OperationalError:
                listening.close()
                ended.wait(_GLANCE_S)
                with suppress(psycopg.OperationalError):
                    listening = Listening(cache, ("orders",))

    thread = threading.Thread(target=read)
    thread.start()
    try:
        yield heard
    finally:
        ended.set()
        thread.join()
        listening.close()


def main() -> None:
    """Serve until stopped."""
    environment = os.environ
    told, secret = Settings.from_json(environment["KEYTURN_EVENTS"]), environment["SECRET"]
    source = AwsSource(boto3.client("secretsmanager"), secret)
    events = RedisEvents.from_url(environment["EVENTS_REDIS_URL"], told.stack)
    endpoint, region = environment["KEYTURN_ENDPOINT"], environment["AWS_DEFAULT_REGION"]
    send = SignedEndpoint(endpoint, region, host=environment.get("KEYTURN_ENDPOINT_HOST", ""))
    size = int(environment.get("POOL", "10"))
    with (
        Acknowledger(send, consumer=environment["CONSUMER"]) as ack,
        SecretCache(secret, source, stack=told.stack, keys=told.keys, events=events, ack=ack) as cache,
        pooled(cache, min_size=size, max_size=size) as pool,
        orders(cache) as heard,
    ):
        pool.wait()

        def health() -> dict[str, Any]:
            counters = cache.counters
            counted = {"swaps": counters.swaps, "refetches": counters.refetches, "refused": counters.refused}
            return {"version": cache.held().version, **counted, "heard": len(heard)}

        serve(int(environment["PORT"]), handler(pool, health))


if __name__ == "__main__":
    main()
