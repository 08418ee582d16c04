"""A payments service whose database password rotates while it works.

`POST /transfers` books one cent, `GET /health` tells which version is in use and what was counted. The environment:
KEYTURN_EVENTS (what the stack publishes, JSON), EVENTS_REDIS_URL, SECRET (its name, here and in AWS Secrets Manager),
KEYTURN_ENDPOINT (where acknowledgements go), CONSUMER (as the policy names it), PORT, POOL (connections); AWS as usual.
"""  # noqa: INP001 - a program

from __future__ import annotations

import json
import os
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import boto3

from keyturn.client import Acknowledger, SecretCache
from keyturn.client.listeners.redis_events import RedisEvents
from keyturn.client.pools.psycopg_pool import pooled
from keyturn.client.settings import Settings
from keyturn.client.sources.aws import AwsSource
from keyturn.client.transports.signed_endpoint import SignedEndpoint

_BOOK = "INSERT INTO transfers (cents) VALUES (1)"
_OK, _NOT_FOUND = 200, 404


def handler(cache: SecretCache, pool: Any) -> type[BaseHTTPRequestHandler]:
    """The routes."""

    class Routes(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            """Book a transfer."""
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with pool.connection() as connection:
                connection.execute(_BOOK)
            self._answer(_OK, {"booked": 1})

        def do_GET(self) -> None:
            """Tell how it goes."""
            if self.path != "/health":
                self._answer(_NOT_FOUND, {})
                return
            counters = cache.counters
            self._answer(_OK, {"version": cache.held().version, "swaps": counters.swaps, "refused": counters.refused})

        def log_message(self, *_: Any) -> None:
            """Quiet."""

        def _answer(self, status: int, document: dict[str, Any]) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    return Routes


def main() -> None:
    """Serve until stopped."""
    environment = os.environ
    told, secret = Settings.from_json(environment["KEYTURN_EVENTS"]), environment["SECRET"]
    source = AwsSource(boto3.client("secretsmanager"), secret)
    events = RedisEvents.from_url(environment["EVENTS_REDIS_URL"], told.stack)
    send = SignedEndpoint(environment["KEYTURN_ENDPOINT"], environment["AWS_DEFAULT_REGION"])
    size = int(environment.get("POOL", "10"))
    with (
        Acknowledger(send, consumer=environment["CONSUMER"]) as ack,
        SecretCache(secret, source, stack=told.stack, keys=told.keys, events=events, ack=ack) as cache,
        pooled(cache, min_size=size, max_size=size) as pool,
        ThreadingHTTPServer(("127.0.0.1", int(environment["PORT"])), handler(cache, pool)) as server,
    ):
        pool.wait()
        print(server.server_port, flush=True)  # noqa: T201 - whoever started it waits for this line
        server.serve_forever()


if __name__ == "__main__":
    main()
