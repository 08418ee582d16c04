"""The HTTP that all targets speak: JSON in and out, bounded requests, an authority, and a log without contents.

Built on the standard library's threading server, on loopback only. A route is a method, a path with `{names}`, who
may call it, and a function from a parsed request to an answer. The log shows the route's template, never the path
or anything else that a client chose.
"""

from __future__ import annotations

import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from sandbox.targets.fenced import GenerationUsed, NoFreePlace, StaleGeneration

LOOPBACK = "127.0.0.1"
# a public key or a hash with its JSON fits ten times over
BODY_LIMIT_BYTES = 16 * 1024
# a client that sends nothing frees its thread
IDLE_SECONDS = 10.0
# names of accounts, slots and keys: what needs no escaping in a path or a log
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}"
# generations are claim epochs; JSON readers agree on integers up to here (RFC 8259, section 6)
HIGHEST_GENERATION = 2**53 - 1
CONFLICTS = {
    StaleGeneration: "stale_generation",
    GenerationUsed: "generation_used",
    NoFreePlace: "too_many_slots",
}


class Refusal(Exception):
    """An answer of 400 or above with its error slug."""

    def __init__(self, status: HTTPStatus, error: str) -> None:
        super().__init__(error)
        self.status = status
        self.error = error


@dataclass(frozen=True)
class Call:
    """One parsed request: names from the path, query, JSON body, and the bearer token that was shown (or empty).

    raw: the body as it came. headers: by lower-case name. answered: headers that `act` puts into its answer.
    """

    names: dict[str, str]
    query: dict[str, str]
    body: dict[str, Any]
    bearer: str = field(repr=False)
    raw: bytes = field(default=b"", repr=False)
    headers: dict[str, str] = field(default_factory=dict, repr=False)
    answered: dict[str, str] = field(default_factory=dict)

    def generation(self, source: dict[str, Any]) -> int:
        """The generation in `source` (body or query)."""
        found = source.get("generation")
        if isinstance(found, str) and re.fullmatch(r"[0-9]{1,16}", found):
            found = int(found)
        if not isinstance(found, int) or isinstance(found, bool) or not 0 <= found <= HIGHEST_GENERATION:
            raise Refusal(HTTPStatus.BAD_REQUEST, "malformed_generation")
        return found


@dataclass(frozen=True)
class Route:
    """One thing the service does. `template` like `/keys/{kid}`; `authority`: only with the authority's token.

    parsed: the body has to be a JSON object; where it is not, `act` gets it raw, however it looks.
    """

    method: str
    template: str
    act: Callable[[Call], dict[str, Any]]
    authority: bool = True
    parsed: bool = True

    def match(self, path: str) -> dict[str, str] | None:
        """The names in `path`, None when it is another path."""
        found = re.fullmatch(re.sub(r"\\{(\w+)\\}", rf"(?P<\1>{NAME})", re.escape(self.template)), path)
        return found.groupdict() if found else None


class TargetServer(ThreadingHTTPServer):
    """A target on a loopback port (0: any free one), not serving yet."""

    daemon_threads = True
    # waiting connections; the library's 5 refuses a burst
    request_queue_size = 128

    def __init__(self, port: int, routes: Sequence[Route], authority: str) -> None:
        self.routes = routes
        self.authority = authority
        super().__init__((LOOPBACK, port), _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server for our own name, as the standard library would."""
        TCPServer.server_bind(self)
        self.server_name, self.server_port = LOOPBACK, self.port

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self.server_address[1])


class _Handler(BaseHTTPRequestHandler):
    server: TargetServer
    protocol_version = "HTTP/1.1"
    timeout: ClassVar[float] = IDLE_SECONDS
    server_version = "keyturn-target"
    sys_version = ""

    def do_any(self) -> None:
        """Answer one request; a refusal is an answer, anything unexpected is 500 without its text."""
        template, extra = "-", dict[str, str]()
        try:
            route, names, query = self._route()
            template = route.template
            bearer = self._bearer()
            if route.authority and not same(bearer, self.server.authority):
                raise Refusal(HTTPStatus.UNAUTHORIZED, "not_authority")
            status, answer = HTTPStatus.OK, route.act(self._call(route, names, query, bearer, extra))
        except Refusal as exc:
            status, answer = exc.status, {"error": exc.error}
        except tuple(CONFLICTS) as exc:
            status, answer = HTTPStatus.CONFLICT, {"error": CONFLICTS[type(exc)]}
        except Exception as exc:  # noqa: BLE001 - the thread must answer; the type says enough
            print(f"unexpected {type(exc).__name__}", flush=True)
            status, answer = HTTPStatus.INTERNAL_SERVER_ERROR, {"error": "unexpected"}
        # before the answer, so that who has the answer finds it in the log
        print(f"{self.command} {template} {int(status)}", flush=True)
        self._answer(status, answer, extra)

    do_GET = do_PUT = do_POST = do_DELETE = do_any  # noqa: N815 - names that the standard library looks for

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the standard library refuses before a route is looked for, as JSON and without quoting it."""
        del message, explain
        self.close_connection = True
        self._answer(HTTPStatus(code), {"error": "malformed_request"})

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the standard library's name
        """Silent: `do_any` logs, without the path."""

    def _route(self) -> tuple[Route, dict[str, str], dict[str, str]]:
        address = urlsplit(self.path)
        matches = [(r, n) for r in self.server.routes if (n := r.match(address.path)) is not None]
        if not matches:
            raise Refusal(HTTPStatus.NOT_FOUND, "unknown_path")
        for route, names in matches:
            if route.method == self.command:
                return route, names, {key: found[-1] for key, found in parse_qs(address.query).items()}
        raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "wrong_method")

    def _bearer(self) -> str:
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else ""

    def _call(
        self, route: Route, names: dict[str, str], query: dict[str, str], bearer: str, answered: dict[str, str]
    ) -> Call:
        raw = self._content()
        body = _parsed(raw) if route.parsed else {}
        headers = {name.lower(): value for name, value in self.headers.items()}
        return Call(names, query, body, bearer, raw, headers, answered)

    def _content(self) -> bytes:
        length = self.headers.get("Content-Length", "0")
        if "Transfer-Encoding" in self.headers or not re.fullmatch(r"[0-9]{1,9}", length):
            raise Refusal(HTTPStatus.LENGTH_REQUIRED, "length_required")
        if int(length) > BODY_LIMIT_BYTES:
            raise Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
        return self.rfile.read(int(length))

    def _answer(self, status: HTTPStatus, answer: dict[str, Any], headers: Mapping[str, str] | None = None) -> None:
        content = json.dumps(answer).encode()
        # after a refusal the body may be unread: the connection is of no further use
        self.close_connection = self.close_connection or status >= HTTPStatus.BAD_REQUEST
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status == HTTPStatus.UNAUTHORIZED:
            self.send_header("WWW-Authenticate", "Bearer")
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(content)


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        raise Refusal(HTTPStatus.BAD_REQUEST, "malformed_json") from None
    if not isinstance(body, dict):
        raise Refusal(HTTPStatus.BAD_REQUEST, "malformed_json")
    return body


def same(shown: str, expected: str) -> bool:
    """Whether two strings are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(shown.encode(), expected.encode())
