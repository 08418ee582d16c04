"""The sandbox's HTTP targets without a socket: their own handler answers the bytes that http.client would send.

So routes, fences, statuses and slugs are those that the integration tests meet. What it pretends: one request per
connection, no delay, and a snapshot that lies in memory. `passing` is where a test may stand between a request and its
answer: each exchange goes through it, by a name.
"""

from __future__ import annotations

import contextlib
import http.client
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pytest

from rotation.issuers.http import JsonClient
from sandbox.targets import jwks, token_service, verifier, webhooks
from sandbox.targets.web import Route, _Handler

T = TypeVar("T")

AUTHORITY = "authority-of-the-model"
TOKEN_SERVICE, VERIFIER = "http://127.0.0.1:18001", "http://127.0.0.1:18002"
JWKS, WEBHOOKS = "http://127.0.0.1:18003", "http://127.0.0.1:18004"


def straight(name: str, exchange: Callable[[], T]) -> T:
    """Nobody stands in between."""
    del name
    return exchange()


class MemorySnapshot:
    """As much of a path as a target's snapshot needs."""

    def __init__(self) -> None:
        self.text = ""

    def exists(self) -> bool:
        """Never at the start: a fresh target."""
        return False

    def with_suffix(self, suffix: str) -> MemorySnapshot:
        """The partial file is the file."""
        del suffix
        return self

    def write_text(self, text: str, encoding: str) -> None:
        """Keep it."""
        del encoding
        self.text = text

    def replace(self, target: MemorySnapshot) -> None:
        """Nothing to rename."""


@dataclass
class HttpTarget:
    """One target: what it answers, what it holds (`FencedPlaces`, or the key sets themselves), and its log."""

    name: str
    routes: Sequence[Route]
    places: Any
    authority: str = AUTHORITY
    log: io.StringIO = field(default_factory=io.StringIO)
    passing: Callable[[str, Callable[[], bytes]], bytes] = straight

    def exchange(self, request: bytes) -> bytes:
        """The answer to one request, head and body; its method names the exchange."""
        return self.passing(f"{self.name}.{request.partition(b' ')[0].decode()}", lambda: self._answered(request))

    def _answered(self, request: bytes) -> bytes:
        wire = _ServerSide(request)
        with contextlib.redirect_stdout(self.log):
            _Handler(wire, ("127.0.0.1", 0), self)  # type: ignore[arg-type]  # routes and authority are all it asks for
        return wire.answer.getvalue()


def the_token_service(snapshot: Any = None) -> HttpTarget:
    """The partner with two slots per account."""
    kept: Any = snapshot or MemorySnapshot()
    routes = token_service.routes(kept)
    return HttpTarget("token_service", routes, _service(routes)._slots)


def the_verifier(snapshot: Any = None) -> HttpTarget:
    """The service that verifies signed tokens."""
    kept: Any = snapshot or MemorySnapshot()
    routes = verifier.routes(kept)
    return HttpTarget("verifier", routes, _service(routes)._keys)


def the_jwks(snapshot: Any = None) -> HttpTarget:
    """The service that publishes key sets."""
    kept: Any = snapshot or MemorySnapshot()
    routes = jwks.routes(kept)
    return HttpTarget("jwks", routes, _service(routes))


def the_webhooks(snapshot: Any = None) -> HttpTarget:
    """The partner with webhook endpoints."""
    kept: Any = snapshot or MemorySnapshot()
    routes = webhooks.routes(kept)
    return HttpTarget("webhooks", routes, _service(routes)._keys)


def _service(routes: Sequence[Route]) -> Any:
    """The object behind the routes, for what it holds."""
    return routes[0].act.__self__  # type: ignore[attr-defined]


class _ServerSide:
    """The socket as the handler sees it: everything has arrived, and what it sends is kept."""

    def __init__(self, request: bytes) -> None:
        self._request = request
        self.answer = io.BytesIO()

    def makefile(self, mode: str, buffering: int = -1) -> io.BytesIO:
        del mode, buffering
        return io.BytesIO(self._request)

    def sendall(self, data: bytes) -> None:
        self.answer.write(data)

    def settimeout(self, seconds: float) -> None:
        """Nothing waits."""


class _ClientSide:
    """The socket as http.client sees it: the request goes out when the answer is asked for."""

    def __init__(self, target: HttpTarget) -> None:
        self._target = target
        self._sent = b""

    def sendall(self, data: bytes) -> None:
        self._sent += data

    def makefile(self, mode: str, buffering: int = -1) -> io.BytesIO:
        del mode, buffering
        return io.BytesIO(self._target.exchange(self._sent))

    def settimeout(self, seconds: float) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Nothing is held."""


def connect(patch: pytest.MonkeyPatch, **targets: HttpTarget) -> None:
    """From here on the issuers' client finds `targets` at their addresses and nobody anywhere else."""
    names = ("token_service", "verifier", "jwks", "webhooks")
    at = {18001 + number: targets.get(name) for number, name in enumerate(names)}

    def connection(client: JsonClient) -> http.client.HTTPConnection:
        target = at.get(client._port or 0)
        if target is None:
            raise ConnectionRefusedError
        made = http.client.HTTPConnection(client._host, client._port)
        made.sock = _ClientSide(target)
        return made

    patch.setattr(JsonClient, "_connect", connection)
